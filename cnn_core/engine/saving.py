"""What a run saves while Keras trains, in an order that leaves a run whole at whichever moment it is killed.

At the end of an epoch the checkpoint comes first, then the models, then the history. A run that is killed in between
finds in its checkpoint what the other files lack: `restore_files` supplies it. Import this only when TensorFlow is
wanted.
"""

from __future__ import annotations

import math
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnn_core.engine import snapshots
from cnn_core.engine.checkpoint import CheckpointError, Place
from cnn_core.engine.journal import HISTORY, LAST, MODEL, Journal, Stopped, history_text, keep_steps
from cnn_core.storage.files import replace_file

CHECKPOINT_SECONDS = 25.0
"""How often a checkpoint is written inside an epoch. With a step and the writing, a killed run loses 30 s at most."""

TEST_CHECKPOINT_SECONDS = 5.0
"""Before the last step of an epoch it is written if the last one is this old: the test that follows takes long."""

Logs = dict[str, Any] | None
Rows = list[dict[str, Any]]
"""The finished epochs, one ``history.csv`` row each."""


def restore_files(folder: Path, place: Place, keep_best: bool, save: Callable[[str], None]) -> None:
    """Make the models, the history and the steps of a run agree with its checkpoint, from which it goes on.

    Parameters
    ----------
    folder : Path
    place : Place
    keep_best : bool
        Whether ``model.keras`` is the best epoch's, and ``last.keras`` the last one's.
    save : callable
        Saves the model as the checkpoint holds it, in the file of that name.

    Raises
    ------
    CheckpointError
        When the best epoch's model is missing or damaged: the checkpoint holds only the last one's.
    """
    keep_steps(folder / "steps.jsonl", place.batches)
    snapshots.drop_after(folder, place.batches)
    history, model = folder / "history.csv", folder / MODEL
    expected = history_text(place.rows)
    complete = history.exists() and history.read_bytes() == expected.encode()
    if place.rows and not (complete and zipfile.is_zipfile(model)):
        if not keep_best or (place.step == 0 and is_best(place.rows)):
            save(MODEL)
        elif not zipfile.is_zipfile(model):
            raise CheckpointError(f"{model}, the best epoch's model, is missing or damaged. Start a new run.")
    if keep_best and place.rows and place.step == 0 and not (complete and zipfile.is_zipfile(folder / LAST)):
        save(LAST)
    if place.rows:
        replace_file(history, expected, lasting=True)


def is_best(rows: Rows) -> bool:
    """Tell whether the last epoch's loss on the held-out set is lower than every earlier one's.

    Examples
    --------
    >>> is_best([{"val_loss": 0.6}, {"val_loss": 0.5}]), is_best([{"val_loss": 0.5}, {"val_loss": 0.5}])
    (True, False)
    """
    *earlier, last = [row["val_loss"] for row in rows]
    return bool(last < min(earlier, default=math.inf))


class KeepPlace(keras.callbacks.Callback):
    """Keeps the place up to date: the first callback to hear of a step or an epoch.

    Parameters
    ----------
    place : Place
        If it is inside an epoch, the metrics go on from the values that they have when the training begins.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place

    def on_train_begin(self, logs: Logs = None) -> None:
        """Note the metrics, which Keras is about to reset."""
        self.metrics = [np.asarray(variable) for variable in self.model.metrics_variables] if self.place.step else []

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the clock, and put the metrics back."""
        self.began = time.monotonic() - self.place.seconds
        for variable, value in zip(self.model.metrics_variables, self.metrics, strict=False):
            variable.assign(value)
        self.metrics = []

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Count the step."""
        self.place.step += 1
        self.place.seconds = time.monotonic() - self.began

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Count the epoch, and add its row."""
        values = {name: round(float((logs or {})[name]), 5) for name in HISTORY[1:5]}
        self.place.rows.append({"epoch": epoch + 1, **values, "seconds": round(time.monotonic() - self.began, 2)})
        self.place.epoch, self.place.step, self.place.seconds = epoch + 1, 0, 0.0


class TakeSnapshots(keras.callbacks.Callback):
    """Takes the planned snapshots; before the checkpoint, so that one of the same moment is never missing.

    Parameters
    ----------
    folder : Path
        The run's.
    network : keras.Model
        Whose weights they keep.
    place : Place
    epochs : int
        How many there will be.
    """

    def __init__(self, folder: Path, network: keras.Model, place: Place, epochs: int) -> None:
        super().__init__()
        self.folder, self.network, self.place, self.epochs = folder, network, place, epochs

    def on_train_begin(self, logs: Logs = None) -> None:
        """Plan, and take the one of this moment if it is due: of the untrained network, or what an older run lacks."""
        parameters = sum(math.prod(weight.shape) for weight in self.network.weights)
        self.planned = set(snapshots.plan(self.place.steps, self.epochs, parameters))
        self._take()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Take one if it is due."""
        self._take()

    def _take(self) -> None:
        if self.place.batches in self.planned:
            try:
                snapshots.save(self.folder, self.network, self.place.batches)
            except OSError as error:  # a full disk does not stop the run for a snapshot's sake
                print(f"A snapshot could not be written: {error}", file=sys.stderr, flush=True)


class SaveCheckpoint(keras.callbacks.Callback):
    """Saves the checkpoint after each epoch, and now and then inside one.

    Parameters
    ----------
    save : callable
        Saves it as it is now.
    place : Place
    """

    def __init__(self, save: Callable[[], None], place: Place) -> None:
        super().__init__()
        self.save, self.place = save, place
        self.saved = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save it when it is time; not after the last step, since then only the test is left."""
        before_last = self.place.step == self.place.steps - 1
        if self.place.step < self.place.steps:
            self._save_after(TEST_CHECKPOINT_SECONDS if before_last else CHECKPOINT_SECONDS)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save it."""
        self._save_after(0)

    def _save_after(self, seconds: float) -> None:
        if time.monotonic() - self.saved >= seconds:
            self.save()
            self.saved = time.monotonic()


class SaveModel(keras.callbacks.Callback):
    """Saves the model after each epoch; where the best one is kept, in a file of its own.

    Parameters
    ----------
    save : callable
        Saves the model as it is now, in the file of that name.
    rows : list of dict
        The finished epochs.
    keep_best : bool
        Whether ``model.keras`` stays when an earlier epoch had as low a loss on the held-out set.
    """

    def __init__(self, save: Callable[[str], None], rows: Rows, keep_best: bool) -> None:
        super().__init__()
        self.save, self.rows, self.keep_best = save, rows, keep_best

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save where it is due."""
        if not self.keep_best or is_best(self.rows):
            self.save(MODEL)
        if self.keep_best:
            self.save(LAST)


class WriteHistory(keras.callbacks.Callback):
    """Writes a row for each finished epoch.

    Parameters
    ----------
    path : Path
        ``history.csv``.
    rows : list of dict
        The finished epochs.
    """

    def __init__(self, path: Path, rows: Rows) -> None:
        super().__init__()
        self.path, self.rows = path, rows

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write all rows."""
        replace_file(self.path, history_text(self.rows), lasting=True)


class StopOnRequest(keras.callbacks.Callback):
    """Saves the checkpoint and the model, and ends the run, when somebody asks for it.

    After the last step of an epoch the test and the saving come first: nothing would be left to resume from there.

    Parameters
    ----------
    journal : Journal
    place : Place
    save_checkpoint : callable
        Saves the checkpoint, with the place as it is now.
    save : callable
        Saves the model as it is now, in the file of that name.
    keep_best : bool
        Whether the best epoch's model is kept, if there is one, rather than this moment's.
    epochs : int
        How many there will be; after the last one there is nothing to stop.
    """

    def __init__(
        self,
        journal: Journal,
        place: Place,
        save_checkpoint: Callable[[], None],
        save: Callable[[str], None],
        keep_best: bool,
        epochs: int,
    ) -> None:
        super().__init__()
        self.journal, self.place, self.keep_best, self.epochs = journal, place, keep_best, epochs
        self.save_checkpoint, self.save = save_checkpoint, save

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look for the request."""
        if self.place.step == self.place.steps:
            return
        try:
            self.journal.heed_stop()
        except Stopped:
            self.journal.write(state="stopping", message="Saving the model.")
            self.save_checkpoint()
            if not (self.keep_best and self.place.rows):
                self.save(MODEL)
            raise

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Look for the request, unless this was the last epoch."""
        if epoch + 1 < self.epochs and not self.model.stop_training:
            self.journal.heed_stop()
