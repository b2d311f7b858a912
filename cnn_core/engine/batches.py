"""Arrays of images → the batches of an epoch, in a new order and newly augmented each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cnn_core.engine.config import AUGMENTATIONS

if TYPE_CHECKING:
    import tensorflow as tf


def batches(
    images: np.ndarray, labels: np.ndarray, batch_size: int, *, shuffle: bool, augment: str = "none", seed: int = 42
) -> tf.data.Dataset:
    """Serve images in batches, in a new order and newly augmented each epoch where asked.

    Parameters
    ----------
    images : numpy.ndarray
        uint8 (N, H, W, 3).
    labels : numpy.ndarray
        int32 (N,).
    batch_size : int
        Images per batch; the last one may be smaller.
    shuffle : bool
        For the training set only.
    augment : str
        One of `config.AUGMENTATIONS`; for the test set "none".
    seed : int

    Returns
    -------
    tensorflow.data.Dataset
        Of (float32 (batch, H, W, 3) in 0–255, int32 (batch,)).
    """
    import tensorflow as tf

    def take(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return images[index], labels[index]

    def read(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, label = tf.numpy_function(take, [index], (tf.uint8, tf.int32), stateful=False)
        return tf.cast(tf.ensure_shape(image, (None, *images.shape[1:])), tf.float32), tf.ensure_shape(label, (None,))

    data = tf.data.Dataset.range(len(images))
    if shuffle:
        data = data.shuffle(len(images), seed=seed)
    data = data.batch(batch_size).map(read, num_parallel_calls=2)
    strength = AUGMENTATIONS[augment]
    if strength:
        from cnn_core.engine.augmentation import RandomAffine

        change = RandomAffine(**strength, seed=seed)
        data = data.map(lambda image, label: (change(image), label), num_parallel_calls=2)
    return data.prefetch(2)
