"""Images → batches. A training batch follows from the seed and its number: so a run can go on anywhere.

An image that cannot be read is left out of its batch, which is then smaller; in a batch without any, the first image of
the set that can be read stands in. All this follows from the files alone, so a run that goes on does the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.engine.cluster import share

if TYPE_CHECKING:
    from collections.abc import Callable

    import tensorflow as tf

    from cnn_core.dataset import Images


def batches(
    images: Images, labels: NDArray[np.int32], batch_size: int, part: int = 0, parts: int = 1
) -> tf.data.Dataset:
    """Serve images unchanged and in their order, as for testing.

    Parameters
    ----------
    images : dataset.Images
    labels : numpy.ndarray
        int32 (N,).
    batch_size : int
        Images per batch; the last one may be smaller.
    part, parts : int
        Where several processes share each batch: which part this one takes, from 0, and how many there are.

    Returns
    -------
    tensorflow.data.Dataset
        Of (float32 (batch, H, W, 3) in 0–255, int32 (batch,)).
    """
    import tensorflow as tf

    def chosen(number: int) -> range:
        return range(number * batch_size, min((number + 1) * batch_size, len(images)))

    numbers = tf.data.Dataset.range(count(len(images), batch_size))
    return numbers.map(_reader(images, labels, chosen, part, parts), num_parallel_calls=2).prefetch(2)


def training_batches(
    images: Images,
    labels: NDArray[np.int32],
    batch_size: int,
    numbers: range,
    *,
    seed: int,
    change: Callable[..., Any] | None = None,
    part: int = 0,
    parts: int = 1,
) -> tf.data.Dataset:
    """Serve some of a training's batches: each epoch has all images in an order of its own.

    Parameters
    ----------
    images, labels, batch_size
        As in `batches`.
    numbers : range
        Which batches, counted from 0 over all epochs.
    seed : int
        With the number of the epoch, it decides the order.
    change : callable, optional
        Called as ``change(images, number, first, whole)`` when TensorFlow builds its graph: with images, the number of
        their batch, the place of the first one in it, and how many images the whole batch has. Returns them augmented.
    part, parts
        As in `batches`.

    Returns
    -------
    tensorflow.data.Dataset
        As `batches`.
    """
    import tensorflow as tf

    steps = count(len(images), batch_size)

    @lru_cache(maxsize=2)  # batches of two epochs are read at the same time where they meet
    def order(epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([seed, epoch]).permutation(len(images))

    def chosen(number: int) -> NDArray[np.int64]:
        epoch, step = divmod(number, steps)
        return order(epoch)[step * batch_size : (step + 1) * batch_size]

    read = _reader(images, labels, chosen, part, parts)

    # TensorFlow would take a second to rewrite our functions for `if` and `for` over tensors. They have none.
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def serve(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, label = read(number)
        whole = tf.minimum(batch_size, len(images) - tf.cast(number % steps, tf.int32) * batch_size)
        return (change(image, number, share(whole, part, parts)[0], whole) if change else image), label

    return tf.data.Dataset.range(numbers.start, numbers.stop).map(serve, num_parallel_calls=2).prefetch(2)


def count(images: int, batch_size: int) -> int:
    """Return the number of batches in an epoch.

    Examples
    --------
    >>> count(31, 15)
    3
    """
    return -(-images // batch_size)


def _reader(
    images: Images, labels: NDArray[np.int32], chosen: Callable[[int], NDArray[np.int64] | range], part: int, parts: int
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Return what reads the batch of a number inside a TensorFlow graph."""
    import tensorflow as tf

    def take(number: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        which = chosen(int(number))
        start, end = share(len(which), part, parts)
        found, places = images.read(which[start:end])
        # Of the parts, the last one has an image of every batch, and sees to it that no batch is empty.
        if not len(places) and part == parts - 1 and images.first(which) is None:
            first = images.first(range(len(images)))
            found, places = images.read([] if first is None else [first])
        return found, labels[places]

    def read(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, label = tf.numpy_function(take, [number], (tf.uint8, tf.int32), stateful=False)
        return tf.cast(tf.ensure_shape(image, (None, *images.shape[1:])), tf.float32), tf.ensure_shape(label, (None,))

    return read
