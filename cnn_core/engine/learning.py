"""A training from any place on: what it goes on with, and the epochs that are left. For both recipes.

Import this only when TensorFlow is wanted.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

from cnn_core.dataset import LABELS
from cnn_core.engine import checkpoint
from cnn_core.engine.callbacks import is_over, run_callbacks
from cnn_core.engine.checkpoint import CheckpointError, Place
from cnn_core.engine.config import MIN_WARMUP, WARMUP, TrainingConfig
from cnn_core.engine.journal import Journal, read_history
from cnn_core.engine.saving import restore_files


def set_seed(config: TrainingConfig) -> None:
    """Seed all that is random, and where the settings ask for it let every operation add in a fixed order."""
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def learning_rate(config: TrainingConfig, steps: int) -> Any:
    """Return the learning rate, or its schedule over all epochs, each of so many steps."""
    rate, total = config.learning_rate, steps * config.epochs
    if config.schedule == "constant":
        return rate
    if config.schedule == "cosine":
        return CosineDecay(rate, total)
    rising = max(1, round(WARMUP * total), min(MIN_WARMUP, total // 2))
    return CosineDecay(rate / rising, max(1, total - rising), warmup_target=rate, warmup_steps=rising)


def open_or_build(folder: Path, steps: int, build: Callable[[], keras.Model], older: Path) -> tuple[keras.Model, Place]:
    """Return the model to go on with, its optimizer's state included, and where it stands.

    Parameters
    ----------
    folder : Path
        The run's.
    steps : int
        Batches of an epoch.
    build : callable
        Makes a new model, compiled.
    older : Path
        The model from which a run goes on that was begun before there were checkpoints: after its last epoch.

    Raises
    ------
    CheckpointError
        When the checkpoint is damaged or does not fit, or what an older run goes on from is damaged.
    """
    place = checkpoint.read_place(folder, steps)
    if place is None and older.exists():
        return _open_older(folder, steps, older)
    model = build()
    _make_metrics(model)
    if place is None:
        return model, Place(steps)
    checkpoint.restore(folder, model)
    return model, place


def _make_metrics(model: keras.Model) -> None:
    """Let a model make the variables of its metrics. If its first step makes them, TensorFlow traces that twice."""
    model.compute_metrics(None, tf.zeros([1], tf.int32), tf.fill([1, len(LABELS)], 1 / len(LABELS)))
    model.reset_metrics()


def _open_older(folder: Path, steps: int, older: Path) -> tuple[keras.Model, Place]:
    try:
        rows = read_history(folder).to_dict("records")
        return keras.saving.load_model(older), Place(steps, len(rows), rows=rows)
    except (OSError, ValueError, LookupError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"This run has no checkpoint, and {older.name} or history.csv is damaged. Start a new run."
        ) from error


def learn(
    model: keras.Model,
    network: keras.Model,
    place: Place,
    config: TrainingConfig,
    journal: Journal,
    images: int,
    serve: Callable[[range], tf.data.Dataset],
    unseen: tf.data.Dataset,
    save: Callable[[str], None],
    more: list[keras.callbacks.Callback],
    class_weight: dict[int, float] | None = None,
) -> None:
    """Train a model from its place on to the last epoch, first what is left of the epoch under way.

    Parameters
    ----------
    model, place
        As `open_or_build` returns them.
    network : keras.Model
        The part of the model that answers, whose weights the snapshots keep.
    config : TrainingConfig
        Of which epochs, batch_size and what decides the model that is kept count.
    journal : Journal
        The run's; its folder receives all files.
    images : int
        Number of training images.
    serve : callable
        Returns the training batches with these numbers.
    unseen : tensorflow.data.Dataset
        The batches to test on after each epoch.
    save : callable
        Saves the model as it is now, in the file of that name in the run's folder.
    more : list of keras.callbacks.Callback
        Are called first.
    class_weight : dict of int to float, optional
        How much an image of each class counts.
    """
    folder = journal.folder
    restore_files(folder, place, config.keeps_best, save)
    if is_over(place.rows, config.patience):
        return
    callbacks = run_callbacks(
        journal, config, images, network, place, save, lambda: checkpoint.save(folder, model, place)
    )
    under_way = place.epoch + 1 if place.step else place.epoch
    for end in (under_way, config.epochs):
        if place.epoch < end <= config.epochs and not model.stop_training:
            model.fit(
                serve(range(place.batches, end * place.steps)),
                validation_data=unseen,
                epochs=end,
                initial_epoch=place.epoch,
                steps_per_epoch=place.steps - place.step,
                class_weight=class_weight,
                callbacks=[*more, *callbacks],
                shuffle=False,  # the batches come shuffled
                verbose=0,
            )
