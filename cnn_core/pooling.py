"""Pooling: a window slides over the feature map and keeps one number at each stop, the largest or the mean.

The map becomes smaller, and it matters less to the network where exactly something was found. A pooling layer has no
weights, so it has nothing to learn.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core import CnnLabError
from cnn_core.sliding.geometry import Padding, Pair, Slide


class PoolingError(CnnLabError):
    """A pooling that cannot be done as asked. The message says which part does not fit."""


_SLIDE = Slide("window", PoolingError)


def max_pool2d(
    image: ArrayLike, pool_size: int | Pair = 2, strides: int | Pair | None = None, padding: Padding = "valid"
) -> NDArray[np.float32]:
    """Keep the largest number of each window.

    Parameters
    ----------
    image : array_like of numbers, shape (H, W) or (H, W, C)
        Each channel is pooled by itself.
    pool_size : int or (int, int), optional
        The window's height and width, in pixels.
    strides : int or (int, int), optional
        Pixels that the window moves at a time (down, right); without it, its own size, so that windows do not overlap.
    padding : {"valid", "same"}, optional
        ``"valid"``: whole windows only; what is left over at the right and bottom is dropped. ``"same"``: windows may
        reach over the edge; only the numbers inside the image count.

    Returns
    -------
    ndarray of float32, shape (H', W') or (H', W', C)
        H' and W' are given by `output_size`.

    Raises
    ------
    PoolingError
        When the window is larger than the image (``"valid"``), a size or stride is below 1, the padding is unknown,
        or the image has another number of dimensions.

    References
    ----------
    Equal to ``tf.nn.max_pool2d``.

    Examples
    --------
    >>> print(max_pool2d([[1, 2, 5, 6], [3, 4, 7, 8]]))
    [[4. 8.]]
    """
    return _pool(image, pool_size, strides, padding, np.maximum, -np.inf)


def average_pool2d(
    image: ArrayLike, pool_size: int | Pair = 2, strides: int | Pair | None = None, padding: Padding = "valid"
) -> NDArray[np.float32]:
    """Keep the mean of each window.

    Parameters
    ----------
    image, pool_size, strides, padding
        As for `max_pool2d`. Under ``"same"`` the mean is taken over the numbers inside the image alone.

    Returns
    -------
    ndarray of float32, shape (H', W') or (H', W', C)

    Raises
    ------
    PoolingError
        As `max_pool2d`.

    References
    ----------
    Equal to ``tf.nn.avg_pool2d``.

    Examples
    --------
    >>> print(average_pool2d([[1, 2, 5], [3, 4, 7]], padding="same"))
    [[2.5 6. ]]
    """
    sums = _pool(image, pool_size, strides, padding, np.add, 0.0)
    counts = _pool(np.ones(np.shape(image)[:2]), pool_size, strides, padding, np.add, 0.0)
    return np.asarray(sums / counts.reshape(counts.shape + (1,) * (sums.ndim - 2)), np.float32)


def output_size(size: int, pool_size: int, *, strides: int | None = None, padding: Padding = "valid") -> int:
    """Return how many windows fit along one side.

    ``"valid"``: ⌊(size − pool_size) / strides⌋ + 1. ``"same"``: ⌈size / strides⌉.

    Parameters
    ----------
    size, pool_size : int
        In pixels, along one side.
    strides : int, optional
        Without it, `pool_size`.
    padding : {"valid", "same"}, optional

    Returns
    -------
    int

    Raises
    ------
    PoolingError
        When a number is below 1, the padding is unknown, or the window is larger than the image (``"valid"``).

    References
    ----------
    V. Dumoulin and F. Visin, arXiv:1603.07285, relationship 7.

    Examples
    --------
    >>> output_size(126, 2), output_size(61, 2), output_size(61, 2, padding="same")
    (63, 30, 31)
    """
    return _SLIDE.stops(size, pool_size, pool_size if strides is None else strides, padding)


def windows(
    height: int, width: int, pool_size: int | Pair = 2, strides: int | Pair | None = None, padding: Padding = "valid"
) -> NDArray[np.intp]:
    """Return the edges of every window, cut off at the image's border.

    Parameters
    ----------
    height, width : int
        Of the image, in pixels.
    pool_size, strides, padding
        As for `max_pool2d`.

    Returns
    -------
    ndarray of int, shape (H', W', 4)
        Top, left, bottom, right of each window; bottom and right are the first row and column outside it.

    Raises
    ------
    PoolingError
        As `max_pool2d`.

    Examples
    --------
    >>> windows(2, 5).tolist()
    [[[0, 0, 2, 2], [0, 2, 2, 4]]]
    """
    sides = []
    pools, steps = _window(pool_size, strides)
    for size, pool, step in zip((height, width), pools, steps, strict=True):
        start = np.arange(_SLIDE.stops(size, pool, step, padding)) * step - _SLIDE.pads(size, pool, step, padding)[0]
        sides.append((np.maximum(start, 0), np.minimum(start + pool, size)))
    (top, bottom), (left, right) = sides
    return np.stack([*np.meshgrid(top, left, indexing="ij"), *np.meshgrid(bottom, right, indexing="ij")], axis=-1)


def _pool(
    image: ArrayLike,
    pool_size: int | Pair,
    strides: int | Pair | None,
    padding: Padding,
    combine: np.ufunc,
    neutral: float,
) -> NDArray[np.float32]:
    """Fold the numbers of each window into one with `combine`; `neutral` is the number that changes nothing."""
    numbers = _SLIDE.image(image).astype(np.float32)
    pools, (down, right) = _window(pool_size, strides)
    sides = list(zip(numbers.shape[:2], pools, (down, right), strict=True))
    rows, columns = (_SLIDE.stops(*side, padding) for side in sides)
    pads = [_SLIDE.pads(*side, padding) for side in sides] + [(0, 0)] * (numbers.ndim - 2)

    padded = np.pad(numbers, pads, constant_values=neutral)
    result = np.full((rows, columns, *numbers.shape[2:]), neutral, np.float32)
    for i, j in np.ndindex(*pools):
        # The number in row i and column j of every window at once: the image from there on, in steps of the stride.
        same_place = padded[i : i + (rows - 1) * down + 1 : down, j : j + (columns - 1) * right + 1 : right]
        combine(result, same_place, out=result)
    return result


def _window(pool_size: int | Pair, strides: int | Pair | None) -> tuple[Pair, Pair]:
    """Return the window's height and width, and how far it moves down and right."""
    pools = _SLIDE.pair(pool_size, "The window's size")
    return pools, pools if strides is None else _SLIDE.pair(strides, "The stride")
