"""Whether TensorFlow is installed: a small installation, for the lessons and for *Cat or dog?*, leaves it out."""

import importlib.util

from cnn_core import CnnLabError

MISSING = (
    "TensorFlow is not installed here. Training, models of your own and “Layer by layer” need it; the lessons and the "
    "verdicts of the bundled models do not. The person who runs this app can install it with “pip install -r "
    "requirements.txt”, or use the larger container image."
)


class MissingError(CnnLabError):
    """Something needs TensorFlow where it is not installed."""


def has_tensorflow() -> bool:
    """Tell whether TensorFlow and Keras are installed, without importing them."""
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "keras"))


def need_tensorflow() -> None:
    """Return if TensorFlow is installed.

    Raises
    ------
    MissingError
        When it is not.
    """
    if not has_tensorflow():
        raise MissingError(MISSING)
