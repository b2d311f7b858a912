"""What a run can take on the disk, said before it starts."""

from __future__ import annotations

import math
from pathlib import Path

from cnn_core.accurate import sizes
from cnn_core.engine import snapshots
from cnn_core.engine.config import TrainingConfig
from cnn_core.storage.files import home, within

MODEL, CHECKPOINT = 20, 12
"""Bytes for each parameter in ``model.keras`` (the weight, and Adam's two numbers twice) and in ``checkpoint.npz``."""

TUNED_MODEL, TUNED_CHECKPOINT = 5, 16
"""The same for the recipe “accurate”: a model without an optimizer; in the checkpoint the upper blocks twice, as they
were and as they are, with two numbers of the optimizer for each of their parameters."""

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
    config = config.settled()
    images, image = config.images or 0, config.input_size**2 * 3 + 4
    model, checkpoint = MODEL, CHECKPOINT
    if config.recipe == "accurate":
        model, checkpoint = TUNED_MODEL, TUNED_CHECKPOINT
        image += 4 * sizes.FEATURES
    steps = math.ceil(images * (1 - config.test_size) * (1 - config.validation) / config.batch_size)
    models = 3 if config.keeps_best else 2  # one is written beside the one that it replaces
    files = config.parameters * (models * model + checkpoint)
    files += sum(2 * config.parameters + FEW // 10 for _ in snapshots.plan(steps, config.epochs, config.parameters))
    files += STEP * steps * config.epochs + FEW
    own = within(Path(config.data), home())  # what is decoded of the host's pictures is in the host's cache
    return files + (images * image if own else 0)
