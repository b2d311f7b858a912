"""The compilation of a long training before its first step: it needs the network, and no image."""

from __future__ import annotations

import time

from cnn_core.data_files.reading import Progress
from cnn_core.engine import image_by_image, precision
from cnn_core.engine.config import TrainingConfig

PATIENCE_SECONDS = 0.5
"""Images whose listing takes longer are many, so the training is a long one."""


class Ahead:
    """Begins to compile what a training will need as soon as it is clear that this pays.

    Parameters
    ----------
    config : TrainingConfig
    progress : callable
        Receives the progress, called as ``progress(done, total, what)``.
    alone : bool
        Whether this process trains alone: with others it does not train in the way that is compiled.
    """

    def __init__(self, config: TrainingConfig, progress: Progress, *, alone: bool) -> None:
        self._network, self._progress = config.network, progress
        self._due = alone and precision.settled(config.precision) == "float32"
        self._began = time.monotonic()

    def reading(self, done: int, total: int, what: str) -> None:
        """Report progress of the listing; where it takes long, begin."""
        self._progress(done, total, what)
        if time.monotonic() - self._began > PATIENCE_SECONDS:
            self.begin(image_by_image.WORTHWHILE)

    def begin(self, steps: int) -> None:
        """Begin, unless it was begun or does not pay for so many steps."""
        if self._due and image_by_image.pays(self._network, steps):
            self._due = False
            image_by_image.compile_ahead(self._network)
