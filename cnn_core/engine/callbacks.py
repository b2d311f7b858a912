"""The callbacks of a run while Keras trains, each with one task: those that report, and the order of all.

Import this only when TensorFlow is wanted. The order of `run_callbacks` matters: the place first; at the end of an
epoch the checkpoint, then the model, then the history (`saving` says why); the request to stop when all that is safe.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import keras

from cnn_core.data_files import corrections
from cnn_core.data_files.decoded import Images
from cnn_core.engine.checkpoint import Place
from cnn_core.engine.config import TrainingConfig
from cnn_core.engine.journal import Diverged, Journal, read_broken
from cnn_core.engine.saving import (
    KeepPlace,
    Logs,
    Rows,
    SaveCheckpoint,
    SaveModel,
    StopOnRequest,
    TakeSnapshots,
    WriteHistory,
)
from cnn_core.engine.tensorboard import WriteEvents


def run_callbacks(
    journal: Journal,
    config: TrainingConfig,
    images: int,
    network: keras.Model,
    place: Place,
    save: Callable[[str], None],
    save_checkpoint: Callable[[], None],
) -> list[keras.callbacks.Callback]:
    """Make the callbacks of a run.

    Parameters
    ----------
    journal : Journal
    config : TrainingConfig
    images : int
        Number of training images.
    network : keras.Model
        Whose weights the snapshots keep.
    place : Place
        Where the run stands; from here on the callbacks keep it.
    save : callable
        Saves the model as it is now, in the file of that name.
    save_checkpoint : callable
        Saves the checkpoint, with the place as it is now.

    Returns
    -------
    list of keras.callbacks.Callback
    """
    keep_best = config.keeps_best
    return [
        StopIfDiverged(),
        KeepPlace(place),
        LogSteps(journal.folder / "steps.jsonl", place),
        ReportProgress(journal, config, images, place),
        TakeSnapshots(journal.folder, network, place, config.epochs),
        SaveCheckpoint(save_checkpoint, place),
        SaveModel(save, place.rows, keep_best),
        WriteHistory(journal.folder / "history.csv", place.rows),
        WriteEvents(journal.folder, config.held_out, place),
        *([StopEarly(place.rows, config.patience)] if config.patience else []),
        StopOnRequest(journal, place, save_checkpoint, save, keep_best, config.epochs),
    ]


def is_over(rows: Rows, patience: int | None) -> bool:
    """Tell whether there have been `patience` epochs since the one with the lowest loss on the held-out set.

    Examples
    --------
    >>> is_over([{"val_loss": 0.5}, {"val_loss": 0.6}, {"val_loss": 0.7}], patience=2)
    True
    """
    model = SimpleNamespace(stop_training=False)
    if patience:
        stopping = StopEarly(rows, patience)
        stopping.set_model(model)
        stopping.on_train_begin()
    return bool(model.stop_training)


class StopIfDiverged(keras.callbacks.Callback):
    """Ends the run when the loss is no longer a number."""

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look at the loss."""
        if logs and not math.isfinite(float(logs["loss"])):
            raise Diverged("The loss is no longer a number: the weights became too large. Use a smaller learning rate.")


class LogSteps(keras.callbacks.Callback):
    """Writes a line a step: the epoch's loss and accuracy so far.

    Parameters
    ----------
    path : Path
        ``steps.jsonl``, with the steps up to the place.
    place : Place
    """

    def __init__(self, path: Path, place: Place) -> None:
        super().__init__()
        self.path, self.place = path, place

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the file."""
        self.file = self.path.open("a", encoding="utf-8")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write the line."""
        values = {"loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])} if logs else {}
        line = {"step": self.place.batches, "epoch": self.place.epoch + 1, **values}
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the file."""
        self.file.close()


class NameBroken(keras.callbacks.Callback):
    """Counts and names the images that could not be read, as they are met.

    Parameters
    ----------
    journal : Journal
    parts : sequence of Images
        The training set and the held-out set.
    dataset : str
        Their dataset's folder.
    """

    def __init__(self, journal: Journal, parts: Sequence[Images], dataset: str) -> None:
        super().__init__()
        self.journal, self.parts, self.dataset = journal, parts, dataset
        self.named = set(read_broken(journal.folder))  # before the run was resumed
        self.seen = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Name those that were met before."""
        self._name()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Name those of the next batches, which are read ahead."""
        self._name()

    def on_test_end(self, logs: Logs = None) -> None:
        """Name those of the held-out set."""
        self._name()

    def _name(self) -> None:
        if self.seen == sum(len(part.broken) for part in self.parts):
            return
        files = [file for part in self.parts for file in list(part.broken.values())]
        self.seen = len(files)
        new = sorted(set(corrections.names(files, self.dataset)) - self.named)
        self.named.update(new)
        with (self.journal.folder / "broken.txt").open("a", encoding="utf-8", errors="replace") as file:
            file.writelines(f"{name}\n" for name in new)
        self.journal.note(broken=len(self.named))


class ReportProgress(keras.callbacks.Callback):
    """Keeps the status up to date: epoch, step, images per second, time left.

    Parameters
    ----------
    journal : Journal
    config : TrainingConfig
    images : int
        Number of training images.
    place : Place
    """

    def __init__(self, journal: Journal, config: TrainingConfig, images: int, place: Place) -> None:
        super().__init__()
        self.journal, self.config, self.images, self.place = journal, config, images, place
        self.compiled = False  # the very first step mostly compiles, so it says nothing of the speed
        self.trained = 0
        self.seconds = 0.0  # of training alone, without the tests at the end of an epoch

    def on_train_begin(self, logs: Logs = None) -> None:
        """Say that the run is on its way."""
        self.journal.write(
            state="running", message="", epoch=self.place.epoch + 1, epochs=self.config.epochs, steps=self.place.steps
        )

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the clock."""
        self.last = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Measure the speed, and tell it."""
        now, size, seen = time.monotonic(), self.config.batch_size, self.place.step * self.config.batch_size
        if self.compiled:
            self.seconds += now - self.last
            self.trained += min(size, self.images + size - seen)
        self.compiled, self.last = True, now
        speed = self.trained / self.seconds if self.seconds else 0.0
        left = (self.config.epochs - self.place.epoch) * self.images - seen
        self.journal.note(
            epoch=self.place.epoch + 1,
            step=self.place.step,
            images_per_second=round(speed, 1),
            seconds_left=round(max(left, 0) / speed, 1) if speed else None,
        )


class StopEarly(keras.callbacks.EarlyStopping):
    """Keras's early stopping, which also counts the epochs before a run was resumed.

    Parameters
    ----------
    rows : list of dict
        The finished epochs. It looks at these, which are rounded: so a resumed run stops where another would.
    patience : int
        End the training after so many epochs without a lower loss on the held-out set.
    """

    def __init__(self, rows: Rows, patience: int) -> None:
        super().__init__("val_loss", patience=patience, mode="min")
        self.rows = rows

    def on_train_begin(self, logs: Logs = None) -> None:
        """Count the epochs that there have been."""
        super().on_train_begin(logs)
        for number, row in enumerate(self.rows):
            super().on_epoch_end(number, row)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Count one more."""
        super().on_epoch_end(epoch, self.rows[-1])
