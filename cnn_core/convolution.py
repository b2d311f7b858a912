"""Convolution: a small table of numbers, the kernel, slides over an image. At each stop it gives one number.

At each stop four things happen:

1. overlay: the kernel is laid over a window of the image that is as large as the kernel;
2. multiply: each number of the window is multiplied by the kernel's number on top of it;
3. sum: the products are added up, which gives one number of the feature map (plus a bias, through an activation);
4. move: the window moves on by the stride.

`convolve_by_definition` does these four in three lines. `step` returns the numbers of one stop. Use `conv2d`: it
is fast and checks its input. As in Keras the kernel is not flipped.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from cnn_core.sliding import fast, operands
from cnn_core.sliding.geometry import PADDINGS, Padding, Pair
from cnn_core.sliding.operands import MAX_WEIGHT, Activation, ConvolutionError

__all__ = [
    "MAX_WEIGHT",
    "PADDINGS",
    "Activation",
    "ConvolutionError",
    "Padding",
    "Pair",
    "Step",
    "conv2d",
    "convolve_by_definition",
    "output_size",
    "step",
]


def convolve_by_definition(
    image: NDArray[Any], kernels: NDArray[np.float32], stride: Pair = (1, 1)
) -> NDArray[np.float32]:
    """Slide F kernels over an image: at every stop, the window times the kernel, summed.

    Nothing is checked or padded, and every product is kept in memory. `conv2d` returns the same numbers faster.

    Parameters
    ----------
    image : ndarray of numbers, shape (H, W, C)
    kernels : ndarray of float32, shape (kh, kw, C, F)
    stride : (int, int), optional
        Pixels that the window moves at a time (down, right).

    Returns
    -------
    ndarray of float32, shape (H', W', F)

    Examples
    --------
    >>> image = np.array([[1, 2, 3], [4, 5, 6]])
    >>> kernel = np.array([[1, 0], [0, 10]], np.float32)
    >>> convolve_by_definition(image[..., np.newaxis], kernel[..., np.newaxis, np.newaxis])[..., 0]
    array([[51., 62.]], dtype=float32)
    """
    down, right = stride
    windows = sliding_window_view(image, kernels.shape[:3])[::down, ::right, 0]  # (H', W', kh, kw, C)
    products = windows[..., np.newaxis].astype(np.float32) * kernels  # (H', W', kh, kw, C, F)
    return np.asarray(products.sum(axis=(2, 3, 4)))  # (H', W', F)


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
        Where the window begins, in pixels of the image; negative where it begins in the padding.
    """

    window: NDArray[np.float32]
    kernel: NDArray[np.float32]
    products: NDArray[np.float32]
    sum: NDArray[np.float32]
    value: NDArray[np.float32]
    top: int
    left: int


def conv2d(
    image: ArrayLike,
    kernel: ArrayLike,
    *,
    stride: int | Pair = 1,
    padding: Padding = "valid",
    bias: ArrayLike = 0.0,
    activation: Activation = None,
) -> NDArray[np.float32]:
    """Slide a kernel over an image and return the feature map.

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
        ``"valid"`` adds nothing around the image, ``"same"`` as many zeros as TensorFlow does.
    bias : float or array_like of shape (F,), optional
        Is added to every sum.
    activation : {None, "relu"}, optional
        ``"relu"`` replaces negative values by zero.

    Returns
    -------
    ndarray of float32
        Shape (H', W') for a gray image or a ``(kh, kw, C)`` kernel, (H', W', C) when a ``(kh, kw)`` kernel slides
        over C channels, (H', W', F) for F filters; H' and W' are given by `output_size`.

    Raises
    ------
    ConvolutionError
        When shapes do not fit, the kernel is larger than the image (``"valid"``), the stride is below 1, padding or
        activation are unknown, or a kernel value or the bias is not a finite number within ±`MAX_WEIGHT`.

    See Also
    --------
    convolve_by_definition : the same without the shortcuts.
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
    image, weights, biases = operands.image(image), operands.weights(kernel), operands.biases(bias)
    operands.fit_channels(image, weights, biases)
    activate = operands.activation(activation)
    strides = operands.SLIDE.pair(stride, "The stride")
    pads = [
        operands.SLIDE.pads(size, kernel_size, along, padding)
        for size, kernel_size, along in zip(image.shape[:2], weights.shape[:2], strides, strict=True)
    ]
    padded = image.reshape(*image.shape[:2], -1)
    if any(map(any, pads)):
        padded = np.pad(padded, (*pads, (0, 0)))

    if weights.ndim == 2:
        sums = fast.each_channel(padded, weights, strides)
        sums = sums[..., 0] if image.ndim == 2 else sums
    else:
        sums = fast.each_filter(padded, weights.reshape(*weights.shape[:3], -1), strides)
        sums = sums[..., 0] if weights.ndim == 3 else sums
    if biases.any():
        sums += biases
    return activate(sums)


def step(
    image: ArrayLike,
    kernel: ArrayLike,
    row: int,
    column: int,
    *,
    stride: int | Pair = 1,
    padding: Padding = "valid",
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
    image, weights, biases = operands.image(image), operands.weights(kernel), operands.biases(bias)
    operands.fit_channels(image, weights, biases)
    activate = operands.activation(activation)
    (height, width), (kernel_height, kernel_width) = image.shape[:2], weights.shape[:2]
    down, right = operands.SLIDE.pair(stride, "The stride")
    rows = output_size(height, kernel_height, stride=down, padding=padding)
    columns = output_size(width, kernel_width, stride=right, padding=padding)
    if not (0 <= row < rows and 0 <= column < columns):
        raise ConvolutionError(
            f"The feature map has {rows} rows and {columns} columns, so there is no row {row}, column {column}. "
            f"Count from 0."
        )

    top = row * down - operands.SLIDE.pads(height, kernel_height, down, padding)[0]
    left = column * right - operands.SLIDE.pads(width, kernel_width, right, padding)[0]
    window = np.zeros((kernel_height, kernel_width, *image.shape[2:]), np.float32)
    inside = image[max(top, 0) : top + kernel_height, max(left, 0) : left + kernel_width]
    down_by, right_by = max(-top, 0), max(-left, 0)
    window[down_by : down_by + inside.shape[0], right_by : right_by + inside.shape[1]] = inside

    wide_window = window[..., None] if weights.ndim == 4 else window
    wide_kernel = weights[..., None] if weights.ndim == 2 and window.ndim == 3 else weights
    products = wide_window * wide_kernel
    summed_axes = (0, 1) if weights.ndim == 2 else (0, 1, 2)
    total = np.asarray(products.sum(axis=summed_axes, dtype=np.float64).astype(np.float32))
    return Step(window, weights, products, total, activate(np.asarray(total + biases)), top, left)


def output_size(size: int, kernel_size: int, *, stride: int = 1, padding: Padding = "valid") -> int:
    """Return how many stops a kernel makes along one side, which is the size of the feature map.

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
        When a size or the stride is below 1, the padding is unknown, or the kernel is larger than the image
        (``"valid"``).

    References
    ----------
    V. Dumoulin and F. Visin, arXiv:1603.07285, relationships 5 and 6 (there with the padding written out).

    Examples
    --------
    >>> output_size(128, 3), output_size(128, 3, stride=2), output_size(128, 3, stride=2, padding="same")
    (126, 63, 64)
    """
    return operands.SLIDE.stops(size, kernel_size, stride, padding)
