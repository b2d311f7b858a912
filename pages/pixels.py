"""Lesson 1: a picture is numbers."""

import numpy as np
import streamlit as st

from cnn_core import charts, codegen
from cnn_core.pixels import (
    CHANNELS,
    fit,
    mark,
    region,
    split_channels,
    tint_channel,
    to_binary,
    to_grayscale,
)
from pages.widgets import code_panel, picture

LONGEST = 640
"""Pictures are shown at most this large; the numbers are those of the whole picture."""


def main() -> None:
    """Show the picture, the numbers it consists of, its channels, and what is left of it in black and white."""
    image, name = picture.current()
    height, width = image.shape[:2]

    st.title("A picture is numbers")
    st.markdown(
        f"To a computer this picture is a table of **{height} rows × {width} columns**. Each cell holds three numbers: "
        "how much **red**, **green** and **blue** light the pixel gives, each from 0 (none) to 255 (most)."
    )
    top, left, size = _zoom(image, name)
    st.header("Three channels", divider="gray")
    _channels(image, name)
    st.header("Black and white", divider="gray")
    threshold = _black_and_white(image, name)
    code_panel.show(codegen.pixels(top, left, size, threshold))


def _zoom(image: np.ndarray, name: str) -> tuple[int, int, int]:
    """Mark a small region in the picture and write its numbers into its cells. Return its top, left and size."""
    whole, cells = st.columns(2, gap="medium")
    with whole:
        marked = st.container(key="region_marked")
        row = _position("Region's top row", "region_row", image.shape[0])
        column = _position("Region's left column", "region_column", image.shape[1])
        size = st.slider("Region's size", 3, 12, 8, key="region_size", bind="query-params")
    top, left, values = region(image, row, column, size)
    place = f"rows {top} to {top + len(values) - 1}, columns {left} to {left + values.shape[1] - 1}"
    marked.image(mark(image, top, left, size, LONGEST), width="stretch", alt=f"{name}; a frame marks {place}")

    with cells:
        choice = st.segmented_control(
            "Numbers to show",
            ["all", *CHANNELS, "gray"],
            default="all",
            required=True,
            format_func=lambda option: "All three" if option == "all" else option.capitalize(),
            key="region_numbers",
            bind="query-params",
        )
        numbers, colours = _numbers(values, choice)
        with st.container(key="region_cells"):
            st.plotly_chart(
                charts.numbered_cells(numbers, colours, top, left),
                config={"displayModeBar": False},
                key="region_chart",
                alt=f"The {choice} values of {place}, one cell a pixel: {numbers.tolist()}",
            )
        st.caption(f"The framed pixels: {place}. In gray, 0.299 red + 0.587 green + 0.114 blue.")

    st.subheader("The same as NumPy prints it")
    printed_picture, printed_region = st.tabs(["The picture", "The framed region"])
    printed_picture.code(f">>> image.shape, image.dtype\n({image.shape}, {image.dtype})\n>>> print(image)\n{image}")
    part = "image" if choice in ("all", "gray") else choice
    expression = f"{'gray' if choice == 'gray' else part}[{top}:{top + len(values)}, {left}:{left + values.shape[1]}]"
    with printed_region, st.container(height=320):
        st.code(f">>> print({expression})\n{numbers}")
    return top, left, size


def _position(label: str, key: str, count: int) -> int:
    """Ask for a row or column. The bounds do not depend on the region's size, which would reset the slider."""
    if count == 1:
        return 0
    return st.slider(label, 0, count - 1, count // 3, key=key, bind="query-params")


def _numbers(values: np.ndarray, choice: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers to write into the cells of a region, and the cells' colours."""
    if choice == "gray":
        gray = to_grayscale(values)
        return gray, np.dstack([gray, gray, gray])
    if choice in CHANNELS:
        channel = split_channels(values)[CHANNELS.index(choice)]
        return channel, tint_channel(channel, choice)
    return values, values


def _channels(image: np.ndarray, name: str) -> None:
    st.markdown(
        "Each channel is a picture of its own. Tinted, it shows the light that it adds; in gray, how strong it is: "
        "white is 255, black is 0. Where all three are bright, the picture is white."
    )
    shown = fit(image, LONGEST)
    for column, channel, full, channel_name in zip(
        st.columns(3), split_channels(shown), split_channels(image), CHANNELS, strict=True
    ):
        with column, st.container(key=f"channel_{channel_name}"):
            st.subheader(channel_name.capitalize())
            st.image(tint_channel(channel, channel_name), width="stretch", alt=f"{name}, {channel_name} light only")
            st.image(channel, width="stretch", alt=f"{name}, its {channel_name} channel in gray")
            st.caption(f"From {full.min()} to {full.max()}, on average {full.mean():.1f}")


def _black_and_white(image: np.ndarray, name: str) -> int:
    """Show the picture with one bit a pixel. Return the threshold."""
    st.markdown(
        "One number is left when the three are weighed into brightness, and one bit when all that is at least as "
        "bright as a threshold becomes 1 (white) and the rest 0 (black)."
    )
    threshold = st.slider("Threshold", 0, 256, 128, key="threshold", bind="query-params")
    binary = to_binary(image, threshold)
    gray = to_grayscale(image)
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="binary"):
        st.image(
            fit(binary * np.uint8(255), LONGEST),
            width="stretch",
            output_format="PNG",
            alt=f"{name} in black and white, threshold {threshold}",
        )
        st.caption(f"{binary.mean():.1%} of the pixels are 1 (white).")
    with right:
        st.plotly_chart(
            charts.histogram(gray, threshold),
            config={"displayModeBar": False},
            key="histogram",
            alt=f"How many pixels have each brightness from 0 to 255, with a line at the threshold {threshold}",
        )
        st.code(f">>> print((gray >= {threshold}).astype('uint8'))\n{binary}")
    return threshold


main()
