"""What lies on the bench of the Convolution page: a kernel and how it is used, kept in the session and in the address.

The kernel lab and the ordinary controls change the same bench. In the address a kernel is a preset's name
(``?kernel=sobel_x``) or its numbers, row by row (``?kernel=0,1,0,1,-4,1,0,1,0``).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from cnn_core.convolution import MAX_WEIGHT, ConvolutionError
from cnn_core.kernels import KERNELS
from cnn_core.pixels import CHANNELS, split_channels, to_grayscale
from pages.widgets import address, controls, in_vain, picture

FIRST = "sobel_x"
SIDES = (3, 5, 7)
OPTIONS: dict[str, controls.Control] = {
    "stride": controls.STRIDE,
    "padding": controls.PADDING,
    "bias": controls.BIAS,
    "relu": controls.RELU,
    "channel": controls.CHANNEL,
    "view": controls.VIEW,
    "row": controls.STEP_ROW,
    "column": controls.STEP_COLUMN,
    "origin": controls.KERNEL_OF,
}
_BENCH = "bench"


def current() -> dict[str, Any]:
    """Return the bench of this session: `OPTIONS`, and ``kernel``, float64 (3, side, side) or (1, side, side).

    The first axis holds one table per channel where ``channel`` is "all", else one table for all. An empty cell is
    NaN. A change to the dictionary is a change of the bench.
    """
    if _BENCH not in st.session_state:
        defaults = {name: getattr(control, "default", None) for name, control in OPTIONS.items()}
        st.session_state[_BENCH] = {"kernel": np.array([KERNELS[FIRST].values], np.float64), **defaults}
    return st.session_state[_BENCH]


def read_address() -> None:
    """Take over what a new address asks for. What it cannot mean becomes the sentence of `warning`."""
    if address.left_out(controls.KERNEL.name):  # this page always writes the kernel: it has been here for an instant
        return
    _take_kernel(None)
    if refused := address.read_all(current(), OPTIONS):
        named = " and ".join(refused)
        said = f"The address asks for {named}, which this page does not offer. Choose from the options above."
        in_vain.say(_BENCH, said)
    _fit_tables(current())


def read_kernel(default: str) -> None:
    """Take over only the kernel that a new address asks for, or the default where `address.left_out` says so."""
    _take_kernel(default)
    _fit_tables(current())


def _take_kernel(default: str | None) -> None:
    """Read the kernel. How many tables it must have, only the address as a whole says."""
    if (asked := address.new(controls.KERNEL.name, default)) is not None:
        try:
            current()["kernel"] = _parse(asked)
            in_vain.forget(controls.KERNEL.name, _BENCH)
        except ConvolutionError as error:
            in_vain.say(controls.KERNEL.name, str(error))


def kernel_choice(default: str | None = None) -> list[tuple[str, str, str | None]]:
    """Return what `address.write_together` needs to write the kernel; nothing while a cell is empty."""
    kernel = current()["kernel"]
    if np.isnan(kernel).any():
        return []
    text = preset(kernel) or ",".join(f"{value:.9g}" for value in kernel.ravel())
    return [(controls.KERNEL.name, text, default)]


def write_address() -> None:
    """Write the bench into the address, so that the link shows it again."""
    address.write_together([*kernel_choice(), *address.choices(current(), OPTIONS)])


def warning() -> str:
    """Return the sentences about what the address asks for and nothing offers; gone after the next change."""
    return in_vain.said(controls.KERNEL.name, _BENCH)


def change(**changes: Any) -> None:
    """Change some of the bench, whoever asks for it."""
    bench = current()
    bench.update(changes)
    _fit_tables(bench)
    in_vain.forget()


def for_lab() -> dict[str, Any] | None:
    """Return the bench as the lab has it; None while a cell is empty."""
    bench = current()
    if np.isnan(bench["kernel"]).any():
        return None
    tables, side = bench["kernel"], bench["kernel"].shape[1]
    return {"tables": tables.reshape(len(tables), -1).tolist(), "side": side} | {name: bench[name] for name in OPTIONS}


def from_lab(settings: Mapping[str, Any]) -> None:
    """Take over what the lab has sent. It comes from a browser, so nothing of it is trusted.

    Raises
    ------
    ConvolutionError
        When it is no bench.
    """
    try:
        options = {
            name: None if settings[name] is None else address.checked(control, settings[name])
            for name, control in OPTIONS.items()
        }
        side = settings["side"]
        kernel = np.array(settings["tables"], np.float64).reshape(-1, side, side)
    except (ValueError, LookupError, TypeError) as error:
        raise ConvolutionError("The kernel lab has sent no kernel. Reload the page.") from error
    if side not in SIDES or len(kernel) not in (1, len(CHANNELS)) or not (np.abs(kernel) <= MAX_WEIGHT).all():
        raise ConvolutionError("The kernel lab has sent a kernel that does not fit. Choose a preset.")
    change(kernel=kernel, **options)


def preset(kernel: np.ndarray) -> str | None:
    """Return the name of the preset that all tables of a kernel are, if they are one."""
    with np.errstate(over="ignore"):  # any number can be typed
        kernel = kernel.astype(np.float32)
    same = (name for name, known in KERNELS.items() if kernel.shape[1:] == known.values.shape
            and (kernel == known.values).all())  # fmt: skip
    return next(same, None)


def arguments(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Return the bench as `conv2d` and `step` take it: image, kernel, options.

    Raises
    ------
    ConvolutionError
        Names the first cell that holds no number.
    """
    bench = current()
    for table, row, column in np.argwhere(np.isnan(bench["kernel"])):
        channel = f" of the {CHANNELS[table]} table" if len(bench["kernel"]) > 1 else ""
        raise ConvolutionError(
            f"Kernel row {row + 1} column {column + 1}{channel} is empty or is not a number. "
            "Type one into it, such as 0."
        )
    kernel = np.moveaxis(bench["kernel"], 0, -1) if bench["channel"] == "all" else bench["kernel"][0]
    options = {option: bench[option] for option in ("stride", "padding", "bias")}
    return part(image, bench["channel"]), kernel, options | {"activation": "relu" if bench["relu"] else None}


def part(image: np.ndarray, channel: str) -> np.ndarray:
    """Return what of the picture is convolved."""
    if channel in ("all", "each"):
        return image
    if channel == "gray":
        return picture.once("gray", image, to_grayscale)
    return split_channels(image)[CHANNELS.index(channel)]


def _fit_tables(bench: dict[str, Any]) -> None:
    """Give a kernel for all three channels three tables, any other one, which then is no longer a network's."""
    tables = bench["kernel"]
    if bench["channel"] != "all":
        bench["origin"] = None
    if bench["channel"] == "all":
        bench["kernel"] = np.repeat(tables[:1], len(CHANNELS), axis=0) if len(tables) == 1 else tables
    elif len(tables) > 1:
        bench["kernel"] = tables[CHANNELS.index(bench["channel"]) :][:1] if bench["channel"] in CHANNELS else tables[:1]


def _parse(text: str) -> np.ndarray:
    if text in KERNELS:
        return np.array([KERNELS[text].values], np.float64)
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    shapes = {tables * side * side: (tables, side, side) for tables in (1, len(CHANNELS)) for side in SIDES}
    if len(numbers) not in shapes or not all(abs(number) <= MAX_WEIGHT for number in numbers):
        raise ConvolutionError(
            f"The address asks for the kernel “{text[:60]}”, which cannot be used. A kernel is the name of a preset, "
            f"or 9, 25 or 49 numbers up to {MAX_WEIGHT:,.0f} with commas between them (or three times as many). Choose "
            "a preset or edit the numbers."
        )
    return np.reshape(numbers, shapes[len(numbers)])
