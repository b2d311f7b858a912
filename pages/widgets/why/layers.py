"""Layer by layer: choose a layer, see its most active feature maps and the kernel of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnn_core import CnnLabError, wording
from cnn_core.dataset import LABELS
from cnn_core.figures.colors import MARK
from cnn_core.wording import plain
from pages.widgets import address, controls, in_vain, number_grid, screen_image, warmup
from pages.widgets.why import thread
from pages.widgets.why.case import Case

if TYPE_CHECKING:
    from cnn_core.walk import Kernel, Stop, Strongest

LARGE, SMALL = 512, 112
"""The side of an enlarged map and of a small one, in pixels."""

MAX_SLICES = 6
"""Only the slices of a kernel with the largest values are shown."""

_LAYER, _TABLE = controls.LAYER.name, "walk_table"

WORDS = {
    "Rescaling": "Scales the pixel values, 0 to 255, to the range that the network was trained with.",
    "Conv2D": "Slides each kernel over all maps of the layer before. Each kernel gives one map.",
    "DepthwiseConv2D": "Slides each kernel over one map only.",
    "SeparableConv2D": "Slides one kernel over each map, then mixes the results.",
    "MaxPooling2D": "Keeps the largest value of each window. The maps get smaller.",
    "AveragePooling2D": "Keeps the mean of each window. The maps get smaller.",
    "GlobalAveragePooling2D": "Replaces each map by its mean. Where something was found no longer matters.",
    "GlobalMaxPooling2D": "Replaces each map by its largest value. Where something was found no longer matters.",
    "ReLU": "Replaces negative values by zero.",
    "Activation": "Applies the same function to every value.",
    "BatchNormalization": "Shifts and scales each map to a range that suits the next layer.",
    "Add": "Adds the maps of two layers, so that earlier features are kept.",
    "Flatten": "Writes all values of all maps into one long list.",
    "Dense": "Each number is a weighted sum of all numbers of the layer before.",
    "Dropout": "Does nothing here: it is only active during training.",
}


@st.fragment
def show(case: Case) -> None:
    """Ask for the layer; show its output for the photo, how one of its numbers is made, and a table of all layers."""
    from cnn_core.thread import starts

    try:
        warmup.wait("Loading TensorFlow to look into the network")
        with st.spinner("Computing every layer…"):
            stops = case.walk()
        stop = _choose(stops)
        found = case.strongest(stop.name)
    except CnnLabError as error:
        st.error(plain(error))
        return
    chosen = 0
    if len(stop.shape) == 3:
        chosen = _maps(found, stop)
    else:
        _numbers(found, stop)
    if starts(stop.kind):
        thread.show(case, found, chosen)
    _table(stops)


def _choose(stops: list[Stop]) -> Stop:
    names = [stop.name for stop in stops]
    first = next((stop.name for stop in stops if "Conv2D" in stop.kind), names[0])
    address.read(_LAYER, names, first)
    at = names.index(st.session_state[_LAYER])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Previous layer",
            icon=":material/arrow_back:",
            disabled=at == 0,
            on_click=_go,
            args=(names[max(at - 1, 0)],),
        )
        st.selectbox(
            "Layer", names, key=_LAYER, on_change=in_vain.forget,
            format_func=lambda name: _title(stops[names.index(name)], names.index(name) + 1),
        )  # fmt: skip
        st.button(
            "Next layer", icon=":material/arrow_forward:", disabled=at == len(names) - 1, on_click=_go,
            args=(names[min(at + 1, len(names) - 1)],),
        )  # fmt: skip
    address.write(_LAYER, names[at], first)
    stop = stops[at]
    st.markdown(
        f"**Layer {at + 1} of {len(stops)}, {stop.kind}.** {WORDS.get(stop.kind, '')} Output: "
        f"**{_shape(stop.shape)}**. Parameters: {stop.parameters:,}. Time: {stop.milliseconds:.1f} ms."
    )
    return stop


def _title(stop: Stop, number: int) -> str:
    return f"{number} · {stop.name} · {_shape(stop.shape)}"


def _shape(shape: tuple[int, ...]) -> str:
    if len(shape) == 3:
        return f"{shape[2]:,} maps of {shape[0]} × {shape[1]}"
    return f"{int(np.prod(shape)):,} numbers"


def _go(name: str) -> None:
    in_vain.forget()
    st.session_state[_LAYER] = name


def _maps(found: Strongest, stop: Stop) -> int:
    """Show the most active maps, one of them enlarged, and its kernel. Return which of them."""
    from cnn_core.figures.colors import zero_centered

    colors, limit = zero_centered(found.values, float(np.abs(found.values).max()) or 1.0)
    st.markdown(f"### The {len(found.numbers)} most active of {found.total} feature maps")
    with st.container(key="walk_maps"):
        st.html(_thumbnails(colors))
        place = st.pills(
            "Choose a map to enlarge it", range(len(found.numbers)), default=0, required=True,
            format_func=lambda place: f"Map {found.numbers[place] + 1}", key=f"walk_map_{stop.name}",
        )  # fmt: skip
    kernel = found.kernels[place]
    large, words = st.columns(2, gap="medium")
    with large:
        title = f"Map {found.numbers[place] + 1} of {stop.name}"
        st.image(
            screen_image.enlarged(colors[place], LARGE), width="stretch", alt=f"{title}, enlarged", caption=plain(title)
        )
        low, high = wording.number(found.values[place].min()), wording.number(found.values[place].max())
        st.html(
            number_grid.scale(
                limit,
                f"All of these maps share one color scale. This map: {low} to {high}. Activity (mean absolute value): "
                f"{wording.number(found.activity[place])}.",
            )
        )
    with words.container(key="walk_kernel"):
        if kernel is None:
            st.markdown("### No single kernel")
            st.markdown(f"{stop.kind} computes this map without a kernel, or from several kernels.")
        else:
            _kernel(kernel, found.numbers[place], stop)
    return place


def _kernel(kernel: Kernel, number: int, stop: Stop) -> None:
    height, width, channels = kernel.values.shape
    st.markdown(f"### Its kernel: {height} × {width} × {channels}")
    if kernel.layer != stop.name:
        st.markdown(f"The kernel belongs to **{plain(kernel.layer)}**. This is its map {number + 1} after {stop.kind}.")
    order = np.argsort(-np.abs(kernel.values).sum(axis=(0, 1)), kind="stable")[:MAX_SLICES]
    if channels == 3:
        order, captions = np.arange(3), ["on red", "on green", "on blue"]
    else:
        captions = [f"on map {kernel.channels[at] + 1}" for at in order]
    st.html(number_grid.kernel(kernel.values[..., order], captions))
    if channels > len(order):
        st.caption(
            f"The kernel has {channels} slices, one for each input map. These {len(order)} have the largest values."
        )
    st.caption(
        f"From {kernel.kind} “{plain(kernel.layer)}”: stride {kernel.stride[0]}, padding “{kernel.padding}”, bias "
        f"{wording.number(kernel.bias)}, activation {kernel.activation}."
    )


def _numbers(found: Strongest, stop: Stop) -> None:
    from cnn_core.figures.pixel_charts import number_bars

    labels = LABELS if found.total == len(LABELS) else [f"number {at + 1}" for at in range(found.total)]
    st.markdown(f"### The {len(found.numbers)} largest of {found.total:,} numbers")
    figure = number_bars([labels[at] for at in found.numbers], found.values.tolist(), 60 + 28 * len(found.numbers))
    st.plotly_chart(figure, key="walk_numbers", alt=f"Bars: the largest numbers of {stop.name}")


def _table(stops: list[Stop]) -> None:
    st.markdown("### All layers")
    slowest = max(stop.milliseconds for stop in stops)
    # The row of the layer on screen is marked, and no cell: so a click on any cell is a new choice.
    marked = [at for at, stop in enumerate(stops) if stop.name == st.session_state[_LAYER]]
    st.session_state[_TABLE] = {"selection": {"rows": marked, "columns": [], "cells": []}}
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
        hide_index=True, key=_TABLE, selection_mode=["single-row", "single-cell"],
        height=min(36 * len(stops) + 40, 420), on_select=lambda: _from_table([stop.name for stop in stops]),
        alt="A row for each layer: its kind, output shape, parameters and time",
    )  # fmt: skip
    st.caption(
        "Click a row to go to that layer. Time: the median of three calls of this layer alone, on this server. The "
        "whole network, compiled, is faster than the sum."
    )


def _from_table(names: list[str]) -> None:
    selection = st.session_state[_TABLE]["selection"]
    marked = names.index(st.session_state[_LAYER])
    chosen = [row for row, _ in selection["cells"]] or [row for row in selection["rows"] if row != marked]
    if chosen:
        _go(names[chosen[0]])


def _thumbnails(colors: np.ndarray) -> str:
    """Return the style that draws each map on its button, above the button's text."""
    button = ".st-key-walk_maps [role=radio]"
    rules = [
        f"{button} {{width: 5.5rem; height: 7rem; padding: 0 0 .15rem; align-items: flex-end; border-radius: .4rem;"
        " background: no-repeat top/5.5rem 5.5rem; image-rendering: pixelated}",
        f"{button} p {{font-size: .75rem}}",
        f"{button}[aria-checked=true] {{outline: 3px solid {MARK}; outline-offset: 1px}}",
    ]
    for place, one in enumerate(colors, 1):
        data = screen_image.exact(one, SMALL)
        rules.append(f"{button}:nth-of-type({place}) {{background-image: url(data:image/webp;base64,{data})}}")
    return f"<style>{' '.join(rules)}</style>"
