"""The Convolution page without the kernel lab: ordinary controls and pictures, for browsers that refuse the lab."""

from typing import Any

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.convolution import conv2d, step
from cnn_core.figures.colors import as_photo, signed_photo, zero_centered
from cnn_core.kernels import KERNELS
from cnn_core.pixels import CHANNELS, mark, tint_channel
from cnn_core.wording import number, plain
from pages.widgets import controls, number_grid
from pages.widgets.convolution import bench
from pages.widgets.screen_image import jpeg
from pages.widgets.tied import tied

_PRESET = "kernel_preset"

# Streamlit keeps columns at least 128 pixels wide, of which a number input's buttons take most: the third column of
# cells would be out of sight. Arrow keys still step.
_STYLE = """<style>
.st-key-kernel_grid .stColumn {min-width: 0}
.st-key-kernel_grid .stNumberInput button {display: none}
.st-key-kernel_grid input {text-align: center}
</style>"""


def show(image: np.ndarray, name: str) -> None:
    """Show controls, picture, map, and the arithmetic of one stop."""
    st.html(_STYLE)
    left, right = st.columns([2, 5], gap="medium")
    before, after = right.columns(2, gap="small", wrap=False)
    with left:
        _kernel()
    _options()
    with after.container(key="convolution_output"):
        feature_map = _map(image, name)
    channel = bench.current()["channel"]
    if feature_map is None:
        before.image(jpeg(_shown(image, channel)), width="stretch", alt=name)
        return
    top, left_edge, side = _step(image, feature_map)
    with before:
        st.image(
            jpeg(mark(_shown(image, channel), top, left_edge, side)),
            width="stretch",
            alt=f"{name}, {_words(channel)}; a frame marks the window at row {top}, column {left_edge}",
        )
        st.caption(f"{plain(name)}, {_words(channel)}; framed: the window of the step below")


def _kernel() -> None:
    """Draw presets, size and cells."""
    tables = bench.current()["kernel"]
    side = tables.shape[1]
    st.session_state[_PRESET] = bench.preset(tables)
    name = st.selectbox(
        "Preset kernel",
        list(KERNELS),
        index=None,
        placeholder="Your own kernel",
        format_func=lambda name: KERNELS[name].title,
        key=_PRESET,
        on_change=_use_preset,
    )
    st.session_state["kernel_side"] = side
    st.segmented_control(
        "Kernel size", bench.SIDES, format_func=lambda side: f"{side}×{side}", key="kernel_side", required=True,
        on_change=_resize,
    )  # fmt: skip
    with st.container(key="kernel_grid", gap="xsmall"):
        for table in range(len(tables)):
            if len(tables) > 1:
                st.caption(CHANNELS[table].capitalize())
            for row in range(side):
                for column, place in enumerate(st.columns(side, gap="xsmall", wrap=False)):
                    place.number_input(**_cell(tables, table, row, column))
    if name:
        st.caption(KERNELS[name].finds)


def _cell(tables: np.ndarray, table: int, row: int, column: int) -> dict[str, Any]:
    key = f"kernel_{table}_row_{row + 1}_column_{column + 1}"
    value = float(tables[table, row, column])
    st.session_state[key] = None if np.isnan(value) else value
    label = f"Kernel row {row + 1} column {column + 1}" + (f", {CHANNELS[table]}" if len(tables) > 1 else "")
    return {
        "label": label, "value": None, "step": 1.0, "format": "%.5g", "key": key, "label_visibility": "collapsed",
        "on_change": _edit, "args": (key, table, row, column),
    }  # fmt: skip


def _edit(key: str, table: int, row: int, column: int) -> None:
    kernel = bench.current()["kernel"].copy()
    value = st.session_state[key]
    kernel[table, row, column] = np.nan if value is None else value
    bench.change(kernel=kernel)


def _use_preset() -> None:
    if name := st.session_state[_PRESET]:
        count = len(bench.current()["kernel"])
        bench.change(kernel=np.repeat(KERNELS[name].values[np.newaxis].astype(np.float64), count, axis=0))


def _resize() -> None:
    """Put zeros around the kernel, or keep its middle."""
    tables, side = bench.current()["kernel"], st.session_state["kernel_side"]
    more = max((side - tables.shape[1]) // 2, 0)
    less = max((tables.shape[1] - side) // 2, 0)
    wide = np.pad(tables, ((0, 0), (more, more), (more, more)))
    bench.change(kernel=wide[:, less : less + side, less : less + side])


def _options() -> None:
    """Draw the controls beside the kernel."""
    stride_place, padding_place, bias_place, relu_place = st.columns(4, vertical_alignment="center")
    channel_place, view_place = st.columns(2)
    stride_place.slider("Stride", **_option("stride", controls.STRIDE.bound))
    padding_place.segmented_control("Padding", **_option("padding", controls.PADDING.buttons))
    bias_place.number_input("Bias", format="%.5g", **_option("bias", controls.BIAS.bound))
    relu_place.toggle("ReLU: no value below 0", **_option("relu", controls.RELU.bound))
    channel_place.segmented_control("Convolve", **_option("channel", controls.CHANNEL.buttons))
    view_place.segmented_control("Colors of the map", **_option("view", controls.VIEW.buttons))


def _option(name: str, widget: dict[str, Any]) -> dict[str, Any]:
    return tied(widget, bench.current()[name], lambda value: bench.change(**{name: value}))


def _map(image: np.ndarray, name: str) -> np.ndarray | None:
    """Show the feature map, or the reason why there is none."""
    try:
        source, kernel, options = bench.arguments(image)
        feature_map = conv2d(source, kernel, **options)
    except CnnLabError as error:
        st.error(plain(error))
        return None
    view = bench.current()["view"]
    low, high = number(feature_map.min()), number(feature_map.max())
    alt, caption = f"Feature map of {name}, values from {low} to {high}", f"Feature map, values from {low} to {high}"
    if view == "photo":
        st.image(jpeg(as_photo(feature_map)), width="stretch", alt=f"{alt}, clipped to 0–255 and shown as a photo")
        st.caption(f"{caption}; below 0 is black, above 255 white")
        return feature_map
    colors, limit = zero_centered(feature_map)
    if view == "absolute":
        st.image(
            jpeg(as_photo(np.abs(feature_map) * (255 / limit))), width="stretch", alt=f"{alt}; bright is far from 0"
        )
        st.caption(f"{caption}; black is 0, white is {number(limit)} or more, below or above 0")
    elif feature_map.ndim == 3:
        st.image(jpeg(signed_photo(feature_map, limit)), width="stretch", alt=f"{alt}, middle gray at zero")
        st.caption(f"{caption}; middle gray is 0 in every channel")
    else:
        st.image(jpeg(colors), width="stretch", alt=f"{alt}, blue below zero, white at zero, red above")
        st.html(number_grid.scale(limit, caption))
    return feature_map


def _step(image: np.ndarray, feature_map: np.ndarray) -> tuple[int, int, int]:
    """Show the arithmetic of one stop. Return where its window begins, and its side."""
    st.header("One step, number by number")
    row_place, column_place, next_place = st.columns([3, 3, 2], vertical_alignment="bottom")
    shape = feature_map.shape
    strongest = np.unravel_index(np.argmax(np.abs(feature_map)), shape)[:2]
    row = _position(row_place, "Row of the map", "row", controls.STEP_ROW, shape[0], int(strongest[0]))
    column = _position(column_place, "Column of the map", "column", controls.STEP_COLUMN, shape[1], int(strongest[1]))
    next_place.button(
        "Next step", icon=":material/arrow_forward:", width="stretch", on_click=_next, args=(row, column, shape)
    )
    settings = bench.current()
    source, kernel, options = bench.arguments(image)
    one = step(source, kernel, row, column, **options)
    channels = list(CHANNELS) if source.ndim == 3 else [settings["channel"]]
    st.html(number_grid.arithmetic(one, channels, source.shape, settings["bias"], settings["relu"]))
    st.caption(
        f"Row {row}, column {column} of the map. The window begins at row {one.top}, column {one.left} of the picture"
        + (" (below 0: in the padding)." if min(one.top, one.left) < 0 else ".")
    )
    return one.top, one.left, kernel.shape[0]


def _position(place: Any, label: str, name: str, control: controls.Number, count: int, usual: int) -> int:
    """Ask for a row or column of the map, which may have become smaller since the last answer."""
    if count == 1:
        return 0
    asked = bench.current()[name]
    st.session_state[control.name] = min(usual if asked is None else asked, count - 1)
    return place.slider(
        label, 0, count - 1, key=control.name,
        on_change=lambda: bench.change(**{name: st.session_state[control.name]}),
    )  # fmt: skip


def _next(row: int, column: int, shape: tuple[int, ...]) -> None:
    """Move on by one stop: to the right, at the end of a row to the next, at the very end back to the start."""
    place = (row * shape[1] + column + 1) % (shape[0] * shape[1])
    bench.change(row=place // shape[1], column=place % shape[1])


def _shown(image: np.ndarray, channel: str) -> np.ndarray:
    """Return what is convolved as a picture to look at."""
    shown = bench.part(image, channel)
    if channel == "gray":
        return np.repeat(shown[..., None], 3, axis=2)
    return shown if shown.ndim == 3 else tint_channel(shown, channel)


def _words(channel: str) -> str:
    words = {"gray": "in gray", "all": "all three channels", "each": "each channel"}
    return words.get(channel, f"its {channel} channel")
