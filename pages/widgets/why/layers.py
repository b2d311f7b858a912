"""A walk through the network: choose a layer, see its most active maps, and the kernel behind one of them."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS
from pages.widgets import address, number_grid
from pages.widgets.why import asked

if TYPE_CHECKING:
    from cnn_core.walk import Kernel, Stop, Strongest
    from pages.widgets.why.tabs import Case

_LAYER, _TABLE = "walk_layer", "walk_table"
LARGE, SMALL = 512, 112  # pixels a side
SLICES = 6  # of a kernel that looks at many maps, those with the largest numbers

WORDS = {
    "Rescaling": "Brings the pixels' values, 0 to 255, to the range that the network has learned with.",
    "Conv2D": "Each map is one kernel, slid over all maps of the layer before.",
    "DepthwiseConv2D": "Each kernel is slid over one map only, so every map is looked at by itself.",
    "SeparableConv2D": "A kernel for each map by itself, then a mixture of their answers.",
    "MaxPooling2D": "Keeps the largest value of each window: the maps shrink, what was found stays.",
    "AveragePooling2D": "Keeps the mean of each window: the maps shrink.",
    "GlobalAveragePooling2D": "Takes the mean of each map: how much of it is there, no matter where.",
    "GlobalMaxPooling2D": "Takes the largest value of each map: whether it is there, no matter where.",
    "ReLU": "Replaces negative values by zero.",
    "Activation": "Sends every value through the same function.",
    "BatchNormalization": "Shifts and scales each map to a range that suits the next layer.",
    "Add": "Adds the maps of two layers, so that what was known before is not lost.",
    "Flatten": "Writes all numbers of all maps into one long row.",
    "Dense": "Each number is a weighted sum of all numbers of the layer before.",
    "Dropout": "Rests: it only does something during training.",
}


@st.fragment
def show(case: Case) -> None:
    """Ask for the layer; show what it makes of the photo, and all layers as a table."""
    try:
        with st.spinner("Walking through the network…"):
            stops = asked.walk(case.card.name, case.stamp, case.image)
        stop = _choose(stops)
        found = asked.strongest(case.card.name, case.stamp, case.image, stop.name)
    except CnnLabError as error:
        st.error(str(error))
        return
    if len(stop.shape) == 3:
        _maps(found, stop)
    else:
        _numbers(found, stop)
    _table(stops)


def _choose(stops: list[Stop]) -> Stop:
    names = [stop.name for stop in stops]
    first = next((stop.name for stop in stops if "Conv2D" in stop.kind), names[0])
    address.read(_LAYER, names)
    st.session_state.setdefault(_LAYER, first)
    at = names.index(st.session_state[_LAYER])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Layer before", icon=":material/arrow_back:", disabled=at == 0, on_click=_go, args=(names[max(at - 1, 0)],)
        )
        st.selectbox(
            "Layer", names, key=_LAYER, format_func=lambda name: _title(stops[names.index(name)], names.index(name) + 1)
        )
        st.button(
            "Next layer", icon=":material/arrow_forward:", disabled=at == len(names) - 1, on_click=_go,
            args=(names[min(at + 1, len(names) - 1)],),
        )  # fmt: skip
    address.write(_LAYER, names[at], first)
    stop = stops[at]
    learned = f"by {stop.parameters:,} learned numbers" if stop.parameters else "without learned numbers"
    st.markdown(
        f"**Layer {at + 1} of {len(stops)}, {stop.kind}.** {WORDS.get(stop.kind, '')} Out come **{_shape(stop.shape)}**"
        f", {learned}, in {stop.milliseconds:.1f} ms."
    )
    return stop


def _title(stop: Stop, number: int) -> str:
    return f"{number} · {stop.name} · {_shape(stop.shape)}"


def _shape(shape: tuple[int, ...]) -> str:
    if len(shape) == 3:
        return f"{shape[2]:,} maps of {shape[0]} × {shape[1]}"
    return f"{int(np.prod(shape)):,} numbers"


def _go(name: str) -> None:
    st.session_state[_LAYER] = name


def _maps(found: Strongest, stop: Stop) -> None:
    from cnn_core.figures.colors import zero_centered

    colours, limit = zero_centered(found.values, float(np.abs(found.values).max()) or 1.0)
    st.markdown(f"##### The {len(found.numbers)} most active of {found.total} maps, the most active first")
    with st.container(key="walk_maps"):
        st.html(_thumbnails(colours))
        place = st.pills(
            "Choose a map to enlarge it", range(len(found.numbers)), default=0, required=True,
            format_func=lambda place: f"Map {found.numbers[place] + 1}", key=f"walk_map_{stop.name}",
        )  # fmt: skip
    kernel = found.kernels[place]
    large, words = st.columns(2, gap="medium")
    with large:
        title = f"Map {found.numbers[place] + 1} of {stop.name}"
        st.image(_enlarged(colours[place]), width="stretch", alt=f"{title}, enlarged", caption=title)
        low, high = number_grid.number(found.values[place].min()), number_grid.number(found.values[place].max())
        st.html(
            number_grid.scale(
                limit,
                f"All of these maps on one scale. This one: from {low} to {high}; "
                f"the mean size of its values, its activity, is {number_grid.number(found.activity[place])}.",
            )
        )
    with words.container(key="walk_kernel"):
        if kernel is None:
            st.markdown("##### No kernel of its own")
            st.markdown(f"{stop.kind} makes this map without a kernel that belongs to it alone.")
        else:
            _kernel(kernel, found.numbers[place], stop)


def _kernel(kernel: Kernel, number: int, stop: Stop) -> None:
    height, width, channels = kernel.values.shape
    st.markdown(f"##### The kernel that made it: {height} × {width} × {channels}")
    if kernel.layer != stop.name:
        st.markdown(f"It is map {number + 1} of **{kernel.layer}**, which {stop.kind} passed on.")
    order = np.argsort(-np.abs(kernel.values).sum(axis=(0, 1)), kind="stable")[:SLICES]
    if channels == 3:
        order, captions = np.arange(3), ["on red", "on green", "on blue"]
    else:
        captions = [f"on map {kernel.channels[at] + 1}" for at in order]
    st.html(number_grid.kernel(kernel.values[..., order], captions))
    if channels > len(order):
        st.caption(f"The {len(order)} of its {channels} tables that weigh most; it has one for each map before.")
    st.caption(
        f"From {kernel.kind} “{kernel.layer}”: stride {kernel.stride[0]}, padding “{kernel.padding}”, bias "
        f"{number_grid.number(kernel.bias)}, activation {kernel.activation}."
    )


def _numbers(found: Strongest, stop: Stop) -> None:
    from cnn_core.figures.pixel_charts import number_bars

    labels = LABELS if found.total == len(LABELS) else [f"number {at + 1}" for at in range(found.total)]
    st.markdown(f"##### The {len(found.numbers)} largest of {found.total:,} numbers, the largest first")
    figure = number_bars([labels[at] for at in found.numbers], found.values.tolist(), 60 + 28 * len(found.numbers))
    st.plotly_chart(figure, key="walk_numbers", alt=f"Bars: the largest numbers of {stop.name}")


def _table(stops: list[Stop]) -> None:
    st.markdown("##### All layers")
    slowest = max(stop.milliseconds for stop in stops)
    st.dataframe(
        [
            {"layer": f"{at} · {stop.name}", "kind": stop.kind, "output": " × ".join(map(str, stop.shape)),
             "parameters": stop.parameters, "time": stop.milliseconds}
            for at, stop in enumerate(stops, 1)
        ],
        column_config={
            "layer": "Layer", "kind": "Kind", "output": "Output",
            "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
            "time": st.column_config.ProgressColumn("Time", format="%.1f ms", min_value=0, max_value=slowest),
        },
        hide_index=True, key=_TABLE, selection_mode="single-row", height=min(36 * len(stops) + 40, 420),
        on_select=lambda: _from_table([stop.name for stop in stops]),
        alt="A row for each layer: its kind, output shape, parameters and time",
    )  # fmt: skip
    st.caption(
        "Choose a row to go to that layer. Time: each layer called on its own for this photo, on this server; the "
        "median of three, after one call that does not count. The network as a whole, compiled, is faster than their "
        "sum."
    )


def _from_table(names: list[str]) -> None:
    rows = st.session_state[_TABLE]["selection"]["rows"]
    if rows:
        st.session_state[_LAYER] = names[rows[0]]


def _enlarged(colours: np.ndarray) -> np.ndarray:
    """Return a map large enough to see each of its numbers as a square."""
    times = max(1, LARGE // max(colours.shape[:2]))
    return np.repeat(np.repeat(colours, times, axis=0), times, axis=1)


def _thumbnails(colours: np.ndarray) -> str:
    """Return the style that draws each map on its button; the button's text stays for everyone."""
    button = ".st-key-walk_maps [role=radio]"
    rules = [
        f"{button} {{width: 5.5rem; height: 7rem; padding: 0 0 .15rem; align-items: flex-end; border-radius: .4rem;"
        " background: no-repeat top/5.5rem 5.5rem; image-rendering: pixelated}",
        f"{button} p {{font-size: .75rem}}",
        f"{button}[aria-checked=true] {{outline: 3px solid #D55E00; outline-offset: 1px}}",
    ]
    for place, one in enumerate(colours, 1):
        file = io.BytesIO()
        small = Image.fromarray(one)
        if max(small.size) > SMALL:
            small.thumbnail((SMALL, SMALL))
        small.save(file, "PNG")
        data = base64.b64encode(file.getvalue()).decode()
        rules.append(f"{button}:nth-of-type({place}) {{background-image: url(data:image/png;base64,{data})}}")
    return f"<style>{' '.join(rules)}</style>"
