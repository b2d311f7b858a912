"""Pooling: a window slides over the feature map and keeps one number of each stop, the largest or the mean.

That makes the map smaller and lets the network care less about where exactly something was found. There is nothing to
learn in it: a pooling layer has no weights.
"""

import operator

import numpy as np
from numpy.typing import ArrayLike

from cnn_core import CnnLabError, convolution
from cnn_core.convolution import Pair


class PoolingError(CnnLabError):
    """A pooling that cannot be done as asked. The message says which part does not fit."""


def max_pool2d(
    image: ArrayLike, pool_size: int | Pair = 2, strides: int | Pair | None = None, padding: str = "valid"
) -> np.ndarray:
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
        ``"valid"``: whole windows only, what is left over at the right and bottom is dropped. ``"same"``: windows may
        reach over the edge, where there is nothing to choose from.

    Returns
    -------
    ndarray of float32, shape (H', W') or (H', W', C)
        H' and W' are given by `output_size`.

    Raises
    ------
    PoolingError
        When the window is larger than the picture (``"valid"``), a size or stride is below 1, the padding is unknown,
        or the picture has another number of dimensions.

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
    image: ArrayLike, pool_size: int | Pair = 2, strides: int | Pair | None = None, padding: str = "valid"
) -> np.ndarray:
    """Keep the mean of each window.

    Parameters
    ----------
    image, pool_size, strides, padding
        As for `max_pool2d`. Under ``"same"`` the mean is taken over the numbers inside the picture alone.

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
    return sums / counts.reshape(counts.shape + (1,) * (sums.ndim - 2))


def output_size(size: int, pool_size: int, *, strides: int | None = None, padding: str = "valid") -> int:
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
        When a number is below 1, the padding is unknown, or the window is larger than the picture (``"valid"``).

    References
    ----------
    V. Dumoulin and F. Visin, arXiv:1603.07285, relationship 7.

    Examples
    --------
    >>> output_size(126, 2), output_size(61, 2), output_size(61, 2, padding="same")
    (63, 30, 31)
    """
    size, pool_size = _whole(size, "The picture's size"), _whole(pool_size, "The window's size")
    strides = pool_size if strides is None else _whole(strides, "The stride")
    if padding not in convolution.PADDINGS:
        raise PoolingError(f"There is no padding {padding!r}. Choose “valid” or “same”.")
    if padding == "valid" and pool_size > size:
        raise PoolingError(
            f"The window ({pool_size} pixels) is larger than the picture ({size} pixels). "
            "Choose a smaller window, a larger picture, or the padding “same”."
        )
    return convolution.output_size(size, pool_size, stride=strides, padding=padding)


def windows(
    height: int, width: int, pool_size: int | Pair = 2, strides: int | Pair | None = None, padding: str = "valid"
) -> np.ndarray:
    """Return the edges of every window, cut off at the picture's border.

    Parameters
    ----------
    height, width : int
        The picture's, in pixels.
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
    pools = _pair(pool_size, "The window's size")
    steps = pools if strides is None else _pair(strides, "The stride")
    sides = []
    for size, pool, stride in zip((height, width), pools, steps, strict=True):
        stops, before, _ = _stops(size, pool, stride, padding)
        start = np.arange(stops) * stride - before
        sides.append((np.maximum(start, 0), np.minimum(start + pool, size)))
    (top, bottom), (left, right) = sides
    return np.stack([*np.meshgrid(top, left, indexing="ij"), *np.meshgrid(bottom, right, indexing="ij")], axis=-1)


def _pool(
    image: ArrayLike,
    pool_size: int | Pair,
    strides: int | Pair | None,
    padding: str,
    combine: np.ufunc,
    neutral: float,
) -> np.ndarray:
    """Fold the numbers of each window into one with `combine`; `neutral` is the number that changes nothing."""
    picture = _picture(image)
    pools = _pair(pool_size, "The window's size")
    (down, right) = pools if strides is None else _pair(strides, "The stride")
    rows, above, below = _stops(picture.shape[0], pools[0], down, padding)
    columns, before, after = _stops(picture.shape[1], pools[1], right, padding)

    edges = [(above, below), (before, after)] + [(0, 0)] * (picture.ndim - 2)
    padded = np.pad(picture, edges, constant_values=neutral)
    result = np.full((rows, columns, *picture.shape[2:]), neutral, np.float32)
    for i, j in np.ndindex(*pools):
        # The number in row i and column j of every window at once: the picture from there on, in steps of the stride.
        numbers = padded[i : i + (rows - 1) * down + 1 : down, j : j + (columns - 1) * right + 1 : right]
        combine(result, numbers, out=result)
    return result


def _stops(size: int, pool_size: int, stride: int, padding: str) -> tuple[int, int, int]:
    """Return how many windows there are along one side, and by how much they reach over its start and its end."""
    stops = output_size(size, pool_size, strides=stride, padding=padding)
    over = max((stops - 1) * stride + pool_size - size, 0)
    return stops, over // 2, over - over // 2


def _picture(image: ArrayLike) -> np.ndarray:
    picture = np.asarray(image)
    if picture.dtype.kind not in "buif":
        raise PoolingError(f"A picture holds numbers, not values of type {picture.dtype}.")
    if picture.ndim not in (2, 3) or picture.size == 0:
        raise PoolingError(
            f"A picture has the shape (height, width) or (height, width, channels), not {picture.shape}."
        )
    return picture.astype(np.float32)


def _pair(value: int | Pair, what: str) -> Pair:
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise PoolingError(f"{what} is one number, or two (down, right), not {value!r}.")
        return _whole(value[0], what), _whole(value[1], what)
    return _whole(value, what), _whole(value, what)


def _whole(value: int, what: str) -> int:
    try:
        number = operator.index(value)
    except TypeError as error:
        raise PoolingError(f"{what} must be a whole number, not {value!r}.") from error
    if number < 1:
        raise PoolingError(f"{what} must be at least 1, not {number}.")
    return number
