"""Lesson 4: the layers stacked into a network."""

import streamlit as st

from cnn_core import CnnLabError, diagrams, models, training_script
from cnn_core.kernels import learned_kernels, random_kernels
from cnn_core.network import ARTICLE, ConvBlock, NetworkSpec, compare_kernel_sizes, max_depth, sizes_by_depth
from pages.widgets import code_panel

PLOT = {"displayModeBar": False}
MOST_BLOCKS = 8
PADDINGS = ("valid", "same")
FILTERS = (4, 8, 16, 32, 64, 128, 256)
KERNELS = (1, 3, 5, 7, 9)
POOLS = (1, 2, 3, 4)


def main() -> None:
    """Let people stack layers, and show at once what that costs and where it ends."""
    st.title("Stack the layers")
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
    drawing = st.container(key="network_drawing")
    controls, result = st.columns([2, 3], gap="large")
    with controls:
        spec = _spec()
    table_place = result.container(key="network_table")
    try:
        table = spec.table()
    except CnnLabError as error:
        table_place.error(str(error))
        st.session_state.pop("network_spec", None)
        return
    st.session_state["network_spec"] = spec.to_dict()
    drawing.plotly_chart(
        diagrams.network_drawing(table),
        config=PLOT,
        key="drawing",
        alt="The network's layers from left to right: "
        + ", then ".join(f"{row.layer} {row.output_shape}" for row in table.itertuples()),
    )
    with table_place:
        st.metric("Parameters in all", f"{spec.parameters:,}")
        shown = table.assign(output_shape=[" × ".join(map(str, shape)) for shape in table["output_shape"]])
        st.dataframe(
            shown,
            hide_index=True,
            height="content",
            column_config={
                "layer": "Layer",
                "type": "Keras layer",
                "output_shape": "Output shape",
                "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
                "receptive_field": st.column_config.NumberColumn(
                    "Sees", format="%d px", help="The receptive field: the side of the part of the picture that counts."
                ),
            },
            alt="Every layer with its output shape and its number of parameters",
        )
        same = "This is the article's network. " if spec == ARTICLE else ""
        st.caption(
            same + "A convolution has (kernel² × maps in + 1) × filters parameters, a dense layer "
            "(values in + 1) × units. Most parameters sit where flattened maps meet the first dense layer. "
            "The page Train trains the network that is set here."
        )
    code_panel.show(training_script.network(spec))


def _spec() -> NetworkSpec:
    """Draw the controls; the address keeps what they say."""
    size = st.select_slider(
        "Input size", (16, 28, 32, 48, 64, 96, 128, 160, 192, 224, 256), 128, key="size", bind="query-params",
        help="The picture is shrunk to so many pixels a side before it enters.",
    )  # fmt: skip
    count = st.slider("Blocks of convolution and pooling", 0, MOST_BLOCKS, 2, key="blocks", bind="query-params")
    blocks = []
    for number in range(1, count + 1):
        with st.container(border=True, key=f"block_{number}"):
            blocks.append(_block(number))
    dense = st.select_slider(
        "Dense units", (0, 8, 16, 32, 64, 128, 256, 512), 64, key="dense", bind="query-params",
        help="Width of the hidden dense layer; 0 leaves it out.",
    )  # fmt: skip
    return NetworkSpec(size, tuple(blocks), dense)


def _block(number: int) -> ConvBlock:
    st.markdown(f"**Block {number}**")
    left, right = st.columns(2)
    filters = left.selectbox(
        f"Filters {number}", FILTERS, FILTERS.index(64), key=f"filters_{number}", bind="query-params"
    )
    kernel = right.selectbox(
        f"Kernel {number}", KERNELS, KERNELS.index(3), key=f"kernel_{number}", bind="query-params",
        format_func=lambda side: f"{side}×{side}",
    )  # fmt: skip
    padding = left.selectbox(f"Padding {number}", PADDINGS, key=f"padding_{number}", bind="query-params")
    pool = right.selectbox(
        f"Max pooling {number}", POOLS, POOLS.index(2), key=f"pool_{number}", bind="query-params",
        format_func=lambda side: f"{side}×{side}" if side > 1 else "none",
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
        kernel = st.select_slider("Kernel", KERNELS, 3, key="depth_kernel", bind="query-params")
        pool = st.select_slider("Pooling", POOLS, 2, key="depth_pool", bind="query-params")
        padding = st.segmented_control(
            "Padding", PADDINGS, default="valid", required=True, key="depth_padding", bind="query-params"
        )
    with chart:
        most = max_depth(size, kernel, padding, pool)
        sizes = sizes_by_depth(size, kernel, padding, pool)
        if most is None:
            st.success("No limit: this block leaves the picture as large as it is, so any number can be stacked.")
        else:
            st.info(
                f"**{most} blocks** at most. After them {sizes[-1]}×{sizes[-1]} pixels are left: too few for another "
                f"{kernel}×{kernel} kernel{f' and {pool}×{pool} window' if pool > 1 else ''}."
            )
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
    by_name = table.set_index("layers")["parameters"]
    saved = 1 - by_name["three 3×3 in a row"] / by_name["one 7×7"]
    st.markdown(
        "Two 3×3 layers in a row see as much of the picture as one 5×5, three as much as one 7×7: with fewer "
        f"parameters (three 3×3 save **{saved:.0%}** of a 7×7's), and with a ReLU after each, so they can tell more "
        "apart."
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "layers": "Layers",
            "receptive_field": st.column_config.NumberColumn("Receptive field", format="%d px a side"),
            "parameters": st.column_config.ProgressColumn(
                "Parameters", format="localized", min_value=0, max_value=int(table["parameters"].max())
            ),
        },
        alt="One 3×3, 5×5 and 7×7 convolution against several 3×3 in a row: receptive field and parameters",
    )


@st.fragment
def _first_kernels() -> None:
    st.markdown(
        "A network starts with **random** kernels, and nobody tells it what to look for. Training turns the first "
        "layer's into detectors of edges, spots and colours, because those helped to tell cats from dogs."
    )
    before, after = st.columns(2, gap="large")
    cards = [card for card in models.list_models() if card.kind != "uploaded"]
    with after:
        if not cards:
            st.info("No trained model is here yet. Train one on the page Train, and its kernels appear here.")
            return
        names = [card.name for card in cards]
        titles = {card.name: card.title for card in cards}
        name = st.selectbox("Learned by", names, format_func=titles.__getitem__, key="kernels_of")
        try:
            learned = learned_kernels(next(card.path for card in cards if card.name == name))
        except CnnLabError as error:
            st.error(str(error))
            return
        st.image(
            diagrams.kernel_pictures(learned), width="stretch", output_format="PNG",
            alt=f"The {learned.shape[3]} kernels of the first layer after training, as small colour pictures",
        )  # fmt: skip
    with before:
        seed = st.number_input("Random, from seed", 0, 9999, 42, key="kernels_seed", bind="query-params")
        start = random_kernels(learned.shape[3], learned.shape[0], seed=seed)
        st.image(
            diagrams.kernel_pictures(start), width="stretch", output_format="PNG",
            alt=f"{start.shape[3]} random kernels, as small colour pictures of noise",
        )  # fmt: skip
    st.caption("Each kernel's three channels are shown as colour: gray is 0, brighter is positive, darker negative.")


main()
