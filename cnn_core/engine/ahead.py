"""The compilation of a long training while its images are listed: it needs the network, and no image."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cnn_core.engine.config import TrainingConfig

PATIENCE_SECONDS = 0.5
"""Images whose listing takes longer are many, so the training is a long one."""


@contextmanager
def compiling(config: TrainingConfig, *, alone: bool) -> Iterator[None]:
    """Compile in a thread what a long training will need, if the block within takes long enough for that.

    At the end of the block the thread has ended: TensorFlow fails now and then when two threads build its graphs.

    Parameters
    ----------
    config : TrainingConfig
    alone : bool
        Whether this process trains alone: with others it does not train in the way that is compiled.
    """
    thread = threading.Timer(PATIENCE_SECONDS, _compile, [config])
    if alone:
        thread.start()
    try:
        yield
    finally:
        thread.cancel()
        if alone:
            thread.join()


def _compile(config: TrainingConfig) -> None:
    from cnn_core.engine import image_by_image, precision

    float32 = precision.settled(config.precision) == "float32"
    if float32 and image_by_image.pays(config.network, image_by_image.WORTHWHILE):
        image_by_image.compile_ahead(config.network)
