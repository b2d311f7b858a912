"""What if? Cover a square of the photo, or edit a kernel of the first layer, and see how the probabilities change."""

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.host import limits
from cnn_core.models import open_model
from cnn_core.pixels import CHANNELS, fit, mark
from cnn_core.wording import plain
from pages.widgets import controls, in_vain, number_grid, picture, verdict, warmup
from pages.widgets.why.case import Case

MAX_KERNEL = 5
"""The largest kernel that can be edited has 5 × 5 cells."""

_SQUARE = (controls.SQUARE_SIZE, controls.SQUARE_RIGHT, controls.SQUARE_DOWN)
_RIGHT, _DOWN, _SEEN = controls.SQUARE_RIGHT.name, controls.SQUARE_DOWN.name, "blank_seen"
_NUMBER, _FILL = "what_if_number", "what_if_fill"
# Without its buttons a cell is narrow enough for three beside each other on a phone.
_STYLE = """<style>
.st-key-what_if_kernel .stTabs .stColumn {min-width: 0}
.st-key-what_if_kernel .stTabs .stNumberInput button {display: none}
.st-key-what_if_kernel .stTabs input {text-align: center}
.st-key-blanked img {max-height: 24rem; object-fit: contain; object-position: left}
</style>"""


def show(case: Case) -> None:
    """Let people change one thing, and ask the model again."""
    _send_square()
    _changes(case)


@st.fragment
def _changes(case: Case) -> None:
    st.html(_STYLE)
    controls.warn(controls.WHAT_IF, *_SQUARE)
    kind = st.segmented_control("What to change", **controls.WHAT_IF.buttons | {"on_change": _change_kind})
    try:
        if kind == "square":
            _square(case)
        else:
            _kernel(case)
    except CnnLabError as error:
        st.error(plain(error))


def _change_kind() -> None:
    in_vain.forget()
    _send_square()


def _send_square() -> None:
    """Tell the browser where the square is. It forgets sliders that were hidden, and would draw them at 0."""
    for control in _SQUARE:
        if control.name in st.session_state:
            st.session_state[control.name] = st.session_state[control.name]


def _square(case: Case) -> None:
    from cnn_core.what_if import cover_square

    if st.session_state.get(_SEEN) is not case.image or _DOWN not in st.session_state:
        if _SEEN in st.session_state or not {_DOWN, _RIGHT} & set(st.query_params):  # else a link says where
            _cover_hot_spot(case)
        st.session_state[_SEEN] = case.image
    photo, words = st.columns([2, 3], gap="medium")
    with words:
        st.markdown(
            "Cover the part you think it relies on. If the probabilities hardly change, it relies on something else."
        )
        titles = ("Size of the square", "From left to right", "From top to bottom")
        size, right, down = (
            st.slider(title, format="%d %%", **control.bound) / 100
            for title, control in zip(titles, _SQUARE, strict=True)
        )
        st.button(
            f"Cover the strongest evidence for {case.likelier}", icon=":material/center_focus_strong:",
            on_click=_cover_hot_spot, args=(case,), help="Moves the square to the brightest place of the heat map.",
        )  # fmt: skip
    covered, top, left, side = cover_square(case.image, down, right, size)
    limits.spend()
    after = open_model(case.card.name).classify(covered)
    with photo:
        with st.container(key="blanked"):
            st.image(
                mark(fit(covered, picture.SCREEN), top, left, side, case.image.shape[0]), width="stretch",
                alt=f"{case.name} with a gray square of {side} pixels at row {top}, column {left}",
            )  # fmt: skip
        _answer(case, after.probabilities, f"With the square: **{after.sentence}**.")


def _cover_hot_spot(case: Case) -> None:
    from cnn_core.explain import enlarged
    from cnn_core.what_if import hot_spot

    try:
        heat = enlarged(case.heat(case.likelier), *case.shown.shape[:2])
    except CnnLabError:  # a network without a convolution has no heat map
        heat = np.zeros((1, 1), np.float32)
    down, right = hot_spot(heat)
    st.session_state[_DOWN], st.session_state[_RIGHT] = round(100 * down), round(100 * right)


def _kernel(case: Case) -> None:
    from cnn_core.figures.colors import zero_centered
    from cnn_core.what_if import first_kernels, with_kernel

    warmup.wait("Loading TensorFlow to edit the network")
    model = open_model(case.card.name)
    layer, learned = first_kernels(model)
    height, width, _, count = learned.shape
    if max(height, width) > MAX_KERNEL:
        st.info(f"This model's first kernels have {height} × {width} cells, too many to edit. Choose another model.")
        return
    order = case.strongest(layer, count).numbers
    left, words = st.columns([2, 3], gap="medium")
    with left.container(key="what_if_kernel"):
        if st.session_state.get(_NUMBER) not in order:
            st.session_state[_NUMBER] = order[0]
        number = st.selectbox(
            "Kernel of the first layer", order, key=_NUMBER,
            format_func=lambda number: f"Kernel {number + 1} of {count}" + " (most active here)" * (number == order[0]),
            help="Sorted by how active their feature maps are on this photo.",
        )  # fmt: skip
        edited = _cells(f"what_if_{case.card.name}_{case.stamp}_{number}", learned[..., number])
    limits.spend()
    answer, before = with_kernel(model, case.image, number, edited), with_kernel(model, case.image, number)
    with words:
        after = max(answer.probabilities, key=answer.probabilities.__getitem__)
        same = np.array_equal(edited.astype(np.float32), learned[..., number])
        text = f"With this kernel **{after}** is more likely."
        _answer(case, answer.probabilities, "This is the kernel as the network learned it. Edit it." if same else text)
        for place, made, title in zip(
            st.columns(2, gap="small", wrap=False), (before, answer), ("As learned", "Edited"), strict=True
        ):
            colors, limit = zero_centered(made.feature_map)
            place.image(colors, width="stretch", alt=f"The feature map of kernel {number + 1}, {title.lower()}")
            place.html(number_grid.scale(limit, f"{title}: the feature map of this kernel"))
        st.caption(
            f"This is one of {count} kernels, so a small edit changes little. The saved model is not changed: the "
            "edited kernel is used for this answer only."
        )


def _cells(key: str, learned: np.ndarray) -> np.ndarray:
    """Draw the kernel's cells, a tab for each channel. Return their numbers, float64; an empty cell is NaN."""
    from cnn_core.kernels import KERNELS

    height, width, _ = learned.shape
    keys = [[[f"{key}_{c}_{row}_{column}" for c in range(3)] for column in range(width)] for row in range(height)]
    if keys[0][0][0] not in st.session_state:
        _fill(keys, learned)
    presets = list(KERNELS) if (height, width) == (3, 3) else []
    titles = {"learned": "The learned values", "zero": "Zeros (kernel off)"}
    st.selectbox(
        "Fill the kernel with", [*titles, *presets], index=None, placeholder="Choose…", key=_FILL,
        format_func=lambda name: titles.get(name) or KERNELS[name].title, on_change=_refill, args=(keys, learned),
        help="A named kernel is used for all three channels. It is scaled to be as strong as the learned kernel.",
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


def _answer(case: Case, after: dict[str, float], text: str) -> None:
    with st.container(key="what_if_answer"):
        st.markdown(text)
        verdict.bars(after, case.prediction.probabilities)
        st.caption("Pale bar: without the change. Full color: with the change.")
