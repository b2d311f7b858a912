"""Nine cells to edit a 3×3 kernel, the presets, and the kernel in the address.

There a kernel is a name (``?kernel=sobel_x``) or nine numbers, row by row (``?kernel=0,1,0,1,-4,1,0,1,0``).
"""

import math

import numpy as np
import streamlit as st

from cnn_core.convolution import ConvolutionError
from cnn_core.kernels import KERNELS
from pages.widgets import address, controls

FIRST = "sobel_x"
CELLS = [[f"kernel_row_{row}_column_{column}" for column in (1, 2, 3)] for row in (1, 2, 3)]
_PRESET, _WARNING = "kernel_preset", "kernel_warning"

# Streamlit keeps columns at least 128 pixels wide, of which a number input's buttons take most: the third column of
# cells would be out of sight. Arrow keys still step.
_STYLE = """<style>
.st-key-kernel_grid .stColumn {min-width: 0}
.st-key-kernel_grid .stNumberInput button {display: none}
.st-key-kernel_grid input {text-align: center}
</style>"""


def read_address() -> None:
    """Fill the cells before they are drawn: with a new kernel of the address, else as they were."""
    if any(cell not in st.session_state for row in CELLS for cell in row):
        _fill(KERNELS[FIRST].values)
    if (asked := address.new(controls.KERNEL.name)) is not None:
        try:
            _fill(_parse(asked))
        except ConvolutionError as error:
            st.session_state[_WARNING] = str(error)


def edit() -> np.ndarray:
    """Draw the presets and the nine cells. Return the kernel, float64 (3, 3); an empty cell is NaN."""
    preset = st.selectbox(
        "Preset kernel",
        list(KERNELS),
        index=None,
        placeholder="Your own kernel",
        format_func=lambda name: KERNELS[name].title,
        key=_PRESET,
        on_change=_use_preset,
        persist_state="session",
    )
    st.html(_STYLE)
    with st.container(key="kernel_grid", gap="xsmall"):
        for row, cells in enumerate(CELLS, 1):
            for column, (place, cell) in enumerate(zip(st.columns(3, gap="xsmall", wrap=False), cells, strict=True), 1):
                place.number_input(
                    f"Kernel row {row} column {column}",
                    value=None,
                    step=1.0,
                    format="%.5g",
                    key=cell,
                    on_change=_recognize,
                    label_visibility="collapsed",
                    persist_state="session",
                )
    if preset:
        st.caption(KERNELS[preset].finds)
    if warning := st.session_state.get(_WARNING):
        st.warning(warning)
    return _values()


def known() -> np.ndarray | None:
    """Return the kernel as the session has it, before the cells are drawn; None on a first visit."""
    return _values() if all(cell in st.session_state for row in CELLS for cell in row) else None


def write_address(kernel: np.ndarray) -> None:
    """Write a kernel without empty cells into the address, so that the link shows it again."""
    text = _name(kernel) or ",".join(f"{value:.9g}" for value in kernel.ravel())
    address.write(controls.KERNEL.name, text, None)


def check(kernel: np.ndarray) -> None:
    """Check that every cell holds a number.

    Raises
    ------
    ConvolutionError
        Names the first cell that does not.
    """
    for row, column in np.argwhere(np.isnan(kernel)):
        raise ConvolutionError(
            f"Kernel row {row + 1} column {column + 1} is empty or holds no number. Type one into it, such as 0."
        )


def _values() -> np.ndarray:
    return np.array([[st.session_state[cell] for cell in row] for row in CELLS], np.float64)


def _fill(values: np.ndarray) -> None:
    for cells, row in zip(CELLS, values.tolist(), strict=True):
        for cell, value in zip(cells, row, strict=True):
            st.session_state[cell] = float(value)
    _recognize()


def _recognize() -> None:
    """After an edit: show the preset that the nine numbers are, or none."""
    st.session_state[_PRESET] = _name(_values())
    st.session_state.pop(_WARNING, None)


def _use_preset() -> None:
    if name := st.session_state[_PRESET]:
        _fill(KERNELS[name].values)


def _name(kernel: np.ndarray) -> str | None:
    return next((name for name, preset in KERNELS.items() if np.array_equal(preset.values, kernel.astype("f4"))), None)


def _parse(text: str) -> np.ndarray:
    if text in KERNELS:
        return KERNELS[text].values
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 9 or not all(math.isfinite(number) for number in numbers):
        raise ConvolutionError(
            f"The address asks for the kernel “{text[:60]}”, which is neither a preset's name nor nine numbers with "
            "commas between them. Choose a preset or edit the numbers."
        )
    return np.reshape(numbers, (3, 3))
