"""The import of TensorFlow, without what takes time and nobody uses."""

from __future__ import annotations

import gc
import importlib
import sys


def import_tensorflow(alone: bool = True) -> None:
    """Import TensorFlow and Keras, without scikit-learn, which takes a quarter of the time.

    Keras imports it, and with it SciPy's statistics, for wrappers that nobody uses here. Now Keras finds that it is not
    installed; who needs it later can still import it. Call this before anything else imports TensorFlow; where
    something has, it does nothing.

    Parameters
    ----------
    alone : bool
        No other thread of this process may ask for scikit-learn meanwhile: it would find that it is not installed.
        False imports scikit-learn, too.
    """
    if "keras" in sys.modules:
        importlib.import_module("keras")  # waits until it is whole, where another thread has begun it
        return
    gc.disable()  # it would look through all these new objects again and again, a fifth of the time, and find nothing
    hides = alone and "sklearn" not in sys.modules
    if hides:
        sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("keras")
        gc.freeze()  # nor will it find anything among them later
    finally:
        gc.enable()
        if hides:
            del sys.modules["sklearn"]
