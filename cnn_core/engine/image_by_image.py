"""Convolution and 2×2 max pooling, one image after the other. Import this only when TensorFlow is wanted.

What is computed between an image and its pooled maximum is several times as large as both. Of one image it stays in
the processor's cache, of a batch it does not. So only the maximum is kept, and where in its window it was; the gradient
computes the rest anew. TensorFlow's compiler XLA joins what is done with each number to one loop.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

SIZE = 3
"""Side of the kernels that `winograd` takes."""

COMPILED_FROM = 1000
"""Steps. The compiler takes some 3 s, and each step then 40 ms less (the article's network on two cores, AVX2)."""

_KERNEL = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
"""A row of a kernel → the four numbers that multiply those of `_differences`."""


def pays(steps: int) -> bool:
    """Return whether a training of so many steps is faster this way, on this machine. Tried on Linux only."""
    plain = sys.platform != "linux" or tf.config.functions_run_eagerly() or tf.config.list_physical_devices("GPU")
    return steps >= COMPILED_FROM and not plain


def compiled(function: Callable[..., Any]) -> Any:
    """Let TensorFlow's compiler XLA translate a function of tensors."""
    return tf.function(function, jit_compile=True, autograph=False)


def of_each(function: Callable[..., Any], arrays: Any, results: Any) -> Any:
    """Call a function with each image's part of some arrays, a few at the same time, and stack the results.

    Parameters
    ----------
    function : callable
        Takes a tuple of tensors.
    arrays : tuple of tensors
        Along the first axis the images of a batch.
    results : tf.TensorSpec, or a tuple of them
        What the function returns.
    """
    return tf.map_fn(function, arrays, fn_output_signature=results, parallel_iterations=os.cpu_count() or 1)


def products(images: Any, factors: Any, windows: Callable[[Any], Any], shape: tuple[int, int]) -> Any:
    """Return the largest of four matrix products: a convolution after pooling, of images that need no gradient.

    Parameters
    ----------
    images : tensor of float32, shape (batch, H, W, channels)
    factors : tensor of float32, shape (4, K, filters)
        The kernels at the four places in a pooling window.
    windows : callable
        Maps an image to what the pooling windows look at, shape (H' * W', K).
    shape : tuple of int
        (H', W').

    Returns
    -------
    tensor of float32, shape (batch, H', W', filters)
    """
    places = [*shape, factors.shape[-1]]

    @compiled
    def forward(image: Any, factors: Any) -> Any:
        seen = windows(image)
        largest, which = _largest([seen @ factor for factor in tf.unstack(factors)])
        return tf.reshape(largest, places), tf.reshape(which, places)

    @compiled
    def backward(image: Any, which: Any, of_output: Any) -> Any:
        seen, filters = windows(image), of_output.shape[-1]
        parts = _to_places(tf.reshape(of_output, [-1, filters]), tf.reshape(which, [-1, filters]))
        return tf.stack([tf.matmul(seen, part, transpose_a=True) for part in parts])

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def pooled(factors: Any) -> Any:
        results = (tf.TensorSpec(places), tf.TensorSpec(places, tf.uint8))
        largest, which = of_each(lambda one: forward(one[0], factors), (images,), results)

        def gradient(of_output: Any) -> Any:
            each = of_each(lambda one: backward(*one), (images, which, of_output), tf.TensorSpec(factors.shape))
            return tf.reduce_sum(each, 0)

        return largest, gradient

    return pooled(factors)


def winograd(images: Any, kernel: Any) -> Any:
    """Convolve with a 3×3 kernel and pool 2×2, with 16 multiplications for a pooling window instead of 36.

    Parameters
    ----------
    images : tensor of float32, shape (batch, H, W, channels)
    kernel : tensor of float32, shape (3, 3, channels, filters)

    Returns
    -------
    tensor of float32, shape (batch, (H - 2) // 2, (W - 2) // 2, filters)

    References
    ----------
    Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016, section 4.1: F(2×2, 3×3). Its 2×2 outputs
    are the pooling window here.
    """
    factors = tf.einsum("ia,abcf,jb->jicf", _KERNEL, kernel, _KERNEL)
    return _winograd(images, tf.reshape(factors, [16, *kernel.shape[2:]]))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _winograd(images: Any, factors: Any) -> Any:
    _, height, width, _ = images.shape
    places = [(height - 2) // 2, (width - 2) // 2, factors.shape[-1]]
    results = (tf.TensorSpec(places), tf.TensorSpec(places, tf.uint8))
    largest, which = of_each(lambda one: _winograd_forward(one[0], factors), (images,), results)

    def gradient(of_output: Any) -> Any:
        results = (tf.TensorSpec(images.shape[1:]), tf.TensorSpec(factors.shape))
        arrays = (images, which, of_output)
        of_images, of_factors = of_each(lambda one: _winograd_backward(*one, factors), arrays, results)
        return of_images, tf.reduce_sum(of_factors, 0)

    return largest, gradient


@compiled
def _winograd_forward(image: Any, factors: Any) -> Any:
    """Return what pooling leaves of an image's convolution, and where it was, both of shape (H', W', filters)."""
    tiles, rows, columns = _tiles(image)
    parts = tf.reshape(tiles @ factors, [4, 4, rows, columns, factors.shape[-1]])
    left, right = (_outputs(half) for half in _outputs(parts))
    return _largest([left[0], right[0], left[1], right[1]])


@compiled
def _winograd_backward(image: Any, which: Any, of_output: Any, factors: Any) -> Any:
    """Return the gradients of an image and of the factors: each step of the way there, transposed, in reverse order."""
    height, width, channels = image.shape
    tiles, rows, columns = _tiles(image)
    upper_left, upper_right, lower_left, lower_right = _to_places(of_output, which)
    left, right = _of_outputs(upper_left, lower_left), _of_outputs(upper_right, lower_right)
    parts = tf.reshape(_of_outputs(left, right), [16, rows * columns, factors.shape[-1]])
    of_factors = tf.matmul(tiles, parts, transpose_a=True)
    of_tiles = tf.reshape(tf.matmul(parts, factors, transpose_b=True), [4, 4, rows, columns, channels])
    pixels = _of_differences(_of_differences(of_tiles, 2), 0)
    pixels = tf.reshape(pixels, [2 * rows + 2, 2 * columns + 2, channels])
    unseen = [[0, height - 2 * rows - 2], [0, width - 2 * columns - 2], [0, 0]]
    return tf.pad(pixels, unseen), of_factors


def _tiles(image: Any) -> tuple[Any, int, int]:
    """Return what the factors multiply, shape (16, tiles, channels), and the number of rows and columns of tiles.

    A tile is the 4×4 pixels from which the numbers of a pooling window are computed; the next one begins 2 pixels on.
    """
    height, width, channels = image.shape
    rows, columns = (height - 2) // 2, (width - 2) // 2
    pixels = tf.reshape(image[: 2 * rows + 2, : 2 * columns + 2], [rows + 1, 2, columns + 1, 2, channels])
    lines = _differences(pixels[:-1, 0], pixels[:-1, 1], pixels[1:, 0], pixels[1:, 1])
    tiles = _differences(lines[:, :, :-1, 0], lines[:, :, :-1, 1], lines[:, :, 1:, 0], lines[:, :, 1:, 1])
    return tf.reshape(tiles, [16, rows * columns, channels]), rows, columns


# These work in one direction, for all of the other at once: XLA then has fewer loops to compile.


def _differences(a: Any, b: Any, c: Any, d: Any) -> Any:
    return tf.stack([a - c, b + c, c - b, b - d])


def _of_differences(four: Any, axis: int) -> Any:
    """Return the gradients of the pixels, which lie in pairs along a new axis. Neighboring tiles share a pair."""
    one, two, three, last = tf.unstack(four)
    first, second = [[0, 0]] * one.shape.rank, [[0, 0]] * one.shape.rank
    first[axis], second[axis] = [0, 1], [1, 0]
    even = tf.pad(one, first) + tf.pad(two + three - one, second)
    odd = tf.pad(two - three + last, first) - tf.pad(last, second)
    return tf.stack([even, odd], axis + 1)


def _outputs(four: Any) -> tuple[Any, Any]:
    a, b, c, d = tf.unstack(four)
    return a + b + c, b - c - d


def _of_outputs(one: Any, two: Any) -> Any:
    return tf.stack([one, one + two, one - two, -two])


def _largest(four: list[Any]) -> tuple[Any, Any]:
    """Return the largest of four, and its place: where some are equal the first, as in pooling."""
    largest = tf.maximum(tf.maximum(four[0], four[1]), tf.maximum(four[2], four[3]))
    which = tf.where(four[0] >= largest, 0, tf.where(four[1] >= largest, 1, tf.where(four[2] >= largest, 2, 3)))
    return largest, tf.cast(which, tf.uint8)


def _to_places(of_largest: Any, which: Any) -> list[Any]:
    return [tf.where(which == place, of_largest, 0.0) for place in range(4)]
