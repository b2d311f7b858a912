"""Why not dense layers alone: the first convolution beside a dense layer that gives as many numbers."""

import streamlit as st

from cnn_core.layers.dense import compare_with_dense, parameters_without_blocks
from cnn_core.network import ARTICLE, NetworkSpec
from cnn_core.wording import large, number


def show(spec: NetworkSpec) -> None:
    """Show both layers' parameters side by side, and why a network without blocks seems to have fewer."""
    table = compare_with_dense(spec)
    conv, dense = table.itertuples()
    st.dataframe(
        table,
        hide_index=True,
        column_order=("layer", "parameters", "outputs", "reads"),
        column_config={
            "layer": "Keras layer",
            "outputs": st.column_config.NumberColumn("Output values", format="localized"),
            "reads": st.column_config.NumberColumn(
                "Inputs of each",
                format="localized",
                help="How many values of the picture one output value depends on.",
            ),
            "parameters": st.column_config.ProgressColumn(
                "Parameters", format="localized", min_value=0, max_value=dense.parameters
            ),
        },
        alt="The first convolution and a dense layer with as many output values: their inputs and parameters",
    )
    st.markdown(
        f"Both layers turn the same picture into **{conv.outputs:,}** numbers. A convolution has one small kernel for "
        f"each map and uses it everywhere: **{conv.parameters:,}** parameters. A dense layer has a separate "
        f"weight for each pair of input and output: **{large(dense.parameters)}** parameters, {large(dense.times)} "
        f"times as many. They would take {number(round(dense.gigabytes, 1))} GB of memory."
    )
    with st.expander("But with 0 blocks the network has fewer parameters. Why?"):
        first = spec.dense_units or spec.classes
        st.markdown(
            f"With 0 blocks, this network has **{parameters_without_blocks(spec):,}** parameters"
            + (f"; as built above it has **{spec.parameters:,}**. " if spec.blocks else ". ")
            + "This does not mean that dense layers need fewer parameters for the same work. Without blocks, the first "
            f"dense layer reduces the whole picture to only **{first}** numbers. A convolution gives "
            f"**{conv.outputs:,}**. The comparison is fair only when both give the same number of values, as in the "
            "table."
        )
        st.markdown(
            "There is a second disadvantage. A dense layer has separate weights for each pixel: when the cat moves "
            "a little to the right, the layer sees a new pattern. A kernel finds an edge or an eye wherever it is."
        )
        if not spec.blocks:
            st.caption(f"The table shows the first convolution of the article's network ({ARTICLE.blocks[0].filters} "
                       "kernels of 3 × 3), since the network above has none.")  # fmt: skip
