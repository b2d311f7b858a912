"""Lesson 2: a kernel slides over the picture, and the numbers it gives are the feature map."""

import io
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from cnn_core import CnnLabError
from cnn_core.convolution import conv2d, output_size, step
from cnn_core.figures.colors import as_photo, zero_centered
from cnn_core.pixels import CHANNELS, mark, split_channels, tint_channel, to_grayscale
from cnn_core.scripts import lessons
from cnn_core.wording import number
from pages.widgets import code_panel, controls, number_grid, picture
from pages.widgets.convolution import kernel_editor

LONGEST = 512  # pixels a side; the picture is shrunk to it, so that every edit shows its result at once
KERNEL_SIZE = 3
OPTIONS: dict[str, controls.Control] = {
    "stride": controls.STRIDE,
    "padding": controls.PADDING,
    "bias": controls.BIAS,
    "relu": controls.RELU,
    "channel": controls.CHANNEL,
    "view": controls.VIEW,
}
_MARKED = "conv_marked"


def main() -> None:
    """Explain the idea, then draw the part that answers every edit."""
    st.markdown(
        "A **kernel**, a small table of numbers, slides over the picture. At each stop its numbers are multiplied by "
        "the pixels under them and the products are added up: that is one number of the **feature map**."
    )
    kernel_editor.read_address()
    _lesson(*picture.current(LONGEST))


@st.fragment
def _lesson(image: np.ndarray, name: str) -> None:
    """Show controls, picture and map. Only this part runs again when one of its controls changes."""
    left, right = st.columns([2, 5], gap="medium")
    before, after = right.columns(2, gap="small", wrap=False)
    output = after.container(key="convolution_output").empty()

    # After an edit the session knows all settings: the map goes to the browser before the controls, which take longer.
    known = _known_settings()
    feature_map = _map(image, name, known, output) if known else None
    with left:
        kernel = kernel_editor.edit()
    settings = {"kernel": kernel.tolist()} | _options()
    if repr(settings) != repr(known):  # a first visit, or an address that says otherwise
        feature_map = _map(image, name, settings, output)

    channel = settings["channel"]
    if feature_map is None:
        before.image(_jpeg(_shown(image, channel)), width="stretch", alt=name)
        return
    kernel_editor.write_address(kernel)
    _sizes(image.shape, feature_map.shape, settings)
    top, left_edge = _step(image, feature_map.shape, settings)
    with before:
        st.image(
            _marked(image, channel, top, left_edge),
            width="stretch",
            alt=f"{name}, {_words(channel)}; a frame marks the window at row {top}, column {left_edge}",
        )
        st.caption(f"{name}, {_words(channel)}; framed: the window of the step below")
    code_panel.show(
        lessons.convolution(
            settings["kernel"],
            stride=settings["stride"],
            padding=settings["padding"],
            bias=settings["bias"],
            relu=settings["relu"],
            channel=channel,
        )
    )


def _known_settings() -> dict[str, Any] | None:
    """Return the settings as the session has them; None on a first visit."""
    kernel = kernel_editor.known()
    if kernel is None or any(control.name not in st.session_state for control in OPTIONS.values()):
        return None
    return {"kernel": kernel.tolist()} | {name: st.session_state[control.name] for name, control in OPTIONS.items()}


def _options() -> dict[str, Any]:
    """Draw the controls beside the kernel. Return their values."""
    stride_place, padding_place, bias_place, relu_place = st.columns(4, vertical_alignment="center")
    channel_place, view_place = st.columns(2)
    return {
        "stride": stride_place.slider("Stride", **controls.STRIDE.bound),
        "padding": padding_place.segmented_control("Padding", **controls.PADDING.buttons),
        "bias": bias_place.number_input("Bias", format="%.5g", **controls.BIAS.bound),
        "relu": relu_place.toggle("ReLU: no value below 0", **controls.RELU.bound),
        "channel": channel_place.segmented_control("Convolve", **controls.CHANNEL.buttons),
        "view": view_place.segmented_control("Colors of the map", **controls.VIEW.buttons),
    }


def _arguments(image: np.ndarray, settings: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Return the settings as `conv2d` and `step` take them: image, kernel, options."""
    kernel = np.array(settings["kernel"])
    kernel_editor.check(kernel)
    if settings["channel"] == "all":
        kernel = np.repeat(kernel[..., None], 3, axis=2)
    options = {option: settings[option] for option in ("stride", "padding", "bias")}
    return _channel(image, settings["channel"]), kernel, options | {"activation": "relu" if settings["relu"] else None}


def _map(image: np.ndarray, name: str, settings: dict[str, Any], place: Any) -> np.ndarray | None:
    """Convolve, and put the map or the reason why there is none into `place`."""
    try:
        source, kernel, options = _arguments(image, settings)
        feature_map = conv2d(source, kernel, **options)
    except CnnLabError as error:
        place.error(str(error))
        return None
    with place.container():
        _show(feature_map, settings["view"], name)
    return feature_map


def _show(feature_map: np.ndarray, view: str, name: str) -> None:
    low, high = number(feature_map.min()), number(feature_map.max())
    alt = f"Feature map of {name}, values from {low} to {high}"
    if view == "photo":
        st.image(_jpeg(as_photo(feature_map)), width="stretch", alt=f"{alt}, clipped to 0–255 and shown as a photo")
        st.caption(f"Feature map, values from {low} to {high}; below 0 is black, above 255 white")
        return
    colors, limit = zero_centered(feature_map)
    st.image(_jpeg(colors), width="stretch", alt=f"{alt}, blue below zero, white at zero, red above")
    st.html(number_grid.scale(limit, f"Feature map, values from {low} to {high}"))


def _sizes(source: tuple[int, ...], feature_map: tuple[int, ...], settings: dict[str, Any]) -> None:
    """Say how large the map is, and by which formula."""
    stride, same = settings["stride"], settings["padding"] == "same"
    formula = "⌈size / stride⌉" if same else "⌊(size − kernel) / stride⌋ + 1"
    sides = [
        (f"⌈{size} / {stride}⌉" if same else f"⌊({size} − {KERNEL_SIZE}) / {stride}⌋ + 1")
        + f" = **{output_size(size, KERNEL_SIZE, stride=stride, padding=settings['padding'])}**"
        for size in source[:2]
    ]
    st.markdown(
        f"Size of the map under “{settings['padding']}” padding: {formula}. Height {sides[0]}, width {sides[1]}: "
        f"from {source[0]} × {source[1]} pixels to **{feature_map[0]} × {feature_map[1]}** numbers."
    )


def _step(image: np.ndarray, shape: tuple[int, ...], settings: dict[str, Any]) -> tuple[int, int]:
    """Show the arithmetic of one stop. Return where its window begins."""
    st.subheader("One step, number by number")
    row_place, column_place, next_place = st.columns([3, 3, 2], vertical_alignment="bottom")
    row = _position(row_place, "Row of the map", controls.STEP_ROW, shape[0])
    column = _position(column_place, "Column of the map", controls.STEP_COLUMN, shape[1])
    next_place.button(
        "Next step", icon=":material/arrow_forward:", width="stretch", on_click=_next, args=(row, column, shape)
    )
    source, kernel, options = _arguments(image, settings)
    one = step(source, kernel, row, column, **options)
    channels = list(CHANNELS) if settings["channel"] == "all" else [settings["channel"]]
    st.html(number_grid.arithmetic(one, channels, source.shape, settings["bias"], settings["relu"]))
    st.caption(
        f"Row {row}, column {column} of the map. The window begins at row {one.top}, column {one.left} of the picture"
        + (" (below 0: in the padding)." if min(one.top, one.left) < 0 else ".")
    )
    return one.top, one.left


def _position(place: Any, label: str, control: controls.Number, count: int) -> int:
    """Ask for a row or column of the map, which may have become smaller since the last answer."""
    if count == 1:
        return 0
    if st.session_state.get(control.name, 0) >= count:
        st.session_state[control.name] = count - 1
    return place.slider(label, **control.up_to(count - 1, count // 3))


def _next(row: int, column: int, shape: tuple[int, ...]) -> None:
    """Move on by one stop: to the right, at the end of a row to the next, at the very end back to the start."""
    place = (row * shape[1] + column + 1) % (shape[0] * shape[1])
    st.session_state[controls.STEP_ROW.name], st.session_state[controls.STEP_COLUMN.name] = divmod(place, shape[1])


def _channel(image: np.ndarray, channel: str) -> np.ndarray:
    """Return what is convolved."""
    if channel == "all":
        return image
    return to_grayscale(image) if channel == "gray" else split_channels(image)[CHANNELS.index(channel)]


def _shown(image: np.ndarray, channel: str) -> np.ndarray:
    """Return what is convolved as a picture to look at."""
    part = _channel(image, channel)
    if channel == "gray":
        return np.repeat(part[..., None], 3, axis=2)
    return image if channel == "all" else tint_channel(part, channel)


def _words(channel: str) -> str:
    return {"gray": "in gray", "all": "all three channels"}.get(channel, f"its {channel} channel")


def _marked(image: np.ndarray, channel: str, top: int, left: int) -> bytes:
    """Return the source with a frame around the window. Most edits change only the map: it is drawn once a place."""
    place = (channel, top, left)
    seen, where, data = st.session_state.get(_MARKED, (None, None, b""))
    if seen is not image or where != place:
        data = _jpeg(mark(_shown(image, channel), top, left, KERNEL_SIZE))
        st.session_state[_MARKED] = (image, place, data)
    return data


def _jpeg(pixels: np.ndarray) -> bytes:
    """Encode for the screen. PNG would take ten times as long, and twice as long to arrive."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()


main()
