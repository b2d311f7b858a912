"""Whether the app is for one person or for many: ``$CNN_LAB_MODE``."""

from __future__ import annotations

import os

from cnn_core import CnnLabError

VARIABLE = "CNN_LAB_MODE"
MODES = ("personal", "shared")


class ModeError(CnnLabError):
    """The environment asks for a mode that there is not."""


def shared() -> bool:
    """Tell whether each visitor has a space of their own.

    Raises
    ------
    ModeError
        When ``$CNN_LAB_MODE`` is neither "personal" nor "shared".

    Examples
    --------
    >>> shared()
    False
    """
    mode = os.environ.get(VARIABLE) or MODES[0]
    if mode not in MODES:
        raise ModeError(f"{VARIABLE} must be {' or '.join(MODES)}; it is “{mode}”. Correct it or remove it.")
    return mode == "shared"
