"""A convolution with 3×3 kernels and the 2×2 max pooling after it, of one image, for TensorFlow's compiler XLA.

Import this only when TensorFlow is wanted. Of each pooling window the gradient needs to know only which of the four was
the largest; it computes the rest anew, which takes less time than to fetch it from memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

# Winograd's F(4, 3): the four sums of six pixels and three weights are OUTPUT @ ((WEIGHTS @ weights) * (PIXELS @ pixels)).
WEIGHTS = np.float32([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / np.float32(24)
PIXELS = np.float32(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
OUTPUT = np.float32([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])


def picture(image: Any, kernel: Any) -> Any:
    """Convolve and pool a picture, which needs no gradient, as one matrix product.

    Parameters
    ----------
    image : tensor of float32, shape (H, W, channels)
        Of few channels.
    kernel : tensor of float32, shape (3, 3, channels, filters)

    Returns
    -------
    tensor of float32, shape ((H - 2) // 2, (W - 2) // 2, filters)
    """
    channels, filters = kernel.shape[2:]
    rows, columns = _pooled(image)

    def windows() -> Any:
        """Return the 4×3 pixels that two sums, one above the other, are made of; side by side lie two of those."""
        seen = [image[i : i + 2 * rows - 1 : 2, j : j + 2 * columns] for i in range(4) for j in range(3)]
        return tf.reshape(tf.concat(seen, -1), [rows * columns * 2, 12 * channels])

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def pooled(kernel: Any) -> Any:
        upper, lower = (tf.pad(kernel, [[down, 1 - down], [0, 0], [0, 0], [0, 0]]) for down in (0, 1))
        factors = tf.reshape(tf.stack([upper, lower], 3), [12 * channels, 2 * filters])
        sums = tf.reshape(windows() @ factors, [rows, columns, 2, 2, filters])
        largest, which = _largest([sums[:, :, right, down] for down in (0, 1) for right in (0, 1)])

        def gradient(of_largest: Any) -> Any:
            upper_left, upper_right, lower_left, lower_right = _to_largest(of_largest, which)
            of_sums = tf.stack([upper_left, lower_left, upper_right, lower_right], 2)
            of_sums = tf.reshape(of_sums, [rows * columns * 2, 2 * filters])
            of_factors = tf.reshape(tf.matmul(windows(), of_sums, transpose_a=True), [4, 3, channels, 2, filters])
            return of_factors[:3, :, :, 0] + of_factors[1:, :, :, 1]

        return largest, gradient

    return pooled(kernel)


def winograd_factors(kernel: Any) -> Any:
    """Return what `winograd` multiplies with: float32 (36, channels, filters), of a kernel (3, 3, channels, filters)."""
    return tf.reshape(tf.einsum("ia,abcf,jb->ijcf", WEIGHTS, kernel, WEIGHTS), [36, *kernel.shape[2:]])


@tf.custom_gradient  # type: ignore[untyped-decorator]
def winograd(image: Any, factors: Any) -> Any:
    """Convolve and pool an image, with 36 multiplications for 4×4 sums instead of 144.

    Parameters
    ----------
    image : tensor of float32, shape (H, W, channels)
    factors : tensor of float32, shape (36, channels, filters)
        As `winograd_factors` returns them.

    Returns
    -------
    tensor of float32, shape ((H - 2) // 2, (W - 2) // 2, filters)

    References
    ----------
    Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016, sections 4.2 and 4.3.
    """
    _, channels, filters = factors.shape
    rows, columns = _pooled(image)
    down, right = (rows + 1) // 2, (columns + 1) // 2  # tiles of 4×4 sums: of 2×2 pooling windows
    products = tf.reshape(_tiles(image) @ factors, [6, 6, down * right, filters])
    # Row of the window in its tile, row in the window, the same of columns, tile, filter.
    sums = tf.reshape(_transformed(OUTPUT, products), [2, 2, 2, 2, down * right, filters])
    largest, which = _largest([sums[:, i, :, j] for i in (0, 1) for j in (0, 1)])
    largest = tf.transpose(tf.reshape(largest, [2, 2, down, right, filters]), [2, 0, 3, 1, 4])

    def gradient(of_largest: Any) -> tuple[Any, Any]:
        of_largest = tf.pad(of_largest, [[0, 2 * down - rows], [0, 2 * right - columns], [0, 0]])
        of_largest = tf.transpose(tf.reshape(of_largest, [down, 2, right, 2, filters]), [1, 3, 0, 2, 4])
        of_largest = tf.reshape(of_largest, [2, 2, down * right, filters])
        of_sums = tf.reshape(tf.stack(_to_largest(of_largest, which)), [2, 2, 2, 2, down * right, filters])
        of_sums = tf.reshape(tf.transpose(of_sums, [2, 0, 3, 1, 4, 5]), [4, 4, down * right, filters])
        of_products = tf.reshape(_transformed(OUTPUT.T, of_sums), [36, down * right, filters])
        of_factors = tf.matmul(_tiles(image), of_products, transpose_a=True)
        of_tiles = tf.reshape(tf.matmul(of_products, factors, transpose_b=True), [6, 6, down, right, channels])
        of_lines = _joined(_sums(PIXELS.T, tf.unstack(of_tiles, axis=1)), 2)
        of_pixels = _joined(_sums(PIXELS.T, tf.unstack(of_lines)), 0)
        return _resized(tf.reshape(of_pixels, [4 * down + 4, 4 * right + 4, channels]), *image.shape[:2]), of_factors

    return tf.reshape(largest, [2 * down, 2 * right, filters])[:rows, :columns], gradient


def _pooled(image: Any) -> tuple[int, int]:
    """Return the height and width of what pooling leaves."""
    return (image.shape[0] - 2) // 2, (image.shape[1] - 2) // 2


def _tiles(image: Any) -> Any:
    """Return what the factors multiply, shape (36, tiles, channels): of 6×6 pixels each, two of which the next has too."""
    down, right = ((side + 1) // 2 for side in _pooled(image))
    image = _resized(image, 4 * down + 4, 4 * right + 4)
    pixels = tf.reshape(image, [down + 1, 4, right + 1, 4, -1])
    lines = tf.stack(_sums(PIXELS, [*(pixels[:-1, i] for i in range(4)), pixels[1:, 0], pixels[1:, 1]]))
    tiles = _sums(PIXELS, [*(lines[:, :, :-1, i] for i in range(4)), lines[:, :, 1:, 0], lines[:, :, 1:, 1]])
    return tf.reshape(tf.stack(tiles, 1), [36, down * right, -1])


def _joined(six: Sequence[Any], axis: int) -> Any:
    """Add the gradients of six pixels of each tile where tiles have the same pixels: fours, along a new axis."""
    after, before = [[0, 0]] * six[0].shape.rank, [[0, 0]] * six[0].shape.rank
    after[axis], before[axis] = [0, 1], [1, 0]
    first, second, third, fourth = (tf.pad(pixel, after) for pixel in six[:4])
    return tf.stack([first + tf.pad(six[4], before), second + tf.pad(six[5], before), third, fourth], axis + 1)


def _resized(image: Any, height: int, width: int) -> Any:
    """Cut an image, or add zeros, at its lower and right edge."""
    image = image[:height, :width]
    return tf.pad(image, [[0, height - image.shape[0]], [0, width - image.shape[1]], [0, 0]])


def _transformed(matrix: NDArray[np.float32], array: Any) -> Any:
    """Multiply both leading axes of an array by a matrix."""
    half = tf.stack(_sums(matrix, tf.unstack(array)))
    return tf.stack(_sums(matrix, tf.unstack(half, axis=1)), 1)


def _sums(matrix: NDArray[np.float32], parts: Sequence[Any]) -> list[Any]:
    """Multiply a matrix by a column of arrays. XLA is slow at such small products: it is given their sums."""
    rows = ([part * factor for factor, part in zip(row.tolist(), parts, strict=True) if factor] for row in matrix)
    return [sum(terms[1:], terms[0]) for terms in rows]


def _largest(four: Sequence[Any]) -> tuple[Any, Any]:
    """Return the largest of four, and its place: where some are equal the first, as in pooling."""
    largest = tf.maximum(tf.maximum(four[0], four[1]), tf.maximum(four[2], four[3]))
    which = tf.where(four[0] >= largest, 0, tf.where(four[1] >= largest, 1, tf.where(four[2] >= largest, 2, 3)))
    return largest, tf.cast(which, tf.uint8)


def _to_largest(gradient: Any, which: Any) -> list[Any]:
    return [tf.where(which == place, gradient, 0.0) for place in range(4)]
