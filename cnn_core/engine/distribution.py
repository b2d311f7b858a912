"""Training on several machines or graphics cards at once: each computes the gradients of a share of every batch.

The sum of these gradients is the gradient of the whole batch. So the run learns what it would learn on one machine.
Import this only when TensorFlow is wanted.

Keras's own training loop fails under `MultiWorkerMirroredStrategy` in TensorFlow 2.21. So the strategy only runs what is
shared: the answers, the gradients and their sum. Each process has one copy of the weights, made outside of the
strategy, and changes it by the same sum. That is why the fast step, the optimizer, the metrics and the checkpoint are
those of one machine. (With several cards in a machine, the weights are on the first one, and the others read them there.)
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnn_core.engine import checkpoint
from cnn_core.engine.cluster import Cluster, ClusterError, share
from cnn_core.engine.fast_blocks import FastTraining
from cnn_core.engine.journal import Journal
from cnn_core.storage.files import replace_file

STEP_SECONDS = 600
"""How long a worker waits in a step for one that lives but is late. One that has died is noticed within seconds."""

FILES = ("config.json", checkpoint.NAME, "model.keras", "history.csv")
"""What a run goes on from."""


class Team:
    """Those who share each batch.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
    part, parts : int
        Which of the processes this one is, from 0, and how many there are.

    """

    def __init__(self, strategy: tf.distribute.Strategy, part: int = 0, parts: int = 1) -> None:
        self.strategy, self.part, self.parts = strategy, part, parts
        self.asked = False
        self.stops: Callable[[], bool] = lambda: False

    def stop_together(self, journal: Journal) -> None:
        """Let all stop after the same step, as soon as one of them was asked to: whoever stops alone is missed."""
        self.stops, journal.stops = journal.stops, lambda: self.asked

    def total(self, values: Any) -> Any:
        """Add up what the processes hold: int32 arrays of the same shape."""
        if self.parts == 1:
            return values
        return self.strategy.reduce("SUM", tf.constant(values), axis=None).numpy()

    def wait(self) -> None:
        """Wait until all processes have come here."""
        self.total(np.zeros(1, np.int32))

    def copy(self, folder: Path, names: Iterable[str] = FILES) -> None:
        """Copy files of the first process's folder into the folders of the others."""
        for name in names:
            file = folder / name
            content = file.read_bytes() if self.part == 0 and file.exists() else b""
            size = int(self.total(np.int32([len(content)]))[0])
            words = np.zeros(-(-size // 4), np.int32)
            words.view(np.uint8)[: len(content)] = np.frombuffer(content, np.uint8)
            if size:
                words = self.total(words)
            if size and self.part != 0:
                replace_file(file, words.tobytes()[:size])

    def compare(self, files: Iterable[str]) -> None:
        """Make sure that all processes have found the same images.

        Raises
        ------
        ClusterError
            When they have not, in every process.
        """
        found = np.int32([zlib.crc32("\n".join(Path(file).name for file in files).encode()) >> 1])
        of_first = self.total(found if self.part == 0 else found * 0)
        different = int(self.total(np.int32(found != of_first))[0])
        if different:
            raise ClusterError(
                f"{different} of {self.parts} workers found other images than the first one. Put the same images under "
                "the same path on every machine, then start all workers again."
            )


def join(cluster: Cluster, journal: Journal) -> Team:
    """Wait for the other workers, and get from the first one what the run goes on from.

    Parameters
    ----------
    cluster : Cluster
    journal : Journal
        Of this process; its folder receives the files.

    Raises
    ------
    ClusterError
        When this worker cannot use its address.
    Stopped
        When somebody has asked this process to stop waiting.
    """
    journal.write(message=f"Waiting until all {len(cluster.workers)} workers have started.")
    made: list[tf.distribute.Strategy] = []
    errors: list[Exception] = []

    def connect() -> None:
        try:
            made.append(tf.distribute.MultiWorkerMirroredStrategy())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=connect, daemon=True)  # the wait itself cannot be stopped
    thread.start()
    while thread.is_alive():
        journal.heed_stop()
        thread.join(0.2)
    if errors:
        address = cluster.workers[cluster.index]
        raise ClusterError(f"This worker cannot start at {address}: {errors[0]}. Choose another port.") from errors[0]
    team = Team(made[0], cluster.index, len(cluster.workers))
    team.copy(journal.folder)
    return team


def on_this_machine() -> Team | None:
    """Return the graphics cards of this machine, where there are several."""
    several = len(tf.config.list_logical_devices("GPU")) > 1
    return Team(tf.distribute.MirroredStrategy()) if several else None


class SharedTraining(FastTraining):
    """A network's training, each batch of which is shared by a team.

    Its batches hold the images of this process's part and the labels of all: (images, labels), or
    (images, labels, weights of the labels).

    Parameters
    ----------
    network : keras.Sequential
        As `NetworkSpec.build` makes it.
    team : Team
    """

    def __init__(self, network: keras.Sequential, team: Team) -> None:
        super().__init__(network)
        self.team = team

    def make_train_function(self, force: bool = False) -> None:
        """Replace Keras's step."""
        step = tf.function(self._learn, reduce_retracing=True, autograph=False)

        def train(batches: Iterator[Any]) -> Any:
            logs, asked = step(next(batches), tf.constant(float(self.team.stops())))
            self.team.asked = bool(asked > 0)
            return logs

        if self.train_function is None or force:
            self.train_function = train

    def make_test_function(self, force: bool = False) -> None:
        """Replace Keras's step."""
        step = tf.function(self._test, reduce_retracing=True, autograph=False)
        if self.test_function is None or force:
            self.test_function = lambda batches: step(next(batches))

    def _learn(self, batch: Any, asked: Any) -> Any:
        def work(images: Any, labels: Any, weights: Any, count: Any) -> tuple[Any, list[Any]]:
            with tf.GradientTape() as tape:
                answers = self(images, training=True)
                losses = keras.losses.sparse_categorical_crossentropy(labels, answers)
                # Of the whole batch: so the parts' gradients add up, however many images each has.
                loss = tf.reduce_sum(losses if weights is None else losses * weights) / tf.cast(count, tf.float32)
                loss = self.optimizer.scale_loss(loss)
            return answers, [*tape.gradient(loss, self.trainable_variables), tf.identity(asked)]

        answers, (*gradients, asked) = self._shared(batch, work)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self._measure(batch, answers, training=True), asked

    def _test(self, batch: Any) -> Any:
        answers, _ = self._shared(batch, lambda images, *_: (self(images, training=False), []))
        return self._measure(batch, answers, training=False)

    def _shared(self, batch: Any, work: Any) -> tuple[Any, list[Any]]:
        """Let each replica work on its rows; return all answers, (batch, classes), and the sums of the other values."""
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(batch)
        replicas, count = self.team.strategy.num_replicas_in_sync, tf.shape(labels)[0]
        begin, _ = share(count, self.team.part, self.team.parts)

        def on_replica() -> list[Any]:
            context = tf.distribute.get_replica_context()
            first, end = share(count, context.replica_id_in_sync_group, replicas)
            of_rows = None if weights is None else weights[first:end]
            answers, others = work(images[first - begin : end - begin], labels[first:end], of_rows, count)
            rows = tf.pad(answers, [[first, count - end], [0, 0]])
            options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=STEP_SECONDS)
            return list(context.all_reduce("SUM", [rows, *others], options))

        sums = self.team.strategy.run(on_replica)
        answers, *others = [self.team.strategy.experimental_local_results(value)[0] for value in sums]
        return answers, others

    def _measure(self, batch: Any, answers: Any, training: bool) -> Any:
        """Update loss and metrics as Keras does."""
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(batch)
        loss = self.compute_loss(images, labels, answers, weights, training=training)
        of_all = next(metric for metric in self.metrics if metric.name == "loss")
        of_all.update_state(loss, sample_weight=tf.shape(labels)[0])
        return self.compute_metrics(images, labels, answers, weights)
