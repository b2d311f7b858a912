"""Lesson 3: pooling keeps one number of each window, so that the map becomes smaller."""

from typing import Any

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.convolution import conv2d
from cnn_core.figures import diagrams
from cnn_core.figures.colors import zero_centered
from cnn_core.kernels import KERNELS
from cnn_core.pixels import to_grayscale
from cnn_core.pooling import average_pool2d, max_pool2d, windows
from cnn_core.scripts import lessons
from cnn_core.wording import number, percent
from pages.widgets import code_panel, controls, number_grid, picture

LONGEST = 384
PLOT = {"displayModeBar": False}


def main() -> None:
    """Explain the idea, then draw the part that answers every control."""
    st.markdown(
        "A window slides over the feature map and keeps **one number** at each stop: the largest (max pooling) or the "
        "mean (average pooling). The map still shows what was found, but **where** it was found becomes less exact. "
        "The next layer has less to compute: a quarter, if the window is 2×2 and moves by 2."
    )
    _lesson(*picture.current(LONGEST))


@st.fragment
def _lesson(image: np.ndarray, name: str) -> None:
    """Show controls, the map and the pooled map, then the same on a few numbers."""
    kind, kernel, options = _controls()
    pool = max_pool2d if kind == "max" else average_pool2d
    gray = to_grayscale(image)
    before, after = st.columns(2, gap="medium")
    result = after.container(key="pooling_output")
    try:
        feature_map = gray.astype(np.float32) if kernel is None else conv2d(gray, KERNELS[kernel].values)
        with before:
            limit = _map(
                feature_map, f"{name} in gray" if kernel is None else f"{name} convolved with {KERNELS[kernel].title}"
            )
        pooled = pool(feature_map, **options)
    except CnnLabError as error:
        result.error(str(error))
        return
    with result:
        _map(pooled, f"{name} after {controls.POOL_KIND.label(kind).lower()} pooling", limit)
    share = 1 - pooled.size / feature_map.size
    st.markdown(
        f"From {feature_map.shape[0]} × {feature_map.shape[1]} to **{pooled.shape[0]} × {pooled.shape[1]}** numbers: "
        f"**{percent(share, 0, counted=True)}** fewer. Pooling has no weights: there is nothing to learn in it."
    )
    st.header("The same, number by number", divider="gray")
    _numbers(feature_map, pool, kind, options)
    code_panel.show(lessons.pooling(kind, options["pool_size"], options["strides"], options["padding"]))


def _controls() -> tuple[str, str | None, dict[str, Any]]:
    """Draw the controls. Return what is kept, which kernel made the map, and the options of the pooling."""
    first, second, third, fourth, fifth = st.columns(5, vertical_alignment="top")
    kind = first.segmented_control("Keep", **controls.POOL_KIND.buttons)
    size = second.slider("Window", **controls.POOL_SIZE.bound)
    stride = third.slider("Stride", help="How far the window moves in one step.", **controls.POOL_STRIDE.bound)
    padding = fourth.segmented_control("Padding", **controls.POOL_PADDING.buttons)
    kernel = fifth.selectbox("Feature map from kernel", **controls.POOL_KERNEL.menu)
    return kind, kernel, {"pool_size": size, "strides": stride, "padding": padding}


def _map(values: np.ndarray, says: str, limit: float | None = None) -> float:
    """Show a map with zero in the middle of its colors; both maps on the same scale. Return the scale's end."""
    colors, limit = zero_centered(values, limit)
    low, high = number(values.min()), number(values.max())
    st.image(colors, width="stretch", output_format="PNG", alt=f"{says}, values from {low} to {high}")
    st.html(number_grid.scale(limit, f"{says}: {values.shape[0]} × {values.shape[1]}, from {low} to {high}"))
    return limit


def _numbers(feature_map: np.ndarray, pool: Any, kind: str, options: dict[str, Any]) -> None:
    """Pool a few numbers of the map, with the windows drawn in and one of them followed."""
    side = st.slider("Grid size", **controls.GRID_SIDE.bound)
    top, left = (size // 2 for size in feature_map.shape)
    part = np.round(feature_map[top : top + side, left : left + side])
    try:
        pooled = pool(part, **options)
        edges = windows(*part.shape, **options)
    except CnnLabError as error:
        st.error(str(error))
        return
    last = pooled.size - 1
    if st.session_state.get(controls.GRID_WINDOW.name, 0) > last:
        st.session_state[controls.GRID_WINDOW.name] = last
    followed = 0 if last == 0 else st.slider("Window to follow", **controls.GRID_WINDOW.up_to(last))
    row, column = divmod(followed, pooled.shape[1])
    y0, x0, y1, x1 = edges[row, column]
    inside = part[y0:y1, x0:x1]
    listed = ", ".join(number(value) for value in inside.ravel())
    before, after = st.columns(2, gap="medium")
    before.plotly_chart(
        diagrams.windowed_cells(part, edges.reshape(-1, 4), followed),
        config=PLOT,
        key="grid_before",
        alt=f"{part.shape[0]} × {part.shape[1]} numbers of the map with the windows drawn in; followed: {listed}",
    )
    after.plotly_chart(
        diagrams.windowed_cells(pooled, np.array([[row, column, row + 1, column + 1]]), 0),
        config=PLOT,
        key="grid_after",
        alt=f"The {pooled.shape[0]} × {pooled.shape[1]} pooled numbers; followed: {pooled[row, column]:g}",
    )
    function = "the largest of" if kind == "max" else "the mean of"
    st.markdown(
        f"Window {followed}, rows {y0} to {y1 - 1}, columns {x0} to {x1 - 1}: {function} {listed} "
        f"= **{number(pooled[row, column])}**"
    )


main()
