"""The compilation of a long training while its images are listed: it needs the network, and no image."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager

from cnn_core.engine.config import TrainingConfig

THREAD = "compiles ahead"

PATIENCE_SECONDS = 0.5
"""Images whose listing takes longer are many, so the training is a long one."""


@contextmanager
def compiling(config: TrainingConfig, *, alone: bool) -> Iterator[Future[int]]:
    """Compile in a thread what the training will need, if that pays; TensorFlow has been imported.

    The thread may still be at it when the training begins: then the first step waits for it.

    Parameters
    ----------
    config : TrainingConfig
    alone : bool
        Whether this process trains alone: with others it does not train in the way that is compiled.

    Yields
    ------
    concurrent.futures.Future of int
        Waits for the number of steps in the training, all epochs together.
    """
    steps: Future[int] = Future()
    if alone:
        threading.Thread(target=_compile, args=(config, steps), name=THREAD).start()
    try:
        yield steps
    finally:
        steps.cancel()  # where something went wrong, there is nothing to compile for


def _compile(config: TrainingConfig, steps: Future[int]) -> None:
    from cnn_core.engine import image_by_image, precision

    try:
        known: float = steps.result(PATIENCE_SECONDS)
    except NotYet:
        known = math.inf
    except CancelledError:
        return
    if precision.settled(config.precision) == "float32" and image_by_image.pays(config.network, known):
        image_by_image.compile_ahead(config.network)
