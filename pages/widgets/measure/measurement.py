"""Measure a model on pictures in the background."""

import threading
from dataclasses import dataclass, field, replace

import streamlit as st

from cnn_core.data_files import corrections
from cnn_core.evaluation import Evaluation, decide
from cnn_core.host import limits
from pages.widgets import background, warmup

_turn = threading.Lock()
"""One at a time: two would only slow each other down."""


@dataclass(eq=False)
class Measurement(background.Job):
    """One model on one set of pictures.

    Attributes
    ----------
    result : Evaluation or None
        None until it is known.
    broken : list of str
        Pictures that could not be read.
    folder : str
        The dataset's.
    """

    stopped = "Stopped. Choose a model or pictures, or measure again."
    failed = "The model could not be measured ({}). Choose other pictures."

    model: str
    data: str
    images: int | None
    subset: str
    result: Evaluation | None = field(default=None, init=False)
    broken: list[str] = field(default_factory=list, init=False)
    folder: str = field(default="", init=False)

    def work(self) -> None:
        """Wait for the other measurements, then read the pictures and run the model on them."""
        while not _turn.acquire(timeout=0.2):
            self.progress(0, 1, "Waiting for another measurement")
        try:
            self._measure()
        finally:
            _turn.release()

    def _measure(self) -> None:
        from cnn_core import evaluation, models
        from cnn_core.source import Source

        card = models.find(self.model)
        limits.PICTURES.check(self.images or float("inf"))
        source = replace(Source.for_model(card.facts, self.data), corrections={})  # `corrected` applies them, at once
        table = source.subset(self.subset, self.images, self.progress)
        self.broken, self.folder = table.attrs.get("broken", []), table.attrs.get("folder", "")
        if not models.answers_at_once(card.path):
            self.progress(0, 1, "Loading TensorFlow to open the model")
            warmup.load()
        self.progress(0, 1, "Running the model")
        import sklearn.metrics  # noqa: F401  (the page needs it for the scores, and it takes a second)

        self.result = evaluation.remembered(card, table, self.progress)


def measure(model: str, data: str, images: int | None, subset: str, state: tuple) -> Measurement:
    """Return the measurement, and begin it if nobody has; `state` changes when the model or the pictures do."""
    running = background.job(Measurement, model, data, images, subset, state=state)
    before = st.session_state.get("measuring")
    if before is not None and before is not running and not before.ready():
        background.forget(before)  # this visitor waits for another one now
    st.session_state["measuring"] = running
    return running


def corrected(running: Measurement, result: Evaluation, known: corrections.Corrections) -> Evaluation:
    """Return the result with corrected labels: the model need not be asked again."""
    rows = corrections.apply(result.predictions, running.folder, known)
    return decide(Evaluation(rows, result.skipped), 0.5)
