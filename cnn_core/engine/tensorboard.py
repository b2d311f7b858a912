"""The event files that TensorBoard shows: ``tensorboard --logdir RUNS``. Import this only when TensorFlow is wanted.

An event file is a TFRecord file of Event messages. Writing them takes TensorFlow alone; ``tf.summary`` and Keras's own
callback also need the package tensorboard, which TensorFlow no longer brings along.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from cnn_core.engine.checkpoint import Place
from cnn_core.engine.saving import Logs


class EventFile:
    """A new event file in a folder; TensorBoard calls it by the folder's name.

    Parameters
    ----------
    folder : Path
    first : int
        The first step to come. Where earlier files of the folder have it already, TensorBoard forgets it there: a
        resumed run trains an unfinished epoch again.
    """

    def __init__(self, folder: Path, first: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = tf.io.TFRecordWriter(str(folder / f"events.out.tfevents.{time.time_ns()}"))
        self._write(file_version="brain.Event:2")
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        self._write(step=first, session_log=start)

    def add(self, step: int, scalars: dict[str, float]) -> None:
        """Write some scalars of a step, by name."""
        values = [tf.compat.v1.Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        self._write(step=step, summary=tf.compat.v1.Summary(value=values))

    def _write(self, **event: Any) -> None:
        with suppress(tf.errors.OpError):  # a full disk does not stop the run for this file's sake
            self.file.write(tf.compat.v1.Event(wall_time=time.time(), **event).SerializeToString())
            self.file.flush()

    def close(self) -> None:
        """Close the file."""
        with suppress(tf.errors.OpError):
            self.file.close()


class WriteEvents(keras.callbacks.Callback):
    """Writes loss and accuracy for TensorBoard, with the tags of Keras's own callback.

    ``batch_loss`` and ``batch_accuracy`` are the means of the epoch up to each step (from 1, over all epochs);
    ``epoch_loss`` and ``epoch_accuracy`` those after each epoch (from 1), for the training set and the held-out set.

    Parameters
    ----------
    folder : Path
        The run folder; the files go into ``train`` and into the folder named after the held-out set.
    held_out : {"test", "validation"}
    place : Place
        Where the run stands.
    """

    def __init__(self, folder: Path, held_out: str, place: Place) -> None:
        super().__init__()
        self.folder, self.held_out, self.place = folder, held_out, place

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the files behind the place."""
        first = self.place.batches + 1
        self.training = EventFile(self.folder / "train", first)
        self.unseen = EventFile(self.folder / self.held_out, first)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write a step."""
        self.training.add(self.place.batches, _scalars("batch_", "", logs))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write an epoch."""
        self.training.add(epoch + 1, _scalars("epoch_", "", logs))
        self.unseen.add(epoch + 1, _scalars("epoch_", "val_", logs))

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the files."""
        self.training.close()
        self.unseen.close()


def _scalars(tag: str, name: str, logs: Logs) -> dict[str, float]:
    return {f"{tag}{what}": float((logs or {})[f"{name}{what}"]) for what in ("loss", "accuracy")}
