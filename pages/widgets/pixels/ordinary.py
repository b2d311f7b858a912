"""The Pixels page without its labs: ordinary controls, pictures and charts, for browsers that refuse the labs."""

from typing import Any

import numpy as np
import streamlit as st

from cnn_core.figures import pixel_charts as charts
from cnn_core.figures.layout import NO_BUTTONS
from cnn_core.pixels import fit, mark, to_binary
from cnn_core.wording import percent
from pages.widgets import controls
from pages.widgets.pixels import bench

LONGEST = 640  # pixels a side of what is shown; the numbers are those of the picture before


def window(image: np.ndarray, name: str) -> None:
    """Mark a small window in the picture and write its numbers into its cells."""
    whole, zoomed = st.columns(2, gap="medium")
    with whole:
        marked = st.container(key="region_marked")
        row, column = bench.corner(image)
        _slider("Region's top row", "row", controls.REGION_ROW, image.shape[0] - 1, row)
        _slider("Region's left column", "column", controls.REGION_COLUMN, image.shape[1] - 1, column)
        _slider("Region's size", "size", controls.REGION_SIZE, controls.REGION_SIZE.high, bench.current()["size"])
    top, left, values = bench.window(image)
    size = bench.current()["size"]
    place = f"rows {top} to {top + values.shape[0] - 1}, columns {left} to {left + values.shape[1] - 1}"
    picture_marked = mark(fit(image, LONGEST), top, left, size, full_height=image.shape[0])
    marked.image(picture_marked, width="stretch", alt=f"{name}; a frame marks {place}")
    with zoomed:
        choice = controls.REGION_NUMBERS
        st.session_state[choice.name] = bench.current()["numbers"]
        st.segmented_control(
            "Numbers to show", list(choice.options), format_func=choice.label, required=True, key=choice.name,
            on_change=lambda: bench.change(numbers=st.session_state[choice.name]),
        )  # fmt: skip
        numbers, colors = bench.numbers(values)
        with st.container(key="region_cells"):
            st.plotly_chart(
                charts.numbered_cells(numbers, colors, top, left),
                config=NO_BUTTONS,
                key="region_chart",
                alt=f"The framed pixels, {place}, one large cell each, with the numbers that are printed below",
            )
        st.caption(f"The framed pixels: {place}. Gray is 0.299 red + 0.587 green + 0.114 blue.")


def black_and_white(gray: np.ndarray, name: str) -> None:
    """Show the picture with one bit per pixel, and its brightness on both sides of the threshold."""
    limit = controls.THRESHOLD
    threshold = bench.current()["threshold"]
    _slider("Threshold", "threshold", limit, limit.high, threshold)
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
    numbers.plotly_chart(
        charts.histogram(gray, threshold),
        config=NO_BUTTONS,
        key="histogram",
        alt=f"How many pixels have each brightness from 0 to 255, with a line at the threshold {threshold}",
    )


def _slider(label: str, name: str, control: controls.Number, high: Any, value: int) -> None:
    """Ask for a number of the bench. The bounds do not depend on the window's size, which would reset the slider."""
    if control.low == high:
        return
    st.session_state[control.name] = value
    st.slider(
        label, control.low, high, key=control.name,
        on_change=lambda: bench.change(**{name: st.session_state[control.name]}),
    )  # fmt: skip
