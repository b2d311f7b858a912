"""Why a network needs ReLU: two convolutions in a row, with nothing between them, are one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.convolution import conv2d
from cnn_core.sliding import operands


@dataclass(frozen=True, eq=False)
class TwoLayers:
    """Two convolutions in a row over one image, and the single one that should do the same.

    Attributes
    ----------
    combined : ndarray of float32
        The single kernel, as `combined_kernel` gives it.
    one : ndarray of float32
        Its feature map.
    linear : ndarray of float32
        The two in a row, with nothing between them.
    relu : ndarray of float32
        The two in a row, with ReLU between them.
    linear_difference, relu_difference : float
        The largest difference between a value of `one` and the same value of `linear` and of `relu`.
    largest : float
        The largest size of a value in `one`, to judge the differences by.
    """

    combined: NDArray[np.float32]
    one: NDArray[np.float32]
    linear: NDArray[np.float32]
    relu: NDArray[np.float32]
    linear_difference: float
    relu_difference: float
    largest: float

    @property
    def relu_matters(self) -> bool:
        """Whether ReLU changed any value: not where the first kernel gives none below 0."""
        return not np.array_equal(self.linear, self.relu)


def combined_kernel(first: ArrayLike, second: ArrayLike) -> NDArray[np.float32]:
    """Return the one kernel that gives the same feature map as two in a row with nothing between them.

    At each place the second kernel weighs the results of the first at several places. So each of its numbers puts a
    copy of the first kernel there, multiplied by itself, and the copies add up.

    Parameters
    ----------
    first : array_like of numbers, shape (kh, kw) or (kh, kw, C)
        The kernel that slides over the image.
    second : array_like of numbers, shape (lh, lw)
        The kernel that slides over the map of the first.

    Returns
    -------
    ndarray of float32, shape (kh + lh - 1, kw + lw - 1) or (kh + lh - 1, kw + lw - 1, C)
        For stride 1, padding ``"valid"`` and no bias.

    Raises
    ------
    ConvolutionError
        When one of them is no kernel.

    Examples
    --------
    >>> combined_kernel([[-1, 1]], [[-1, 1]])
    array([[ 1., -2.,  1.]], dtype=float32)
    >>> combined_kernel(np.ones((3, 3)), np.ones((3, 3))).shape
    (5, 5)
    """
    ahead, behind = operands.weights(first), operands.weights(second)
    if ahead.ndim == 4 or behind.ndim != 2:
        raise operands.ConvolutionError(
            "The first kernel has the shape (height, width) or (height, width, channels), the second (height, width), "
            f"not {ahead.shape} and {behind.shape}."
        )
    height, width = ahead.shape[:2]
    rows, columns = behind.shape
    combined = np.zeros((height + rows - 1, width + columns - 1, *ahead.shape[2:]))
    for (row, column), weight in np.ndenumerate(behind.astype(np.float64)):
        combined[row : row + height, column : column + width] += weight * ahead
    return combined.astype(np.float32)


def two_layers(image: NDArray[Any], first: ArrayLike, second: ArrayLike) -> TwoLayers:
    """Slide two kernels over an image, one after the other, and compare that with their combined kernel.

    Parameters
    ----------
    image : ndarray of numbers, shape (H, W) or (H, W, C)
    first, second : array_like of numbers
        As `combined_kernel` takes them.

    Returns
    -------
    TwoLayers
        Without ReLU its difference is float32's rounding. With ReLU it is 0 only where the first kernel gives no value
        below 0.

    Raises
    ------
    ConvolutionError
        When the image is smaller than the combined kernel, or one of them is no kernel for it.

    Examples
    --------
    >>> both = two_layers(np.array([[3, 1, 2, 5]]), [[-1, 1]], [[-1, 1]])
    >>> both.one.tolist(), both.linear.tolist(), both.relu.tolist()
    ([[3.0, 2.0]], [[3.0, 2.0]], [[1.0, 2.0]])
    >>> both.linear_difference, both.relu_difference
    (0.0, 2.0)
    """
    combined = combined_kernel(first, second)
    one = conv2d(image, combined)
    linear = conv2d(conv2d(image, first), second)
    relu = conv2d(conv2d(image, first, activation="relu"), second)
    return TwoLayers(
        combined, one, linear, relu,
        float(abs(linear - one).max()), float(abs(relu - one).max()), float(abs(one).max()),
    )  # fmt: skip
