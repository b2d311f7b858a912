"""What is looked at on the Pixels page: a window, a pixel in it, a threshold, kept in the session and in the address.

The labs and the ordinary controls change the same bench.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from cnn_core.pixels import CHANNELS, ImageError, region, split_channels, tint_channel, to_grayscale
from pages.widgets import address, controls, in_vain

WINDOW: dict[str, controls.Control] = {
    "row": controls.REGION_ROW,
    "column": controls.REGION_COLUMN,
    "size": controls.REGION_SIZE,
    "numbers": controls.REGION_NUMBERS,
    "pixel_row": controls.PIXEL_ROW,
    "pixel_column": controls.PIXEL_COLUMN,
}
BLACK_AND_WHITE: dict[str, controls.Control] = {"threshold": controls.THRESHOLD}

# Where the window is as long as nobody has moved it, as shares of height and width: at Chelsea's eye.
_FIRST = {"row": 0.36, "column": 0.395}
_BENCH = "pixels_bench"


def current() -> dict[str, Any]:
    """Return the bench of this session. A change to the dictionary is a change of the bench.

    ``row`` and ``column`` are None while the window has not been moved, ``pixel_row`` and ``pixel_column`` while the
    pixel is the one in the window's middle.
    """
    if _BENCH not in st.session_state:
        every = (WINDOW | BLACK_AND_WHITE).items()
        st.session_state[_BENCH] = {name: getattr(control, "default", None) for name, control in every}
    return st.session_state[_BENCH]


def read_address() -> None:
    """Take over what a new address asks for. What nothing offers becomes the sentence of `warning`."""
    if refused := address.read_all(current(), WINDOW | BLACK_AND_WHITE):
        in_vain.say(
            _BENCH,
            f"The address asks for {' and '.join(refused)}, which this page does not offer. "
            "Choose a place, a size or a threshold on this page.",
        )


def write_address() -> None:
    """Write the bench into the address, so that the link shows it again.

    All of it, whichever of the two labs has changed: a fragment's run knows the address as the browser had it when it
    asked, and would write over what the other lab's run has written since.
    """
    address.write_together(address.choices(current(), WINDOW | BLACK_AND_WHITE))


def warning() -> str:
    """Return the sentence about what the address asks for and nothing offers; gone after the next change."""
    return in_vain.said(_BENCH)


def change(**changes: Any) -> None:
    """Change some of the bench, whoever asks for it."""
    current().update(changes)
    in_vain.forget()


def corner(image: np.ndarray) -> tuple[int, int]:
    """Return row and column where the window is wanted; it may reach over the picture's edge."""
    bench = current()
    row, column = (
        int(side * _FIRST[name]) if bench[name] is None else min(bench[name], side - 1)
        for name, side in zip(("row", "column"), image.shape[:2], strict=True)
    )
    return row, column


def window(image: np.ndarray) -> tuple[int, int, np.ndarray]:
    """Return row and column of the window's first pixel, and the window's numbers, (h, w, 3)."""
    return region(image, *corner(image), current()["size"])


def numbers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers to write into the cells of a window, and the cells' colors."""
    choice = current()["numbers"]
    if choice == "gray":
        gray = to_grayscale(values)
        return gray, np.dstack([gray, gray, gray])
    if choice in CHANNELS:
        channel = split_channels(values)[CHANNELS.index(choice)]
        return channel, tint_channel(channel, choice)
    return values, values


def for_lab(image: np.ndarray) -> dict[str, Any]:
    """Return the window as the pixel lab has it: inside the picture."""
    top, left, _ = window(image)
    return {name: current()[name] for name in WINDOW} | {"row": top, "column": left}


def from_lab(settings: Mapping[str, Any], part: Mapping[str, controls.Control]) -> None:
    """Take over what a lab has sent. It comes from a browser, so nothing of it is trusted.

    Raises
    ------
    ImageError
        When the page offers nothing like it.
    """
    try:
        change(
            **{
                name: None
                if settings[name] is None and name.startswith("pixel")
                else address.checked(control, settings[name])
                for name, control in part.items()
            }
        )
    except (ValueError, LookupError, TypeError) as error:
        raise ImageError("The lab has sent no place of the picture. Reload the page.") from error
