"""Convolution: a small table of numbers, the kernel, slides over the picture and answers at every stop.

At each stop four things happen, and `step` returns them one by one:

1. overlay: the kernel is laid over a window of the picture as large as itself;
2. multiply: each number of the window is multiplied by the kernel's number on top of it;
3. sum: the products are added up, which gives one number of the feature map (plus a bias, through an activation);
4. move: the window moves on by the stride.

`conv2d` does the same for all stops at once. As in Keras the kernel is not flipped.
"""

import operator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from cnn_core import CnnLabError

MAX_WEIGHT = 1_000_000.0
"""The largest size of a kernel value or a bias: beyond it float32 has too few digits left for a picture's numbers."""

PADDINGS = ("valid", "same")
"""``"valid"``: the window stays inside the picture. ``"same"``: zeros go around it, so that stride 1 keeps its size."""

_BAND = 6  # rows of a map that are worked out at once: more would multiply too many zeros
_AT_ONCE = 1 << 22  # numbers of windows that are copied at once: 16 MB

Pair = tuple[int, int]
Activation = Literal["relu"] | None


class ConvolutionError(CnnLabError):
    """A convolution that cannot be done as asked. The message says which part does not fit."""


@dataclass(frozen=True, eq=False)
class Step:
    """One stop of the sliding window, with every number on the way. ``value`` is what `conv2d` has at this place.

    Attributes
    ----------
    window : ndarray of float32, shape (kh, kw) or (kh, kw, C)
        What lies under the kernel, padding included (its zeros).
    kernel : ndarray of float32
        As given.
    products : ndarray of float32
        Window times kernel, number by number. Shape (kh, kw), (kh, kw, C), or (kh, kw, C, F) for F filters.
    sum : ndarray of float32, shape (), (C,) or (F,)
        The products added up, before the bias.
    value : ndarray of float32, shape (), (C,) or (F,)
        The sum plus the bias, after the activation.
    top, left : int
        Where the window begins, in pixels of the picture; negative where it begins in the padding.
    """

    window: np.ndarray
    kernel: np.ndarray
    products: np.ndarray
    sum: np.ndarray
    value: np.ndarray
    top: int
    left: int


def conv2d(
    image: ArrayLike,
    kernel: ArrayLike,
    *,
    stride: int | Pair = 1,
    padding: str = "valid",
    bias: ArrayLike = 0.0,
    activation: Activation = None,
) -> np.ndarray:
    """Slide a kernel over a picture and return the feature map.

    Parameters
    ----------
    image : array_like of numbers, shape (H, W) or (H, W, C)
    kernel : array_like of numbers, shape (kh, kw), (kh, kw, C) or (kh, kw, C, F)
        Of any odd or even size, each value within ±`MAX_WEIGHT`. ``(kh, kw)`` slides over every channel by itself;
        ``(kh, kw, C)`` is one filter of a Keras ``Conv2D`` layer, which adds the channels up; ``(kh, kw, C, F)`` is
        that layer's whole kernel of F filters.
    stride : int or (int, int), optional
        Pixels that the window moves at a time (down, right).
    padding : {"valid", "same"}, optional
        Without padding, or with as many zeros around the picture as TensorFlow lays there.
    bias : float or array_like of shape (F,), optional
        Is added to every sum.
    activation : {None, "relu"}, optional
        ``"relu"`` replaces negative values by zero.

    Returns
    -------
    ndarray of float32
        Shape (H', W') for a grey picture or a ``(kh, kw, C)`` kernel, (H', W', C) when a ``(kh, kw)`` kernel slides
        over C channels, (H', W', F) for F filters; H' and W' are given by `output_size`.

    Raises
    ------
    ConvolutionError
        When shapes do not fit, the kernel is larger than the picture (``"valid"``), the stride is below 1, padding or
        activation are unknown, or a kernel value or the bias is no finite number within ±`MAX_WEIGHT`.

    See Also
    --------
    step : the numbers of one stop.

    References
    ----------
    V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285. Where the zeros
    of ``"same"`` go is TensorFlow's rule (``tf.nn``, "Notes on padding"): half of them before, the odd one after.

    Examples
    --------
    >>> conv2d([[0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9]], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    array([[36., 36.]], dtype=float32)
    >>> conv2d(np.ones((5, 5, 3)), np.ones((3, 3, 3, 8)), stride=2, padding="same").shape
    (3, 3, 8)
    """
    picture, weights, biases = _picture(image), _weights(kernel), _biases(bias)
    _fit_channels(picture, weights, biases)
    activate = _activation(activation)
    (kernel_height, kernel_width), (down, right) = weights.shape[:2], _pair(stride)

    above, below = _padding(picture.shape[0], kernel_height, down, padding)
    before, after = _padding(picture.shape[1], kernel_width, right, padding)
    channels = picture.reshape(*picture.shape[:2], -1)
    if above or below or before or after:
        channels = np.pad(channels, ((above, below), (before, after), (0, 0)))

    if weights.ndim == 2:
        sums = _each_channel(channels, weights, (down, right))
        sums = sums[..., 0] if picture.ndim == 2 else sums
    else:
        sums = _filters(channels, weights.reshape(*weights.shape[:3], -1), (down, right))
        sums = sums[..., 0] if weights.ndim == 3 else sums
    if biases.any():
        sums += biases
    return activate(sums)


def _filters(image: np.ndarray, kernels: np.ndarray, stride: Pair) -> np.ndarray:
    """Slide F kernels (kh, kw, C, F) over a picture (H, W, C): every window times every kernel, summed.

    This is the definition. The windows are mere views; to be multiplied fast they are copied, a few rows at a time.
    """
    # NumPy 2.2, the newest for Python 3.10, declares that axis takes one number only.
    windows = sliding_window_view(image, kernels.shape[:2], axis=(0, 1))  # type: ignore[call-overload]
    windows = windows[:: stride[0], :: stride[1]]  # (H', W', C, kh, kw)
    result = np.empty((*windows.shape[:2], kernels.shape[3]), np.float32)
    rows = max(1, _AT_ONCE // windows[0].size)
    for top in range(0, len(result), rows):
        some = windows[top : top + rows].astype(np.float32)
        result[top : top + rows] = np.tensordot(some, kernels, axes=((3, 4, 2), (0, 1, 2)))
    return result


def _each_channel(image: np.ndarray, kernel: np.ndarray, stride: Pair) -> np.ndarray:
    """Slide one kernel (kh, kw) over each channel of (H, W, C), by a shortcut that never visits a window.

    The value in row r and column x of the map is the sum, over the picture's rows i and the kernel's columns j, of
    ``kernel[i - r * down, j] * image[i, x * right + j]``. The first factor has no x in it and the second no r: so a few
    rows of the map are the product of two matrices, the kernel written down at every height (zeros around it), and the
    picture's rows begun at every column j. Processors are made for that.
    """
    (height, width, channels), (kernel_height, kernel_width), (down, right) = image.shape, kernel.shape, stride
    rows, columns = (height - kernel_height) // down + 1, (width - kernel_width) // right + 1
    source_rows = (_BAND - 1) * down + kernel_height
    heights = np.zeros((_BAND, source_rows, kernel_width), np.float32)
    for r in range(_BAND):
        heights[r, r * down : r * down + kernel_height] = kernel
    heights = heights.reshape(_BAND, -1)

    result = np.empty((rows, columns, channels), np.float32)
    begun = np.zeros((source_rows, kernel_width, columns, channels), np.float32)
    for top in range(0, rows, _BAND):
        source = image[top * down : top * down + source_rows]
        for j in range(kernel_width):
            begun[: len(source), j] = source[:, j : j + (columns - 1) * right + 1 : right]
        band = result[top : top + _BAND].reshape(-1, columns * channels)
        np.matmul(heights[: len(band)], begun.reshape(source_rows * kernel_width, -1), out=band)
    return result


def step(
    image: ArrayLike,
    kernel: ArrayLike,
    row: int,
    column: int,
    *,
    stride: int | Pair = 1,
    padding: str = "valid",
    bias: ArrayLike = 0.0,
    activation: Activation = None,
) -> Step:
    """Return every number that leads to one value of the feature map.

    Parameters
    ----------
    image, kernel, stride, padding, bias, activation
        As for `conv2d`.
    row, column : int
        The place in the feature map, from 0.

    Returns
    -------
    Step

    Raises
    ------
    ConvolutionError
        As `conv2d`, and when the feature map has no such place.

    Examples
    --------
    >>> one = step([[1, 2], [3, 4]], [[0, 1], [1, 0]], 0, 0, bias=10)
    >>> print(one.products)
    [[0. 2.]
     [3. 0.]]
    >>> float(one.sum), float(one.value), one.top, one.left
    (5.0, 15.0, 0, 0)
    """
    picture, weights, biases = _picture(image), _weights(kernel), _biases(bias)
    _fit_channels(picture, weights, biases)
    activate = _activation(activation)
    (height, width), (kernel_height, kernel_width), (down, right) = picture.shape[:2], weights.shape[:2], _pair(stride)
    rows = output_size(height, kernel_height, stride=down, padding=padding)
    columns = output_size(width, kernel_width, stride=right, padding=padding)
    if not (0 <= row < rows and 0 <= column < columns):
        raise ConvolutionError(
            f"The feature map has {rows} rows and {columns} columns, so there is no row {row}, column {column}. "
            f"Count from 0."
        )

    top = row * down - _padding(height, kernel_height, down, padding)[0]
    left = column * right - _padding(width, kernel_width, right, padding)[0]
    window = np.zeros((kernel_height, kernel_width, *picture.shape[2:]), np.float32)
    inside = picture[max(top, 0) : top + kernel_height, max(left, 0) : left + kernel_width]
    down_by, right_by = max(-top, 0), max(-left, 0)
    window[down_by : down_by + inside.shape[0], right_by : right_by + inside.shape[1]] = inside

    wide_window = window[..., None] if weights.ndim == 4 else window
    wide_kernel = weights[..., None] if weights.ndim == 2 and window.ndim == 3 else weights
    products = wide_window * wide_kernel
    summed_axes = (0, 1) if weights.ndim == 2 else (0, 1, 2)
    total = np.asarray(products.sum(axis=summed_axes, dtype=np.float64).astype(np.float32))
    return Step(window, weights, products, total, activate(np.asarray(total + biases)), top, left)


def output_size(size: int, kernel_size: int, *, stride: int = 1, padding: str = "valid") -> int:
    """Return how many stops a window makes along one side, which is the size of the feature map.

    ``"valid"``: ⌊(size − kernel_size) / stride⌋ + 1. ``"same"``: ⌈size / stride⌉.

    Parameters
    ----------
    size, kernel_size, stride : int
        In pixels, along one side.
    padding : {"valid", "same"}, optional

    Returns
    -------
    int

    Raises
    ------
    ConvolutionError
        When a size or the stride is below 1, the padding is unknown, or the kernel is larger than the picture
        (``"valid"``).

    References
    ----------
    V. Dumoulin and F. Visin, arXiv:1603.07285, relationships 5 and 6 (there with the padding written out).

    Examples
    --------
    >>> output_size(128, 3), output_size(128, 3, stride=2), output_size(128, 3, stride=2, padding="same")
    (126, 63, 64)
    """
    size, kernel_size = _whole(size, "The picture's size"), _whole(kernel_size, "The kernel's size")
    stride = _whole(stride, "The stride")
    if padding not in PADDINGS:
        raise ConvolutionError(f"There is no padding {padding!r}. Choose “valid” or “same”.")
    if padding == "same":
        return -(-size // stride)
    if kernel_size > size:
        raise ConvolutionError(
            f"The kernel ({kernel_size} pixels) is larger than the picture ({size} pixels). "
            "Choose a smaller kernel, a larger picture, or the padding “same”."
        )
    return (size - kernel_size) // stride + 1


def _padding(size: int, kernel_size: int, stride: int, padding: str) -> Pair:
    """Return how many zeros go before and after one side. The odd one goes after."""
    stops = output_size(size, kernel_size, stride=stride, padding=padding)
    if padding == "valid":
        return 0, 0
    missing = max((stops - 1) * stride + kernel_size - size, 0)
    return missing // 2, missing - missing // 2


def _picture(image: ArrayLike) -> np.ndarray:
    picture = np.asarray(image)
    if picture.dtype.kind not in "buif":
        raise ConvolutionError(f"A picture holds numbers, not values of type {picture.dtype}.")
    if picture.ndim not in (2, 3) or picture.size == 0:
        raise ConvolutionError(
            f"A picture has the shape (height, width) or (height, width, channels), not {picture.shape}."
        )
    if picture.dtype.kind == "f" and not np.isfinite(picture).all():
        raise ConvolutionError("The picture holds numbers that are infinite or missing (NaN). Replace them first.")
    return picture


def _weights(kernel: ArrayLike) -> np.ndarray:
    weights = _numbers(kernel, "kernel value")
    if weights.ndim not in (2, 3, 4) or weights.size == 0:
        raise ConvolutionError(
            "A kernel has the shape (height, width), (height, width, channels) or (height, width, channels, filters), "
            f"none of them 0, not {weights.shape}."
        )
    return weights


def _biases(bias: ArrayLike) -> np.ndarray:
    biases = _numbers(bias, "bias")
    if biases.ndim > 1:
        raise ConvolutionError(f"The bias is one number, or one for each filter, not an array of shape {biases.shape}.")
    return biases


def _numbers(values: ArrayLike, what: str) -> np.ndarray:
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ConvolutionError(f"Every {what} must be a number. Replace the one that is empty or text.") from error
    if not np.isfinite(numbers).all():
        raise ConvolutionError(f"Every {what} must be a finite number. Replace the one that is infinite or missing.")
    if (abs(numbers) > MAX_WEIGHT).any():
        raise ConvolutionError(f"Every {what} must lie between −{MAX_WEIGHT:,.0f} and {MAX_WEIGHT:,.0f}.")
    return numbers.astype(np.float32)


def _fit_channels(picture: np.ndarray, weights: np.ndarray, biases: np.ndarray) -> None:
    if weights.ndim > 2 and (picture.ndim == 2 or picture.shape[2] != weights.shape[2]):
        channels = 1 if picture.ndim == 2 else picture.shape[2]
        raise ConvolutionError(
            f"The kernel is made for {weights.shape[2]} channels (its shape is {weights.shape}), "
            f"the picture has {channels} (its shape is {picture.shape}). They must be the same."
        )
    if biases.ndim == 1 and (weights.ndim != 4 or len(biases) != weights.shape[3]):
        filters = weights.shape[3] if weights.ndim == 4 else 1
        raise ConvolutionError(
            f"There are {len(biases)} biases for {filters} filters. Give one number, or one for each."
        )


def _activation(name: Activation):
    if name is None:
        return np.asarray
    if name == "relu":
        return lambda values: np.maximum(values, np.float32(0), out=values)
    raise ConvolutionError(f"There is no activation {name!r} here. Choose “relu”, or None for none.")


def _pair(stride: int | Pair) -> Pair:
    if isinstance(stride, (tuple, list)):
        if len(stride) != 2:
            raise ConvolutionError(f"The stride is one number, or two (down, right), not {stride!r}.")
        return _whole(stride[0], "The stride"), _whole(stride[1], "The stride")
    return _whole(stride, "The stride"), _whole(stride, "The stride")


def _whole(value: int, what: str) -> int:
    try:
        number = operator.index(value)
    except TypeError as error:
        raise ConvolutionError(f"{what} must be a whole number, not {value!r}.") from error
    if number < 1:
        raise ConvolutionError(f"{what} must be at least 1, not {number}.")
    return number
