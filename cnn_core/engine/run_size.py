"""What a run can take on the disk, said before it starts."""

from __future__ import annotations

import math
from pathlib import Path

from cnn_core.engine import snapshots
from cnn_core.engine.config import TrainingConfig
from cnn_core.storage.files import home, within

MODEL, CHECKPOINT = 20, 12
"""Bytes for each parameter in ``model.keras`` (the weight, and Adam's two numbers twice) and in ``checkpoint.npz``."""

STEP = 200
"""Bytes for each step in ``steps.jsonl`` and in the file for TensorBoard."""

FEW = 500_000
"""Bytes of the other files, and of the names and shapes in all of them."""


def most_bytes(config: TrainingConfig) -> int:
    """Return what a run takes at most, while it trains; the pictures that it keeps decoded included.

    Parameters
    ----------
    config : TrainingConfig
        With a number of images; should the dataset have fewer, the run takes less.

    Examples
    --------
    >>> most_bytes(TrainingConfig(images=80, epochs=3)) // 10**6
    239
    """
    parameters, images = config.network.parameters, config.images or 0
    steps = math.ceil(images * (1 - config.test_size) * (1 - config.validation) / config.batch_size)
    files = parameters * (2 * MODEL + CHECKPOINT)  # the model is written beside the one that it replaces
    files += sum(2 * parameters + FEW // 10 for _ in snapshots.plan(steps, config.epochs, parameters))
    files += STEP * steps * config.epochs + FEW
    own = within(Path(config.data), home())  # what is decoded of the host's pictures is in the host's cache
    return files + (images * (config.network.input_size**2 * 3 + 4) if own else 0)
