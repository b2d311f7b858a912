"""Measure a model on pictures in the background, so that the page stays alive, shows progress and can stop it."""

import threading
import time
from collections import OrderedDict

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.evaluation import Evaluation

_KEPT = 8


_turn = threading.Lock()
"""One at a time: two would only slow each other down."""


class Stopped(CnnLabError):
    """The visitor has stopped the measurement."""


class Measurement:
    """One model on one set of pictures, measured in a thread of its own."""

    def __init__(self, model: str, data: str, images: int | None, subset: str) -> None:
        self.done, self.total, self.what = 0, 1, "Looking into the pictures"
        self.result: Evaluation | None = None
        self.broken: list[str] = []
        self.error = ""
        self._begun = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(model, data, images, subset), daemon=True)
        self._thread.start()

    def ready(self, wait: float = 0.0) -> bool:
        """Tell whether it is over; wait for it at most `wait` seconds."""
        self._thread.join(wait)
        return not self._thread.is_alive()

    @property
    def seconds_left(self) -> float | None:
        """How long what it does now still takes, by its speed so far; None while that is anybody's guess."""
        spent = time.monotonic() - self._begun
        return spent / self.done * (self.total - self.done) if self.done and spent > 1 else None

    def stop(self) -> None:
        """End it after the pictures at hand."""
        self._stopped.set()

    def _work(self, model: str, data: str, images: int | None, subset: str) -> None:
        from cnn_core import evaluation, models
        from cnn_core.source import Source

        try:
            while not _turn.acquire(timeout=0.2):
                self._progress(0, 1, "Waiting for another measurement")
        except Stopped as error:
            self.error = str(error)
            return
        try:
            card = models.find(model)
            table = Source.for_model(card.facts, data).subset(subset, images, self._progress)
            self.broken = table.attrs.get("broken", [])
            self._progress(0, 1, "Asking the model")
            import sklearn.metrics  # noqa: F401  (the page's scores ask for it, and it takes a second)

            self.result = evaluation.remembered(card, table, self._progress)
        except CnnLabError as error:
            self.error = str(error)
        except Exception as error:  # in a thread nobody else would hear of it
            self.error = f"The model could not be measured ({type(error).__name__}: {error}). Choose other pictures."
        finally:
            _turn.release()

    def _progress(self, done: int, total: int, what: str) -> None:
        if what != self.what:
            self._begun = time.monotonic()
        self.done, self.total, self.what = done, max(total, 1), what
        if self._stopped.is_set():
            raise Stopped("Stopped. Choose a model or pictures, or measure again.")


@st.cache_resource
def _kept() -> OrderedDict:
    return OrderedDict()


def measure(model: str, data: str, images: int | None, subset: str, state: tuple) -> Measurement:
    """Return the measurement, beginning it if nobody has; `state` changes when the model or the pictures do."""
    kept, key = _kept(), (model, data, images, subset, state)
    before = st.session_state.get("measuring")
    if before in kept and before != key and not kept[before].ready():
        kept.pop(before).stop()  # this visitor waits for another one now
    st.session_state["measuring"] = key
    if key not in kept:
        kept[key] = Measurement(model, data, images, subset)
        while len(kept) > _KEPT:
            kept.popitem(last=False)[1].stop()
    return kept[key]


def forget(measurement: Measurement) -> None:
    """Drop a measurement, so that the next run of the page begins it anew."""
    kept = _kept()
    for key in [key for key, value in kept.items() if value is measurement]:
        del kept[key]
