"""The Pooling page without the lab: ordinary controls, pictures and charts, for browsers that refuse the lab."""

from dataclasses import replace

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.chain import Convolution, Pooling, ReLU, run
from cnn_core.figures import diagrams
from cnn_core.figures.colors import zero_centered
from cnn_core.figures.layout import NO_BUTTONS
from cnn_core.kernels import KERNELS
from cnn_core.pooling import windows
from cnn_core.wording import number, plain
from pages.widgets import controls, number_grid
from pages.widgets.convolution import bench
from pages.widgets.pooling import stages
from pages.widgets.tied import tied


def show(gray: np.ndarray, name: str) -> None:
    """Show the controls of the first pooling, the map before it and after it, and the same on a few numbers."""
    pooling = _controls()
    chain = stages.current()
    before, after = st.columns(2, gap="medium")
    result = after.container(key="pooling_output")
    if pooling is None:
        result.info("This chain has no pooling.")
        return
    place = chain.index(pooling)
    try:
        feature_map = run(gray, chain[:place])[-1]
        with before:
            limit = _map(feature_map, f"{name}, before the pooling")
        pooled = pooling.apply(feature_map)
    except CnnLabError as error:
        result.error(plain(error))
        return
    with result:
        _map(pooled, f"{name} after {controls.POOL_KIND.label(pooling.kind).lower()} pooling", limit)
    st.header("The same, number by number", divider="gray")
    _numbers(feature_map, pooling)


def _controls() -> Pooling | None:
    """Draw the controls. Return the first pooling of the chain."""
    chain = stages.current()
    pooling = next((stage for stage in chain if isinstance(stage, Pooling)), None)
    shown = pooling or Pooling()

    def option(control: controls.Choice | controls.Number, name: str, widget: dict) -> dict:
        return tied(
            widget, getattr(shown, name), lambda value: stages.with_first(Pooling, replace(shown, **{name: value}))
        )

    first, second, third, fourth, fifth, sixth = st.columns(6, vertical_alignment="top")
    first.segmented_control("Keep", **option(controls.POOL_KIND, "kind", controls.POOL_KIND.buttons))
    second.slider("Window", **option(controls.POOL_SIZE, "pool_size", controls.POOL_SIZE.bound))
    third.slider(
        "Stride", help="How far the window moves in one step.",
        **option(controls.POOL_STRIDE, "strides", controls.POOL_STRIDE.bound),
    )  # fmt: skip
    fourth.segmented_control("Padding", **option(controls.POOL_PADDING, "padding", controls.POOL_PADDING.buttons))
    convolved = bool(chain) and isinstance(chain[0], Convolution)
    fifth.selectbox(
        "Feature map from kernel",
        placeholder="Your own kernel",
        **tied(controls.POOL_KERNEL.menu, bench.preset(bench.current()["kernel"]) if convolved else None, _use_kernel),
    )
    sixth.toggle(
        "ReLU before it", **tied({"key": "chain_relu"}, any(isinstance(stage, ReLU) for stage in chain), _use_relu)
    )
    return pooling


def _use_kernel(name: str | None) -> None:
    stages.with_first(Convolution, None if name is None else Convolution(KERNELS[name].values))


def _use_relu(on: bool) -> None:
    stages.with_first(ReLU, ReLU() if on else None)


def _map(values: np.ndarray, says: str, limit: float | None = None) -> float:
    """Show a map with zero in the middle of its colors; both maps on the same scale. Return the scale's end."""
    colors, limit = zero_centered(values, limit)
    low, high = number(values.min()), number(values.max())
    st.image(colors, width="stretch", output_format="PNG", alt=f"{says}, values from {low} to {high}")
    st.html(number_grid.scale(limit, f"{says}: {values.shape[0]} × {values.shape[1]}, from {low} to {high}"))
    return limit


def _numbers(feature_map: np.ndarray, pooling: Pooling) -> None:
    """Pool a few numbers of the map, with the windows drawn in and one of them followed."""
    controls.warn(controls.GRID_SIDE)
    side = st.slider("Grid size", **controls.GRID_SIDE.bound)
    top, left = (size // 2 for size in feature_map.shape)
    part = np.round(feature_map[top : top + side, left : left + side])
    try:
        pooled = pooling.apply(part)
        edges = windows(part.shape[0], part.shape[1], pooling.pool_size, pooling.strides, pooling.padding)
    except CnnLabError as error:
        st.error(plain(error))
        return
    last = pooled.size - 1
    if st.session_state.get(controls.GRID_WINDOW.name, 0) > last:
        st.session_state[controls.GRID_WINDOW.name] = last
    window = controls.GRID_WINDOW.up_to(last)
    controls.warn(window)
    followed = 0 if last == 0 else st.slider("Window to follow", **window.bound)
    row, column = divmod(followed, pooled.shape[1])
    y0, x0, y1, x1 = edges[row, column]
    listed = ", ".join(number(value) for value in part[y0:y1, x0:x1].ravel())
    before, after = st.columns(2, gap="medium")
    before.plotly_chart(
        diagrams.windowed_cells(part, edges.reshape(-1, 4), followed),
        config=NO_BUTTONS,
        key="grid_before",
        alt=f"{part.shape[0]} × {part.shape[1]} numbers of the map with the windows drawn in; followed: {listed}",
    )
    after.plotly_chart(
        diagrams.windowed_cells(pooled, np.array([[row, column, row + 1, column + 1]]), 0),
        config=NO_BUTTONS,
        key="grid_after",
        alt=f"The {pooled.shape[0]} × {pooled.shape[1]} pooled numbers; followed: {number(pooled[row, column])}",
    )
    function = "the largest of" if pooling.kind == "max" else "the mean of"
    st.markdown(
        f"Window {followed}, rows {y0} to {y1 - 1}, columns {x0} to {x1 - 1}: {function} {listed} "
        f"= **{number(pooled[row, column])}**"
    )
