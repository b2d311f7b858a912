"""Lesson 4: the layers stacked into a network."""

import numpy as np
import pandas as pd
import streamlit as st

from cnn_core import CnnLabError, models
from cnn_core.figures import diagrams
from cnn_core.kernels import learned_kernels, neighbour_agreement, random_kernels
from cnn_core.network import ARTICLE, ConvBlock, NetworkSpec, compare_kernel_sizes, max_depth, sizes_by_depth
from cnn_core.scripts import training_script
from pages.widgets import code_panel

PLOT = {"displayModeBar": False}

# Streamlit keeps columns at least 128 pixels wide: two of them stick out of a block's frame.
_STYLE = "<style>[class*=st-key-block_] .stColumn {min-width: 0}</style>"
MOST_BLOCKS = 8
SIZES = (16, 28, 32, 48, 64, 96, 128, 160, 192, 224, 256)
DENSE = (0, 8, 16, 32, 64, 128, 256, 512)
PADDINGS = ("valid", "same")
FILTERS = (4, 8, 16, 32, 64, 128, 256)
KERNELS = {side: f"{side}×{side}" for side in (1, 3, 5, 7, 9)}
POOLS = {1: "none", 2: "2×2", 3: "3×3", 4: "4×4"}

OFFERED = {
    "size": SIZES,
    "blocks": range(MOST_BLOCKS + 1),
    "dense": DENSE,
    "filters": FILTERS,
    "kernel": KERNELS.values(),
    "padding": PADDINGS,
    "pool": POOLS.values(),
}
"""What the address may say of the network; of a block with its number, as in ?filters_1=32."""


def main() -> None:
    """Let people stack layers, and show at once what that costs and where it ends."""
    st.markdown(
        "A network is **convolution and pooling, again and again**: each block looks at the maps of the one before, so "
        "later blocks see larger and larger parts of the picture. Two **dense** layers then weigh everything into one "
        "answer: cat or dog."
    )
    _editor()
    st.header("How deep can it go?", divider="gray")
    _depth()
    st.header("Why 3×3?", divider="gray")
    _kernel_sizes()
    st.header("Before and after learning", divider="gray")
    _first_kernels()


@st.fragment
def _editor() -> None:
    """Show the network's drawing, its table and its code, next to the controls that change it."""
    if unread := _unread():
        st.warning(
            f"The address asks for {' and '.join(unread)}, which is not among the choices below. "
            "The usual value is shown in its place; choose another."
        )
    st.html(_STYLE)
    drawing = st.container(key="network_drawing")
    controls, result = st.columns([2, 3], gap="large")
    with controls:
        spec = _spec()
    table_place = result.container(key="network_table")
    table, error = spec.layers_that_fit()
    missing = error.layer if error else ""
    drawing.plotly_chart(
        diagrams.network_drawing(table, missing),
        config=PLOT,
        key="drawing",
        alt="The network's layers from left to right: "
        + ", then ".join(f"{row.layer} {row.output_shape}" for row in table.itertuples())
        + (f". Layer {missing} does not fit." if missing else "."),
    )
    st.session_state["network_spec"] = spec.to_dict()
    if error:
        table_place.error(str(error))
        with table_place:
            _layers(table)
        return
    with table_place:
        st.metric("Parameters in all", f"{spec.parameters:,}")
        _layers(table)
        same = "This is the article's network. " if spec == ARTICLE else ""
        st.caption(
            same + "A convolution has (kernel² × maps in + 1) × filters parameters, a dense layer "
            "(values in + 1) × units. Most parameters sit where flattened maps meet the first dense layer. "
            "The page Train trains the network that is set here."
        )
    code_panel.show(training_script.network(spec))


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
                "Sees", format="%d px", help="The receptive field: the side of the part of the picture that counts."
            ),
            "type": "Keras layer",
        },
        alt="Every layer with its output shape and its number of parameters",
    )


def _unread() -> list[str]:
    """Name what the address asks of the network and no control offers; Streamlit passes over it without a word."""
    unread = []
    for key, value in st.query_params.items():
        offered = OFFERED.get(key.rstrip("_0123456789"))
        if offered and value not in map(str, offered):
            unread.append(f"`{key}={value[:30]}`".replace("\n", " "))
    return unread


def _spec() -> NetworkSpec:
    """Draw the controls; the address keeps what they say."""
    size = st.select_slider(
        "Input size", SIZES, 128, key="size", bind="query-params",
        help="The picture is shrunk to so many pixels a side before it enters.",
    )  # fmt: skip
    count = st.slider("Blocks of convolution and pooling", 0, MOST_BLOCKS, 2, key="blocks", bind="query-params")
    blocks = []
    for number in range(1, count + 1):
        with st.container(border=True, key=f"block_{number}"):
            blocks.append(_block(number))
    dense = st.select_slider(
        "Dense units", DENSE, 64, key="dense", bind="query-params",
        help="Width of the hidden dense layer; 0 leaves it out.",
    )  # fmt: skip
    return NetworkSpec(size, tuple(blocks), dense)


def _block(number: int) -> ConvBlock:
    st.markdown(f"**Block {number}**")
    left, right = st.columns(2, wrap=False)
    filters = left.selectbox(
        f"Filters {number}", FILTERS, FILTERS.index(64), key=f"filters_{number}", bind="query-params"
    )
    kernel = right.selectbox(
        f"Kernel {number}", list(KERNELS), list(KERNELS).index(3), format_func=KERNELS.__getitem__,
        key=f"kernel_{number}", bind="query-params",
    )  # fmt: skip
    padding = left.selectbox(f"Padding {number}", PADDINGS, key=f"padding_{number}", bind="query-params")
    pool = right.selectbox(
        f"Max pooling {number}", list(POOLS), list(POOLS).index(2), format_func=POOLS.__getitem__,
        key=f"pool_{number}", bind="query-params",
    )  # fmt: skip
    return ConvBlock(filters, kernel, padding, "relu", pool)


@st.fragment
def _depth() -> None:
    st.markdown(
        "Is there a limit to the layers? Yes: a convolution without padding takes a border off the picture and pooling "
        "divides what is left, until there is no window left to slide over."
    )
    controls, chart = st.columns([2, 3], gap="large")
    with controls:
        size = st.slider("Picture", 4, 512, 128, key="depth_size", bind="query-params")
        kernel = st.select_slider(
            "Kernel", list(KERNELS), 3, KERNELS.__getitem__, key="depth_kernel", bind="query-params"
        )
        pool = st.select_slider("Pooling", list(POOLS), 2, POOLS.__getitem__, key="depth_pool", bind="query-params")
        padding = st.segmented_control(
            "Padding", PADDINGS, default="valid", required=True, key="depth_padding", bind="query-params"
        )
    with chart:
        most = max_depth(size, kernel, padding, pool)
        sizes = sizes_by_depth(size, kernel, padding, pool)
        if most is None:
            st.success("No limit: this block leaves the picture as large as it is, so any number can be stacked.")
        else:
            block = ConvBlock(64, kernel, padding, pool_size=pool)
            _, why = NetworkSpec(size, (block,) * len(sizes)).layers_that_fit()  # one block more than fit
            st.info(f"**{most} {'block' if most == 1 else 'blocks'}** at most. {why}")
        st.plotly_chart(
            diagrams.depth_chart(sizes),
            config=PLOT,
            key="depth_chart",
            alt="The picture's side after each block: " + ", ".join(map(str, sizes)),
        )


@st.fragment
def _kernel_sizes() -> None:
    channels = st.select_slider("Maps in and out", FILTERS, 64, key="compare_maps", bind="query-params")
    table = compare_kernel_sizes(channels)
    share = table.set_index("layers")["share"]
    st.markdown(
        "Two 3×3 layers in a row see as much of the picture as one 5×5, three as much as one 7×7, with only "
        f"**{share['two 3×3 in a row']:.0%}** and **{share['three 3×3 in a row']:.0%}** of its parameters. And there "
        "is a ReLU after each of them, so together they can tell more apart."
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "layers": "Layers",
            "receptive_field": st.column_config.NumberColumn(
                "Sees", format="%d px", help="The receptive field: the side of the part of the picture that counts."
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
    """Show the first layer's kernels as they are drawn by chance, and as a training left them."""
    st.markdown(
        "A network starts with **random** kernels, and nobody tells it what to look for. Training changes them step by "
        "step, and slowly order appears: the edges, spots and colours that help to tell cats from dogs. Weights that "
        "lie side by side then become alike; in noise they have nothing to do with each other."
    )
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
                learned = learned_kernels(cards[name].path)
                shape = learned.shape
                _kernels(learned, "after training")
            except CnnLabError as error:
                st.error(str(error))
        else:
            st.info("No trained model is here yet. Train one on the page Train, and its kernels appear here.")
    with before:
        seed = st.number_input("Random, from seed", 0, 9999, 42, key="kernels_seed", bind="query-params")
        _kernels(random_kernels(shape[3], shape[0], seed=seed), "before training")
    st.caption(
        "Each kernel's three channels are shown as colour: gray is 0, brighter is positive, darker negative. The most "
        "orderly kernels come first."
    )


def _kernels(kernels: np.ndarray, when: str) -> None:
    order = neighbour_agreement(kernels)
    st.image(
        diagrams.kernel_pictures(kernels[..., np.argsort(-order)]), width="stretch", output_format="PNG",
        alt=f"The {kernels.shape[3]} kernels of the first layer {when}, as small colour pictures",
    )  # fmt: skip
    left, right = st.columns(2, wrap=False)
    left.metric(
        "Neighbours alike", f"{order.mean():.2f}",
        help="1 if all weights of a kernel were the same, 0 in noise, on average over the kernels.",
    )  # fmt: skip
    right.metric("Largest weight", f"{np.abs(kernels).max():.3f}")


main()
