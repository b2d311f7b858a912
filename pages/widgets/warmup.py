"""Imports happen behind the visitor's back: what every page needs before the server answers, and TensorFlow, which
takes seconds, once the first page is on screen.
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
"""Seconds without a request after which a page counts as drawn. Importing earlier would hold up what it still needs."""

LONGEST_DELAY = 6.0
"""Seconds after which the import begins in any case: someone else may just be opening the app."""

_lock = threading.Lock()
_wanted_now = threading.Event()
_finished = threading.Event()
_thread: threading.Thread | None = None
_last_request = 0.0


class Requests:
    """ASGI middleware that notes when a browser last asked for a part of Streamlit's own script, as a new page does."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request on, and note when it came and when it was answered."""
        global _last_request
        part = scope["type"] == "http" and "/static/" in scope["path"]
        _last_request = time.monotonic() if part else _last_request
        try:
            await self.app(scope, receive, send)
        finally:
            _last_request = time.monotonic() if part else _last_request


def first_page() -> None:
    """Load what every page needs, a tenth of a second, before the server answers.

    In a thread beside the first visitor's some sixty requests it would hold up each of them, and take longer itself.
    """
    # What is broken here is reported by the page that needs it.
    with suppress(Exception):
        from pages.widgets import look, picture, run_monitor, verdict  # noqa: F401

        picture.get_ready()


def start() -> None:
    """Begin to load TensorFlow in the background. Only the first call does anything: one server, one import."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_load, name="tensorflow-warmup", daemon=True)
            _thread.start()


def _load() -> None:
    began = time.monotonic()
    while time.monotonic() < min(max(began, _last_request) + DELAY, began + LONGEST_DELAY):
        if _wanted_now.wait(0.1):
            break
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # its greetings mean nothing to someone at the terminal
    try:
        # A broken installation is reported by whoever uses Keras, in the thread of the page that needs it.
        with suppress(Exception):
            for name in ("pandas", "keras"):
                importlib.import_module(name)
        # Streamlit collects garbage after every run of a script. To look through all of TensorFlow's objects each time
        # would hold up the answer to every click by some 150 ms; frozen, they are passed over.
        gc.collect()
        gc.freeze()
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
