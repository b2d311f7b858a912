"""Training on several machines or graphics cards at once: each computes the gradients of a share of every batch.

The sum of these gradients is the gradient of the whole batch. So the run learns what it would learn on one machine.
Import this only when TensorFlow is wanted.

Keras's own training loop fails under `MultiWorkerMirroredStrategy` in TensorFlow 2.21. So the strategy only runs what
is shared: the answers, the gradients and their sum. Each process has one copy of the weights, made outside of the
strategy, and changes it by the same sum. So the fast step, the optimizer, the metrics and the checkpoint are those of
one machine. Where a machine has several cards, the weights are on the first one, and the others read them there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from cnn_core.engine.cluster import share
from cnn_core.engine.fast_blocks import FastTraining
from cnn_core.engine.team import Team

STEP_SECONDS = 600
"""How long a worker waits in a step for one that lives but is late. One that has died is noticed within seconds."""


class SharedTraining(FastTraining):
    """A network's training, each batch of which is shared by a team. A batch is here what this process has of it.

    Parameters
    ----------
    network : keras.Sequential
        As `NetworkSpec.build` makes it.
    team : Team
    most : int
        Images of the largest batch, of all processes together.
    """

    train_function: Any
    test_function: Any

    def __init__(self, network: keras.Sequential, team: Team, most: int) -> None:
        super().__init__(network)
        self.team, self.rows = team, -(-most // team.parts)

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
        def work(images: Any, labels: Any, weights: Any) -> tuple[Any, list[Any]]:
            with tf.GradientTape() as tape:
                answers = self(images, training=True)
                losses = keras.losses.sparse_categorical_crossentropy(labels, answers)
                loss = self.optimizer.scale_loss(tf.reduce_sum(losses * weights))
            return answers, [*tape.gradient(loss, self.trainable_variables), tf.identity(asked)]

        whole, (*gradients, asked) = self._shared(batch, work)
        count = tf.cast(tf.shape(whole[0])[0], tf.float32)
        # Divided only now, by the images of all: so a share counts by its images, however many it has.
        self.optimizer.apply([gradient / count for gradient in gradients], self.trainable_variables)
        return self._measure(*whole, training=True), asked

    def _test(self, batch: Any) -> Any:
        whole, _ = self._shared(batch, lambda images, *_: (self(images, training=False), []))
        return self._measure(*whole, training=False)

    def _shared(self, batch: Any, work: Any) -> tuple[tuple[Any, Any, Any], list[Any]]:
        """Let each replica work on its rows.

        Returns
        -------
        whole : tuple of tensor
            The answers of all, (batch, classes), their labels and weights, (batch,).
        sums : list of tensor
            The sums of what else the replicas return.
        """
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(batch)
        weights = tf.ones(tf.shape(labels)) if weights is None else tf.cast(weights, tf.float32)
        strategy, parts = self.team.strategy, self.team.parts
        devices = strategy.num_replicas_in_sync // parts

        def on_replica() -> list[Any]:
            context = tf.distribute.get_replica_context()
            first, end = share(tf.shape(labels)[0], context.replica_id_in_sync_group % devices, devices)
            answers, others = work(images[first:end], labels[first:end], weights[first:end])
            about = tf.stack([tf.cast(labels[first:end] + 1, tf.float32), weights[first:end]], axis=1)
            # A table with room for the rows of all, where only these are not 0: so the sum of the tables has all rows.
            before = self.team.part * self.rows + first
            after = parts * self.rows - before - (end - first)
            table = tf.pad(tf.concat([answers, about], axis=1), [[before, after], [0, 0]])
            options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=STEP_SECONDS)
            return list(context.all_reduce("SUM", [table, *others], options))

        table, *sums = [strategy.experimental_local_results(value)[0] for value in strategy.run(on_replica)]
        rows = tf.boolean_mask(table, table[:, -2] > 0)
        return (rows[:, :-2], tf.cast(rows[:, -2], tf.int32) - 1, rows[:, -1]), sums

    def _measure(self, answers: Any, labels: Any, weights: Any, training: bool) -> Any:
        """Update loss and metrics as Keras does."""
        loss = self.compute_loss(None, labels, answers, weights, training=training)
        of_all = next(metric for metric in self.metrics if metric.name == "loss")
        of_all.update_state(loss, sample_weight=tf.shape(labels)[0])
        return self.compute_metrics(None, labels, answers, weights)
