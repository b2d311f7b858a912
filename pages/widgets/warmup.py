"""Import what takes long at the right time: what every page needs before the server answers; TensorFlow, which takes
seconds and most of a gigabyte, once somebody asks for what needs it.
"""

import gc
import importlib
import os
import threading
import time
from contextlib import suppress

import streamlit as st

from cnn_core.host import turns
from cnn_core.setup import installed

_lock = threading.Lock()
_finished = threading.Event()
_thread: threading.Thread | None = None


def first_page() -> None:
    """Import what every page needs before the server answers; it takes 0.1 s.

    In a thread it would slow down each of the about sixty requests of the first visitor, and take longer itself.
    """
    # An error here is reported again by the page that needs the module.
    with suppress(Exception):
        from pages.widgets import appearance, picture, run_monitor, verdict  # noqa: F401

        picture.get_ready()


def first_verdict() -> None:
    """Load the model that the first page asks, in a thread: the first visitor's browser fetches the page meanwhile."""

    def load() -> None:
        with suppress(Exception):  # an error here is reported again by the page
            from cnn_core import models
            from cnn_core.storage.files import at_home, host_home

            with at_home(host_home()):
                if models.answers_at_once(models.find(models.DEFAULT).path):
                    models.open_model()

    threading.Thread(target=load, name="first model", daemon=True).start()


def start() -> None:
    """Begin to import TensorFlow in the background, once per server. Later calls do nothing."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_load, name="tensorflow", daemon=True)
            _thread.start()


def _load() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no log messages of TensorFlow in the terminal
    try:
        # A broken installation is reported by the page that uses Keras.
        with suppress(Exception):
            for name in ("pandas", "keras"):
                importlib.import_module(name)
        # What TensorFlow has made never becomes garbage: without `freeze`, each search for garbage would look at it.
        gc.collect()
        gc.freeze()
    finally:
        _finished.set()


def ready() -> bool:
    """Return whether TensorFlow is imported, so that `wait` returns at once."""
    return _finished.is_set()


def load() -> None:
    """Import TensorFlow now, in a job that shows its own progress.

    Raises
    ------
    MissingError
        When it is not installed.
    """
    installed.need_tensorflow()
    start()
    _finished.wait()


def wait(message: str) -> None:
    """Wait until TensorFlow is imported. Until then show `message`, which says what for, and how long it has taken.

    Raises
    ------
    MissingError
        When it is not installed.
    """
    installed.need_tensorflow()
    if ready():
        return
    start()
    turns.give_way()
    began = time.monotonic()
    place = st.empty()
    with place.status(f"{message}…", state="running") as status:
        while not _finished.wait(0.25):
            status.update(label=f"{message}… {time.monotonic() - began:.0f} s")
    place.empty()
