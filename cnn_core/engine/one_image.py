"""A convolution with 3×3 kernels and the 2×2 max pooling after it, of one image, in two ways for the compiler XLA.

Import this only when TensorFlow is wanted. The gradient needs to know which place of each pooling window was the
largest, and goes there. All else it computes anew, so that nothing large waits in memory for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

# Winograd's F(4, 3): a kernel of three weights w, moved along six pixels p, gives four sums. They are
# SUMS @ ((WEIGHTS @ w) * (PIXELS @ p)), with 6 multiplications instead of 12.
WEIGHTS = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    np.float32,
)
PIXELS = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float32,
)
SUMS = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float32)


def matrix_product(picture: Any, kernel: Any) -> Any:
    """Convolve and pool a picture, which has few channels and needs no gradient.

    Parameters
    ----------
    picture : tensor of float32, shape (H, W, channels)
    kernel : tensor of float32, shape (3, 3, channels, filters)

    Returns
    -------
    tensor of float32, shape ((H - 2) // 2, (W - 2) // 2, filters)
    """
    channels, filters = kernel.shape[2:]
    rows, columns = _pooled(picture)

    def pixels() -> Any:
        """Return a row for each half of a pooling window, left and right: the 4×3 pixels of its upper and lower sum."""
        seen = [picture[i : i + 2 * rows - 1 : 2, j : j + 2 * columns] for i in range(4) for j in range(3)]
        return tf.reshape(tf.concat(seen, -1), [rows * columns * 2, 12 * channels])

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def pooled(kernel: Any) -> Any:
        upper, lower = (tf.pad(kernel, [[down, 1 - down], [0, 0], [0, 0], [0, 0]]) for down in (0, 1))
        weights = tf.reshape(tf.stack([upper, lower], 3), [12 * channels, 2 * filters])
        sums = tf.reshape(pixels() @ weights, [rows, columns, 2, 2, filters])
        largest, which = _largest([sums[:, :, right, down] for down in (0, 1) for right in (0, 1)])

        def gradient(of_largest: Any) -> Any:
            upper_left, upper_right, lower_left, lower_right = _to_largest(of_largest, which)
            of_sums = tf.stack([upper_left, lower_left, upper_right, lower_right], 2)
            of_sums = tf.reshape(of_sums, [rows * columns * 2, 2 * filters])
            of_weights = tf.reshape(tf.matmul(pixels(), of_sums, transpose_a=True), [4, 3, channels, 2, filters])
            return of_weights[:3, :, :, 0] + of_weights[1:, :, :, 1]

        return largest, gradient

    return pooled(kernel)


def winograd_weights(kernel: Any) -> Any:
    """Return what `winograd` takes for a kernel (3, 3, channels, filters): float32 (36, channels, filters)."""
    return tf.reshape(tf.einsum("ia,jb,abcf->ijcf", WEIGHTS, WEIGHTS, kernel), [36, *kernel.shape[2:]])


@tf.custom_gradient  # type: ignore[untyped-decorator]
def winograd(image: Any, weights: Any) -> Any:
    """Convolve and pool an image of many channels: 36 multiplications give 4×4 sums, instead of 144.

    Parameters
    ----------
    image : tensor of float32, shape (H, W, channels)
    weights : tensor of float32, shape (36, channels, filters)
        As `winograd_weights` returns them.

    Returns
    -------
    tensor of float32, shape ((H - 2) // 2, (W - 2) // 2, filters)

    References
    ----------
    Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016, sections 4.2 and 4.3.
    """
    _, channels, filters = weights.shape
    rows, columns = _pooled(image)
    down, right = (rows + 1) // 2, (columns + 1) // 2  # tiles of 4×4 sums, which are 2×2 pooling windows
    tiles = down * right
    products = tf.reshape(_tiles(image) @ weights, [6, 6, tiles, filters])
    # The first four axes: the window's row in its tile, the row in the window, the same of columns.
    sums = tf.reshape(_in_both_directions(SUMS, products), [2, 2, 2, 2, tiles, filters])
    largest, which = _largest([sums[:, i, :, j] for i in (0, 1) for j in (0, 1)])
    pooled = tf.transpose(tf.reshape(largest, [2, 2, down, right, filters]), [2, 0, 3, 1, 4])
    pooled = tf.reshape(pooled, [2 * down, 2 * right, filters])[:rows, :columns]

    def gradient(of_pooled: Any) -> tuple[Any, Any]:
        """Go back through each step above: by the transposed matrices, in reverse order."""
        of_pooled = tf.reshape(_resized(of_pooled, 2 * down, 2 * right), [down, 2, right, 2, filters])
        of_largest = tf.reshape(tf.transpose(of_pooled, [1, 3, 0, 2, 4]), [2, 2, tiles, filters])
        of_sums = tf.reshape(tf.stack(_to_largest(of_largest, which)), [2, 2, 2, 2, tiles, filters])
        of_sums = tf.reshape(tf.transpose(of_sums, [2, 0, 3, 1, 4, 5]), [4, 4, tiles, filters])
        of_products = tf.reshape(_in_both_directions(SUMS.T, of_sums), [36, tiles, filters])
        of_weights = tf.matmul(_tiles(image), of_products, transpose_a=True)
        of_tiles = tf.reshape(tf.matmul(of_products, weights, transpose_b=True), [6, 6, down, right, channels])
        of_lines = _joined(_times(PIXELS.T, tf.unstack(of_tiles, axis=1)), 2)
        of_pixels = _joined(_times(PIXELS.T, tf.unstack(of_lines)), 0)
        of_pixels = tf.reshape(of_pixels, [4 * down + 4, 4 * right + 4, channels])
        return _resized(of_pixels, *image.shape[:2]), of_weights

    return pooled, gradient


def _pooled(image: Any) -> tuple[int, int]:
    """Return the height and width of what pooling leaves."""
    return (image.shape[0] - 2) // 2, (image.shape[1] - 2) // 2


def _tiles(image: Any) -> Any:
    """Return `PIXELS` times the 6×6 pixels of each tile, shape (36, tiles, channels). Two are also the next tile's."""
    down, right = ((side + 1) // 2 for side in _pooled(image))
    fours = tf.reshape(_resized(image, 4 * down + 4, 4 * right + 4), [down + 1, 4, right + 1, 4, -1])
    lines = tf.stack(_times(PIXELS, [*(fours[:-1, i] for i in range(4)), fours[1:, 0], fours[1:, 1]]))
    tiles = _times(PIXELS, [*(lines[:, :, :-1, i] for i in range(4)), lines[:, :, 1:, 0], lines[:, :, 1:, 1]])
    return tf.reshape(tf.stack(tiles, 1), [36, down * right, -1])


def _joined(six: Sequence[Any], axis: int) -> Any:
    """Return fours of pixels, along a new axis, of the gradients of each tile's six: added where two tiles meet."""
    after, before = [[0, 0]] * six[0].shape.rank, [[0, 0]] * six[0].shape.rank
    after[axis], before[axis] = [0, 1], [1, 0]
    first, second, third, fourth = (tf.pad(pixel, after) for pixel in six[:4])
    return tf.stack([first + tf.pad(six[4], before), second + tf.pad(six[5], before), third, fourth], axis + 1)


def _resized(image: Any, height: int, width: int) -> Any:
    """Cut an image, or add zeros, at its lower and right edge."""
    image = image[:height, :width]
    return tf.pad(image, [[0, height - image.shape[0]], [0, width - image.shape[1]], [0, 0]])


def _in_both_directions(matrix: NDArray[np.float32], array: Any) -> Any:
    """Multiply the first two axes of an array by a matrix."""
    half = tf.stack(_times(matrix, tf.unstack(array)))
    return tf.stack(_times(matrix, tf.unstack(half, axis=1)), 1)


def _times(matrix: NDArray[np.float32], parts: Sequence[Any]) -> list[Any]:
    """Multiply a matrix by a column of arrays: as sums, since XLA joins sums, but no matrix products, to one loop."""
    rows = ([factor * part for factor, part in zip(row.tolist(), parts, strict=True) if factor] for row in matrix)
    return [sum(terms[1:], terms[0]) for terms in rows]


def _largest(four: Sequence[Any]) -> tuple[Any, Any]:
    """Return the largest of four, and its place: where some are equal the first, as in pooling."""
    largest = tf.maximum(tf.maximum(four[0], four[1]), tf.maximum(four[2], four[3]))
    which = tf.where(four[0] >= largest, 0, tf.where(four[1] >= largest, 1, tf.where(four[2] >= largest, 2, 3)))
    return largest, tf.cast(which, tf.uint8)


def _to_largest(of_largest: Any, which: Any) -> list[Any]:
    return [tf.where(which == place, of_largest, 0.0) for place in range(4)]
