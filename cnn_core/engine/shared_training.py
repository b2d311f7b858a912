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
    """A network's training, each batch of which is shared by a team.

    Its batches hold the images of this process's part and the labels of all: (images, labels), or
    (images, labels, weights of the labels).

    Parameters
    ----------
    network : keras.Sequential
        As `NetworkSpec.build` makes it.
    team : Team
    """

    train_function: Any
    test_function: Any

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
