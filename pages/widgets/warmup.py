"""Imports that take long happen behind the visitor's back.

What every page needs is imported while the browser loads Streamlit's own script; TensorFlow, which takes seconds, once
the first page is on screen.
"""

import os
import threading
import time
from contextlib import suppress

import streamlit as st

DELAY = 2.0
"""Seconds from the end of the first page's script to the import, which would slow down the page's own drawing."""

_lock = threading.Lock()
_wanted_now = threading.Event()
_finished = threading.Event()
_thread: threading.Thread | None = None


def first_page() -> None:
    """Begin to load what every page needs. Called when the server starts, before anyone visits it."""
    threading.Thread(target=_load_first_page, name="first-page-warmup", daemon=True).start()


def _load_first_page() -> None:
    # What is broken here is reported by the page that needs it.
    with suppress(Exception):
        from pages.widgets import picture, run_monitor, verdict  # noqa: F401

        picture.get_ready()


def start() -> None:
    """Begin to load TensorFlow in the background. Only the first call does anything: one server, one import."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_load, name="tensorflow-warmup", daemon=True)
            _thread.start()


def _load() -> None:
    _wanted_now.wait(DELAY)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # its greetings mean nothing to someone at the terminal
    try:
        # A broken installation is reported by whoever uses Keras, in the thread of the page that needs it.
        with suppress(Exception):
            import keras  # noqa: F401
    finally:
        _finished.set()


def ready() -> bool:
    """Tell whether `wait` would return at once."""
    return _finished.is_set()


def wait(message: str = "Waking up TensorFlow") -> None:
    """Return when TensorFlow is loaded; until then show `message` and the seconds that have passed."""
    if ready():
        return
    start()
    _wanted_now.set()
    began = time.monotonic()
    with st.status(f"{message}…", state="running") as status:
        while not _finished.wait(0.25):
            status.update(label=f"{message}… {time.monotonic() - began:.0f} s")
        status.update(label=f"{message}: done", state="complete")
