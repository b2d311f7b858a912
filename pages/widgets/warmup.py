"""Import early what takes long: what every page needs before the server answers, and TensorFlow in the background,
once the first page is on screen.
"""

import gc
import importlib
import os
import threading
import time
from contextlib import suppress
from typing import Any

import streamlit as st

DELAY = 1.0
"""Seconds without a request after which a page counts as drawn. An earlier import would slow down its loading."""

LONGEST_DELAY = 6.0
"""Seconds after which the import begins in any case, even if other visitors keep opening the app."""

_lock = threading.Lock()
_wanted_now = threading.Event()
_finished = threading.Event()
_thread: threading.Thread | None = None

last_request = 0.0
"""When a browser last requested a part of Streamlit's own frontend, by `time.monotonic`."""


class Requests:
    """ASGI middleware that records when a browser last requested a part of Streamlit's frontend, as a new page does."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, and record when it came and when it was answered."""
        global last_request
        part = scope["type"] == "http" and "/static/" in scope["path"]
        last_request = time.monotonic() if part else last_request
        try:
            await self.app(scope, receive, send)
        finally:
            last_request = time.monotonic() if part else last_request


def first_page() -> None:
    """Import what every page needs before the server answers; it takes 0.1 s.

    In a thread it would slow down each of the about sixty requests of the first visitor, and take longer itself.
    """
    # An error here is reported again by the page that needs the module.
    with suppress(Exception):
        from pages.widgets import look, picture, run_monitor, verdict  # noqa: F401

        picture.get_ready()


def start() -> None:
    """Begin to import TensorFlow in the background, once per server. Later calls do nothing."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_load, name="tensorflow-warmup", daemon=True)
            _thread.start()


def _load() -> None:
    began = time.monotonic()
    while time.monotonic() < min(max(began, last_request) + DELAY, began + LONGEST_DELAY):
        if _wanted_now.wait(0.1):
            break
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no log messages of TensorFlow in the terminal
    try:
        # A broken installation is reported by the page that uses Keras.
        with suppress(Exception):
            for name in ("pandas", "keras"):
                importlib.import_module(name)
        # Streamlit collects garbage after every run of a script. Without `freeze` it would check all of TensorFlow's
        # objects each time, and every click would take about 150 ms longer.
        gc.collect()
        gc.freeze()
    finally:
        _finished.set()


def ready() -> bool:
    """Return whether TensorFlow is imported, so that `wait` returns at once."""
    return _finished.is_set()


def wait(message: str = "Loading TensorFlow") -> None:
    """Wait until TensorFlow is imported. Until then show `message` and the seconds that have passed."""
    if ready():
        return
    start()
    _wanted_now.set()
    began = time.monotonic()
    with st.status(f"{message}…", state="running") as status:
        while not _finished.wait(0.25):
            status.update(label=f"{message}… {time.monotonic() - began:.0f} s")
        status.update(label=f"{message}: done", state="complete")
