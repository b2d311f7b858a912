"""Lesson 1: a picture is numbers."""

import numpy as np
import streamlit as st

from cnn_core.figures import pixel_charts as charts
from cnn_core.pixels import CHANNELS, fit, mark, region, split_channels, tint_channel, to_binary, to_grayscale
from cnn_core.scripts import lessons
from cnn_core.wording import percent
from pages.widgets import code_panel, controls, picture

# Pictures are shown at most this large; the numbers are those of the whole picture.
LONGEST = 640


def main() -> None:
    """Show the picture, the numbers it consists of, its channels, and the picture in black and white."""
    image, name = picture.current()
    height, width = image.shape[:2]

    st.markdown(
        f"To a computer this picture is a table of **{height} rows × {width} columns**. Each cell holds three numbers: "
        "how much **red**, **green** and **blue** light the pixel gives, each from 0 (none) to 255 (most)."
    )
    # What a moved slider does not change is computed here, once, and handed to the fragments.
    shown = fit(image, LONGEST)
    _zoom(image, shown, name)
    st.header("Three channels", divider="gray")
    _channels(image, shown, name)
    st.header("Black and white", divider="gray")
    _black_and_white(to_grayscale(image), name)


@st.fragment
def _zoom(image: np.ndarray, shown: np.ndarray, name: str) -> None:
    """Mark a small region in the picture and write its numbers into its cells."""
    whole, zoomed = st.columns(2, gap="medium")
    with whole:
        marked = st.container(key="region_marked")
        row = _position("Region's top row", controls.REGION_ROW, image.shape[0], 0.36)
        column = _position("Region's left column", controls.REGION_COLUMN, image.shape[1], 0.395)
        size = st.slider("Region's size", **controls.REGION_SIZE.bound)
    top, left, values = region(image, row, column, size)
    bottom, right = top + values.shape[0], left + values.shape[1]
    place = f"rows {top} to {bottom - 1}, columns {left} to {right - 1}"
    picture_marked = mark(shown, top, left, size, full_height=image.shape[0])
    marked.image(picture_marked, width="stretch", alt=f"{name}; a frame marks {place}")

    with zoomed:
        choice = st.segmented_control("Numbers to show", **controls.REGION_NUMBERS.buttons)
        numbers, colors = _numbers(values, choice)
        with st.container(key="region_cells"):
            st.plotly_chart(
                charts.numbered_cells(numbers, colors, top, left),
                config={"displayModeBar": False},
                key="region_chart",
                alt=f"The framed pixels, {place}, one large cell each, with the numbers that are printed below",
            )
        st.caption(f"The framed pixels: {place}. Gray is 0.299 red + 0.587 green + 0.114 blue.")

    st.subheader("As printed by NumPy")
    of_picture, of_region = st.tabs(["The whole picture", "The framed region"])
    with of_picture:
        st.code(f">>> image.shape, image.dtype\n({image.shape}, {image.dtype})\n>>> print(image)\n{image}", height=320)
    with of_region:
        array = "image" if choice == "all" else choice
        st.code(f">>> print({array}[{top}:{bottom}, {left}:{right}])\n{numbers}", height=320)
    code_panel.show(lessons.pixels(top, left, size))


def _position(label: str, control: controls.Number, count: int, share: float) -> int:
    """Ask for a row or column. The bounds do not depend on the region's size, which would reset the slider."""
    if count == 1:
        return 0
    return st.slider(label, **control.up_to(count - 1, int(count * share)))


def _numbers(values: np.ndarray, choice: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers to write into the cells of a region, and the cells' colors."""
    if choice == "gray":
        gray = to_grayscale(values)
        return gray, np.dstack([gray, gray, gray])
    if choice in CHANNELS:
        channel = split_channels(values)[CHANNELS.index(choice)]
        return channel, tint_channel(channel, choice)
    return values, values


def _channels(image: np.ndarray, shown: np.ndarray, name: str) -> None:
    st.markdown(
        "Each channel is a picture of its own. Tinted, it shows the light that it adds. In gray, it shows how strong "
        "that light is: white is 255, black is 0. Where all three channels are bright, the picture is white."
    )
    for place, channel, full, color in zip(
        st.columns(3), split_channels(shown), split_channels(image), CHANNELS, strict=True
    ):
        with place, st.container(key=f"channel_{color}"):
            st.subheader(color.capitalize())
            st.image(tint_channel(channel, color), width="stretch", alt=f"{name}, {color} light only")
            st.image(channel, width="stretch", alt=f"{name}, its {color} channel in gray")
            st.caption(f"From {full.min()} to {full.max()}, on average {full.mean():.1f}")


@st.fragment
def _black_and_white(gray: np.ndarray, name: str) -> None:
    """Show the picture with one bit per pixel, and its brightness on both sides of the threshold."""
    st.markdown(
        "Converted to brightness, each pixel keeps one number. If it is at least the threshold, the pixel becomes "
        "1 (white), otherwise 0 (black): one bit per pixel."
    )
    threshold = st.slider("Threshold", **controls.THRESHOLD.bound)
    binary = to_binary(gray, threshold)
    result, numbers = st.columns(2, gap="medium")
    with result, st.container(key="binary"):
        st.image(
            fit(binary * np.uint8(255), LONGEST),
            width="stretch",
            output_format="PNG",
            alt=f"{name} in black and white, threshold {threshold}",
        )
        st.caption(f"{percent(binary.mean(), counted=True)} of the pixels are 1 (white).")
    with numbers:
        st.plotly_chart(
            charts.histogram(gray, threshold),
            config={"displayModeBar": False},
            key="histogram",
            alt=f"How many pixels have each brightness from 0 to 255, with a line at the threshold {threshold}",
        )
        st.code(f">>> print((gray >= {threshold}).astype('uint8'))\n{binary}")
    code_panel.show(lessons.black_and_white(threshold))


main()
