"""The callbacks that write a run's folder while Keras trains, each with one task.

Import this only when TensorFlow is wanted. The order of `run_callbacks` matters: the model is saved before the history
says that the epoch is done, so a killed run never claims an epoch that its model has not learned.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from cnn_core.engine.config import TrainingConfig
from cnn_core.engine.journal import HISTORY, Diverged, Journal, Stopped, keep_steps, read_history
from cnn_core.engine.tensorboard import WriteEvents
from cnn_core.storage.files import replace_file

Logs = dict[str, Any] | None
Rows = list[dict[Any, Any]]
"""The finished epochs, one ``history.csv`` row each; shared by the callbacks of a run."""


def run_callbacks(
    journal: Journal, config: TrainingConfig, images: int, steps: int, save: Callable[[], None]
) -> list[keras.callbacks.Callback]:
    """Make the callbacks of a run.

    Parameters
    ----------
    journal : Journal
    config : TrainingConfig
    images, steps : int
        Training images and batches of one epoch.
    save : callable
        Saves the model as it is now.

    Returns
    -------
    list of keras.callbacks.Callback
    """
    rows: Rows = read_history(journal.folder).to_dict("records")
    keep_best = config.keeps_best
    return [
        StopIfDiverged(),
        LogSteps(journal.folder / "steps.jsonl", len(rows) * steps),
        ReportProgress(journal, config, images, steps, len(rows)),
        StopOnRequest(journal, save, lambda: not (keep_best and rows)),
        SaveModel(save, rows, keep_best),
        WriteHistory(journal.folder / "history.csv", rows),
        WriteEvents(journal.folder, config.held_out, len(rows) * steps),
        StopEarly(rows, config.patience),
    ]


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
        ``steps.jsonl``.
    done : int
        Steps of the finished epochs; those of an unfinished one are dropped, since it is trained again.
    """

    def __init__(self, path: Path, done: int) -> None:
        super().__init__()
        self.path, self.done = path, done
        self.epoch = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the file behind the last finished epoch."""
        self.step = keep_steps(self.path, self.done)
        self.file = self.path.open("a", encoding="utf-8")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the epoch."""
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write the line."""
        self.step += 1
        values = {"loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])} if logs else {}
        self.file.write(json.dumps({"step": self.step, "epoch": self.epoch, **values}) + "\n")
        self.file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the file."""
        self.file.close()


class ReportProgress(keras.callbacks.Callback):
    """Keeps the status up to date: epoch, step, images per second, time left.

    Parameters
    ----------
    journal : Journal
    config : TrainingConfig
    images, steps : int
        Training images and batches of one epoch.
    done : int
        Finished epochs.
    """

    def __init__(self, journal: Journal, config: TrainingConfig, images: int, steps: int, done: int) -> None:
        super().__init__()
        self.journal, self.config, self.images, self.steps, self.epoch = journal, config, images, steps, done
        self.compiled = done > 0  # the very first step mostly compiles, so it says nothing of the speed
        self.trained = 0
        self.seconds = 0.0  # of training alone, without the tests at the end of an epoch

    def on_train_begin(self, logs: Logs = None) -> None:
        """Say that the run is on its way."""
        self.journal.write(
            state="running", message="", epoch=self.epoch + 1, epochs=self.config.epochs, steps=self.steps
        )

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the clock."""
        self.epoch, self.last = epoch, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Measure the speed, and tell it."""
        now, size = time.monotonic(), self.config.batch_size
        if self.compiled:
            self.seconds += now - self.last
            self.trained += min(size, self.images - batch * size)
        self.compiled, self.last = True, now
        speed = self.trained / self.seconds if self.seconds else 0.0
        left = (self.config.epochs - self.epoch) * self.images - (batch + 1) * size
        self.journal.note(
            epoch=self.epoch + 1,
            step=batch + 1,
            images_per_second=round(speed, 1),
            seconds_left=round(max(left, 0) / speed, 1) if speed else None,
        )


class StopOnRequest(keras.callbacks.Callback):
    """Saves the model and ends the run when somebody asks for it.

    Parameters
    ----------
    journal : Journal
    save : callable
        Saves the model as it is now.
    wanted : callable
        Tells whether this moment's model is to be saved: not when the best epoch's model is there already.
    """

    def __init__(self, journal: Journal, save: Callable[[], None], wanted: Callable[[], bool]) -> None:
        super().__init__()
        self.journal, self.save, self.wanted = journal, save, wanted

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look for the request."""
        try:
            self.journal.heed_stop()
        except Stopped:
            self.journal.write(state="stopping", message="Saving the model.")
            if self.wanted():
                self.save()
            raise


class SaveModel(keras.callbacks.Callback):
    """Saves the model after each epoch, or only after the best so far.

    Parameters
    ----------
    save : callable
        Saves the model as it is now.
    rows : list of dict
        The epochs before this one.
    keep_best : bool
        Whether an epoch with a higher loss on the held-out set than an earlier one is not saved.
    """

    def __init__(self, save: Callable[[], None], rows: Rows, keep_best: bool) -> None:
        super().__init__()
        self.save, self.rows, self.keep_best = save, rows, keep_best

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save where it is due."""
        best = min((row["val_loss"] for row in self.rows), default=math.inf)
        if not self.keep_best or round(float((logs or {})["val_loss"]), 5) < best:
            self.save()


class WriteHistory(keras.callbacks.Callback):
    """Writes a row for each finished epoch.

    Parameters
    ----------
    path : Path
        ``history.csv``.
    rows : list of dict
        The epochs before; each new one is added.
    """

    def __init__(self, path: Path, rows: Rows) -> None:
        super().__init__()
        self.path, self.rows = path, rows

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the clock."""
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Add the row."""
        values = {name: round(float((logs or {})[name]), 5) for name in HISTORY[1:5]}
        self.rows.append({"epoch": epoch + 1, **values, "seconds": round(time.monotonic() - self.began, 2)})
        replace_file(self.path, pd.DataFrame(self.rows, columns=HISTORY).to_csv(index=False))


class StopEarly(keras.callbacks.Callback):
    """Ends the training after some epochs without a lower loss on the held-out set, also before a run was resumed.

    Parameters
    ----------
    rows : list of dict
        The finished epochs.
    patience : int or None
        How many; None for never.
    """

    def __init__(self, rows: Rows, patience: int | None) -> None:
        super().__init__()
        self.rows, self.patience = rows, patience

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Count the epochs since the best."""
        losses = [row["val_loss"] for row in self.rows]
        if self.patience and len(losses) - 1 - losses.index(min(losses)) >= self.patience:
            self.model.stop_training = True
