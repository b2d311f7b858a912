"""What if? A gray square on the photo, or another kernel in the first layer: see the probabilities move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.models import open_model
from cnn_core.pixels import CHANNELS, fit, mark
from pages.widgets import number_grid, verdict
from pages.widgets.why import asked

if TYPE_CHECKING:
    from pages.widgets.why.tabs import Case

SHOWN = 720
LARGEST = 5  # cells a side: a larger kernel is no table that someone edits
_DOWN, _RIGHT, _SIZE, _SEEN = "blank_down", "blank_right", "blank_size", "blank_seen"
_FILL = "what_if_fill"
# As in kernel_editor: without its buttons a cell is narrow enough for three beside each other on a phone.
_STYLE = """<style>
.st-key-what_if_kernel .stTabs .stColumn {min-width: 0}
.st-key-what_if_kernel .stTabs .stNumberInput button {display: none}
.st-key-what_if_kernel .stTabs input {text-align: center}
.st-key-blanked img {max-height: 24rem; object-fit: contain; object-position: left}
</style>"""


@st.fragment
def show(case: Case) -> None:
    """Let people change one thing, and ask the model again."""
    st.html(_STYLE)
    kinds = {"square": "Cover a part of the photo", "kernel": "Edit a kernel"}
    kind = st.segmented_control(
        "What to change", list(kinds), default="square", required=True, format_func=kinds.__getitem__, key="what_if",
        bind="query-params",
    )  # fmt: skip
    try:
        if kind == "square":
            _square(case)
        else:
            _kernel(case)
    except CnnLabError as error:
        st.error(str(error))


def _square(case: Case) -> None:
    from cnn_core.what_if import cover_square

    if st.session_state.get(_SEEN) is not case.image or _DOWN not in st.session_state:
        if _SEEN in st.session_state or not {_DOWN, _RIGHT} & set(st.query_params):  # else a link says where
            _cover_hottest(case)
        st.session_state[_SEEN] = case.image
    photo, words = st.columns([2, 3], gap="medium")
    with words:
        st.markdown("Cover what you think it goes by. If the probabilities hardly move, it was something else.")
        size = st.slider("Size of the square", 5, 100, 35, 5, format="%d %%", key=_SIZE, bind="query-params")
        right = st.slider("From left to right", 0, 100, key=_RIGHT, format="%d %%", bind="query-params")
        down = st.slider("From top to bottom", 0, 100, key=_DOWN, format="%d %%", bind="query-params")
        st.button(
            f"Cover what speaks most for {case.likelier}", icon=":material/center_focus_strong:",
            on_click=_cover_hottest, args=(case,), help="Puts the square on the warmest place of the heat map.",
        )  # fmt: skip
    covered, top, left, side = cover_square(case.image, down / 100, right / 100, size / 100)
    after = open_model(case.card.name).classify(covered)
    with photo:
        with st.container(key="blanked"):
            st.image(
                mark(fit(covered, SHOWN), top, left, side, case.image.shape[0]), width="stretch",
                alt=f"{case.name} with a gray square of {side} pixels at row {top}, column {left}",
            )  # fmt: skip
        _moved(case, after.probabilities, f"With the square it says: **{after.sentence}**.")


def _cover_hottest(case: Case) -> None:
    from cnn_core.what_if import hot_spot

    try:
        heat = asked.heat(case.card.name, case.stamp, case.shown, case.likelier)
    except CnnLabError:  # a network without a convolution has no heat map
        heat = np.zeros((1, 1))
    down, right = hot_spot(heat)
    st.session_state[_DOWN], st.session_state[_RIGHT] = round(100 * down), round(100 * right)


def _kernel(case: Case) -> None:
    from cnn_core.figures.colors import zero_centered
    from cnn_core.what_if import first_kernels, with_kernel

    model = open_model(case.card.name)
    layer, learned = first_kernels(model)
    height, width, _, count = learned.shape
    if max(height, width) > LARGEST:
        st.info(f"This model's first kernels have {height} × {width} cells, too many to edit. Choose another model.")
        return
    order = asked.strongest(case.card.name, case.stamp, case.image, layer, count).numbers
    left, words = st.columns([2, 3], gap="medium")
    with left.container(key="what_if_kernel"):
        if st.session_state.get("what_if_number") not in order:
            st.session_state["what_if_number"] = order[0]
        number = st.selectbox(
            "Kernel of the first layer", order, key="what_if_number",
            format_func=lambda number: f"Kernel {number + 1} of {count}" + " (most active here)" * (number == order[0]),
            help="In the order of how active their maps are on this photo.",
        )  # fmt: skip
        cells = f"what_if_{case.card.name}_{case.stamp}_{number}"
        edited = _cells(cells, learned[..., number])
    answer, before = with_kernel(model, case.image, number, edited), with_kernel(model, case.image, number)
    with words:
        after = max(answer.probabilities, key=answer.probabilities.__getitem__)
        same = np.array_equal(edited.astype(np.float32), learned[..., number])
        text = f"With this kernel **{after}** is the likelier one."
        _moved(case, answer.probabilities, "This is the kernel as the network learned it. Edit it." if same else text)
        for place, made, title in zip(
            st.columns(2, gap="small", wrap=False), (before, answer), ("As learned", "Edited"), strict=True
        ):
            colours, limit = zero_centered(made.feature_map)
            place.image(colours, width="stretch", alt=f"The map of kernel {number + 1}, {title.lower()}")
            place.html(number_grid.scale(limit, f"{title}: what this kernel makes of the photo"))
        st.caption(
            f"One of {count} kernels, so a small change moves little. Only the answer on your screen is worked out "
            "with it: the model stays as it is."
        )


def _cells(key: str, learned: np.ndarray) -> np.ndarray:
    """Draw the kernel's cells, a tab for each channel. Return their numbers, float64; an empty cell is NaN."""
    from cnn_core.kernels import KERNELS

    height, width, _ = learned.shape
    keys = [[[f"{key}_{c}_{row}_{column}" for c in range(3)] for column in range(width)] for row in range(height)]
    if keys[0][0][0] not in st.session_state:
        _fill(keys, learned)
    presets = list(KERNELS) if (height, width) == (3, 3) else []
    titles = {"learned": "The learned numbers again", "zero": "Zeros: switch it off"}
    st.selectbox(
        "Fill the kernel with", [*titles, *presets], index=None, placeholder="Choose…", key=_FILL,
        format_func=lambda name: titles.get(name) or KERNELS[name].title, on_change=_refill, args=(keys, learned),
        help="A named kernel comes into all three channels, as strong as the learned one.",
    )  # fmt: skip
    for channel, tab in enumerate(st.tabs([name.title() for name in CHANNELS], key="what_if_channel")):
        with tab.container(gap="xsmall"):
            for row in range(height):
                for column, place in enumerate(st.columns(width, gap="xsmall", wrap=False)):
                    place.number_input(
                        f"{CHANNELS[channel].title()} row {row + 1} column {column + 1}", value=None, step=0.1,
                        format="%.3f", key=keys[row][column][channel], label_visibility="collapsed",
                        persist_state="session",
                    )  # fmt: skip
    values = [[[st.session_state[cell] for cell in cells] for cells in row] for row in keys]
    return np.array(values, np.float64)


def _fill(keys: list[list[list[str]]], values: np.ndarray) -> None:
    for row, numbers in zip(keys, values.tolist(), strict=True):
        for cells, channels in zip(row, numbers, strict=True):
            st.session_state.update(zip(cells, channels, strict=True))


def _refill(keys: list[list[list[str]]], learned: np.ndarray) -> None:
    from cnn_core.kernels import KERNELS
    from cnn_core.what_if import match_norm

    name = st.session_state[_FILL]
    st.session_state[_FILL] = None  # a menu: once filled, the cells may be edited further
    if name in KERNELS:
        _fill(keys, match_norm(KERNELS[name].values, learned))
    elif name:
        _fill(keys, learned if name == "learned" else np.zeros_like(learned))


def _moved(case: Case, after: dict[str, float], text: str) -> None:
    with st.container(key="what_if_answer"):
        st.markdown(text)
        verdict.bars(after, case.prediction.probabilities)
        st.caption("Pale: without the change. Full colour: with it.")
