"""Lesson 4: the layers stacked into a network."""

import numpy as np
import pandas as pd
import streamlit as st

from cnn_core import CnnLabError, models
from cnn_core.figures import diagrams
from cnn_core.figures.layout import NO_BUTTONS
from cnn_core.layers.depth import compare_kernel_sizes, max_depth, sizes_by_depth
from cnn_core.layers.first_kernels import neighbor_similarity, random_kernels
from cnn_core.network import ARTICLE, ConvBlock, NetworkSpec
from cnn_core.scripts import training_script
from cnn_core.wording import percent, plain
from pages.widgets import code_panel, controls, learned
from pages.widgets.network import dense_instead

# Streamlit keeps columns at least 128 pixels wide: two of them stick out of a block's frame.
_STYLE = "<style>[class*=st-key-block_] .stColumn {min-width: 0}</style>"

_ADDRESS = [
    controls.INPUT_SIZE, controls.BLOCKS, controls.DENSE_UNITS, *controls.BLOCK_FILTERS, *controls.BLOCK_KERNEL,
    *controls.BLOCK_PADDING, *controls.BLOCK_POOL,
]  # fmt: skip
"""What the address may say of the network."""


def main() -> None:
    """Show a network to edit with its shapes and parameters, its maximum depth, and its first kernels."""
    st.markdown(
        "A network repeats **convolution and pooling**. Each block takes the feature maps of the block before it, so "
        "later blocks see larger parts of the picture. Two **dense** layers then combine all values into one answer: "
        "cat or dog."
    )
    _editor()
    st.header("How deep can it go?", divider="gray")
    _depth()
    st.header("Why 3×3?", divider="gray")
    _kernel_sizes()
    st.header("Before and after training", divider="gray")
    _first_kernels()


@st.fragment
def _editor() -> None:
    """Show the network's drawing, table and code next to the controls that change it."""
    controls.warn(*_ADDRESS)
    st.html(_STYLE)
    drawing = st.container(key="network_drawing")
    settings, result = st.columns([2, 3], gap="large")
    with settings:
        spec = _spec()
    table_place = result.container(key="network_table")
    table, error = spec.layers_that_fit()
    missing = error.layer if error else ""
    drawing.plotly_chart(
        diagrams.network_drawing(table, missing),
        config=NO_BUTTONS,
        key="drawing",
        alt="The network's layers from left to right: "
        + ", then ".join(f"{row.layer} {row.output_shape}" for row in table.itertuples())
        + (f". Layer {missing} does not fit." if missing else "."),
    )
    st.session_state["network_spec"] = spec.to_dict()
    if error:
        table_place.error(plain(error))
        with table_place:
            _layers(table)
        return
    with table_place:
        st.metric("Total parameters", f"{spec.parameters:,}")
        _layers(table)
        same = "This is the article's network. " if spec == ARTICLE else ""
        st.caption(
            same + "A convolution has (kernel² × input maps + 1) × filters parameters, a dense layer "
            "(input values + 1) × units. Most parameters are in the first dense layer, which takes the flattened maps. "
            "The page Train trains the network that is built here."
        )
    code_panel.show(training_script.network(spec))
    st.header("Why not dense layers alone?", divider="gray")
    dense_instead.show(spec)


def _layers(table: pd.DataFrame) -> None:
    shapes = [" × ".join(f"{size:,}" for size in shape) for shape in table["output_shape"]]
    st.dataframe(
        table.assign(output_shape=shapes),
        hide_index=True,
        height="content",
        column_order=("layer", "output_shape", "parameters", "receptive_field", "type"),
        column_config={
            "layer": "Layer",
            "output_shape": "Output shape",
            "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
            "receptive_field": st.column_config.NumberColumn(
                "Receptive field",
                format="%d px",
                help="The side of the square of input pixels that one value depends on.",
            ),
            "type": "Keras layer",
        },
        alt="Every layer with its output shape and its number of parameters",
    )


def _spec() -> NetworkSpec:
    """Draw the controls, whose values the address keeps, and return the network that they describe."""
    size = st.select_slider(
        "Input size",
        help="The picture is resized to this many pixels on each side before it enters the network.",
        **controls.INPUT_SIZE.steps,
    )
    count = st.slider("Blocks of convolution and pooling", **controls.BLOCKS.bound)
    blocks = []
    for number in range(1, count + 1):
        with st.container(border=True, key=f"block_{number}"):
            blocks.append(_block(number))
    dense = st.select_slider(
        "Dense units",
        help="The number of units in the hidden dense layer. With 0 there is no such layer.",
        **controls.DENSE_UNITS.steps,
    )
    return NetworkSpec(size, tuple(blocks), dense)


def _block(number: int) -> ConvBlock:
    st.markdown(f"**Block {number}**")
    left, right = st.columns(2, wrap=False)
    filters = left.selectbox(f"Filters {number}", **controls.BLOCK_FILTERS[number - 1].menu)
    kernel = right.selectbox(f"Kernel {number}", **controls.BLOCK_KERNEL[number - 1].menu)
    padding = left.selectbox(f"Padding {number}", **controls.BLOCK_PADDING[number - 1].menu)
    pool = right.selectbox(f"Max pooling {number}", **controls.BLOCK_POOL[number - 1].menu)
    return ConvBlock(filters, kernel, padding, "relu", pool)


@st.fragment
def _depth() -> None:
    st.markdown(
        "Is there a limit to the number of layers? Yes. A convolution without padding removes a border, and pooling "
        "divides the size that is left. At some depth the maps are smaller than the next kernel."
    )
    controls.warn(controls.DEPTH_SIZE, controls.DEPTH_KERNEL, controls.DEPTH_POOL, controls.DEPTH_PADDING)
    settings, chart = st.columns([2, 3], gap="large")
    with settings:
        size = st.slider("Picture", **controls.DEPTH_SIZE.bound)
        kernel = st.select_slider("Kernel", **controls.DEPTH_KERNEL.steps)
        pool = st.select_slider("Pooling", **controls.DEPTH_POOL.steps)
        padding = st.segmented_control("Padding", **controls.DEPTH_PADDING.buttons)
    with chart:
        most = max_depth(size, kernel, padding, pool)
        sizes = sizes_by_depth(size, kernel, padding, pool)
        if most is None:
            st.success("No limit: this block does not change the size, so any number of blocks can be stacked.")
        else:
            block = ConvBlock(64, kernel, padding, pool_size=pool)
            _, why = NetworkSpec(size, (block,) * len(sizes)).layers_that_fit()  # one block more than fit
            st.info(f"**{most} {'block' if most == 1 else 'blocks'}** at most. {why}")
        st.plotly_chart(
            diagrams.depth_chart(sizes),
            config=NO_BUTTONS,
            key="depth_chart",
            alt="The picture's side after each block: " + ", ".join(map(str, sizes)),
        )


@st.fragment
def _kernel_sizes() -> None:
    controls.warn(controls.COMPARED_MAPS)
    channels = st.select_slider("Maps in and out", **controls.COMPARED_MAPS.steps)
    table = compare_kernel_sizes(channels)
    share = table.set_index("layers")["share"]
    st.markdown(
        "Two 3×3 layers in a row see as much of the picture as one 5×5, three as much as one 7×7, with only "
        f"**{percent(share['two 3×3 in a row'], 0)}** and **{percent(share['three 3×3 in a row'], 0)}** of its "
        "parameters. Each of them is followed by a ReLU, so together they can recognize more complex patterns."
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "layers": "Layers",
            "receptive_field": st.column_config.NumberColumn(
                "Receptive field",
                format="%d px",
                help="The side of the square of input pixels that one value depends on.",
            ),
            "parameters": st.column_config.ProgressColumn(
                "Parameters", format="localized", min_value=0, max_value=int(table["parameters"].max())
            ),
            "share": None,
        },
        alt="One 3×3, 5×5 and 7×7 convolution against several 3×3 in a row: receptive field and parameters",
    )


@st.fragment
def _first_kernels() -> None:
    """Show the first layer's kernels before training, at random values, and after training."""
    st.markdown(
        "A network starts with **random** kernels. Nobody tells it what to look for. Training changes the kernels step "
        "by step until they respond to edges, spots and colors that help to tell cats from dogs. Neighboring weights "
        "then become similar. In random kernels they are unrelated."
    )
    controls.warn(controls.KERNELS_SEED)
    before, after = st.columns(2, gap="large")
    shape = (3, 3, 3, 64)
    with after:
        cards = {card.name: card for card in models.list_models()}
        if cards:
            name = st.selectbox(
                "Learned by", list(cards), format_func=lambda name: cards[name].title, key="kernels_of",
                persist_state="session",
            )  # fmt: skip
            try:
                after_training = learned.kernels(cards[name].path)
                shape = after_training.shape
                _kernels(after_training, "after training")
            except CnnLabError as error:
                st.error(plain(error))
        else:
            st.info("There is no trained model yet. Train one on the page Train to see its kernels here.")
    with before:
        seed = st.number_input("Random seed", **controls.KERNELS_SEED.bound)
        _kernels(random_kernels(shape[3], shape[0], seed=seed), "before training")
    st.caption(
        "Each kernel's three channels are shown as colors: gray is 0, brighter is positive, darker is negative. The "
        "kernels with the most similar neighboring weights come first."
    )


def _kernels(kernels: np.ndarray, when: str) -> None:
    order = neighbor_similarity(kernels)
    st.image(
        diagrams.kernel_images(kernels[..., np.argsort(-order)]), width="stretch", output_format="PNG",
        alt=f"The {kernels.shape[3]} kernels of the first layer {when}, as small color pictures",
    )  # fmt: skip
    left, right = st.columns(2, wrap=False)
    left.metric(
        "Neighbor similarity", f"{order.mean():.2f}".replace("-", "−"),
        help="How alike neighbors are, on average: 1 if all weights of a kernel are equal, about 0 in random kernels.",
    )  # fmt: skip
    right.metric("Largest weight", f"{np.abs(kernels).max():.3f}")


main()
