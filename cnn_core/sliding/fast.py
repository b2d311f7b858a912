"""Convolution at all stops at once, as matrix products. `convolution.convolve_by_definition` says what they compute."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cnn_core.sliding.geometry import Pair

BAND_ROWS = 6
"""Rows of a feature map that are computed in one matrix product. With more, too many of the products are with zero."""

MAX_COPIED = 1 << 22
"""Numbers that are copied out of the windows at a time: 16 MB as float32."""


def each_filter(image: NDArray[Any], kernels: NDArray[np.float32], stride: Pair) -> NDArray[np.float32]:
    """Slide F kernels over an image and add up the channels.

    NumPy's windows are views: they take no memory, but a matrix product needs a copy. So they are copied and
    multiplied a few rows at a time.

    Parameters
    ----------
    image : ndarray, shape (H, W, C)
        Padded already.
    kernels : ndarray of float32, shape (kh, kw, C, F)
    stride : (int, int)
        Pixels down and right.

    Returns
    -------
    ndarray of float32, shape (H', W', F)

    Examples
    --------
    >>> each_filter(np.ones((4, 5, 3)), np.ones((2, 2, 3, 8), np.float32), (1, 1)).shape
    (3, 4, 8)
    """
    down, right = stride
    windows = sliding_window_view(image, kernels.shape[:3])[::down, ::right, 0]  # (H', W', kh, kw, C)
    maps = np.empty((*windows.shape[:2], kernels.shape[3]), np.float32)
    rows = max(1, MAX_COPIED // windows[0].size)
    for top in range(0, len(maps), rows):
        some = windows[top : top + rows].astype(np.float32, order="C")
        maps[top : top + rows] = np.tensordot(some, kernels, axes=3)
    return maps


def each_channel(image: NDArray[Any], kernel: NDArray[np.float32], stride: Pair) -> NDArray[np.float32]:
    """Slide one kernel over each channel by itself, without visiting a window.

    The value in row r and column x of the map is the sum, over the image's rows i and the kernel's columns j, of
    ``kernel[i - r * down, j] * image[i, x * right + j]``. There is no x in the first factor and no r in the second. So
    a band of rows of the map is the product of two matrices:

    - the kernel, written once for each row of the band, at that row's height, with zeros around it;
    - the image's rows, once from each of the kernel's columns on.

    Parameters
    ----------
    image : ndarray, shape (H, W, C)
        Padded already.
    kernel : ndarray of float32, shape (kh, kw)
    stride : (int, int)
        Pixels down and right.

    Returns
    -------
    ndarray of float32, shape (H', W', C)

    Examples
    --------
    >>> each_channel(np.ones((4, 5, 3)), np.ones((2, 2), np.float32), (1, 1)).shape
    (3, 4, 3)
    """
    (height, width, channels), (kernel_height, kernel_width), (down, right) = image.shape, kernel.shape, stride
    rows, columns = (height - kernel_height) // down + 1, (width - kernel_width) // right + 1
    source_rows = (BAND_ROWS - 1) * down + kernel_height
    kernel_at_heights = np.zeros((BAND_ROWS, source_rows, kernel_width), np.float32)
    for r in range(BAND_ROWS):
        kernel_at_heights[r, r * down : r * down + kernel_height] = kernel
    left_matrix = kernel_at_heights.reshape(BAND_ROWS, -1)

    maps = np.empty((rows, columns, channels), np.float32)
    from_column = np.zeros((source_rows, kernel_width, columns, channels), np.float32)
    for top in range(0, rows, BAND_ROWS):
        source = image[top * down : top * down + source_rows]
        for j in range(kernel_width):
            from_column[: len(source), j] = source[:, j : j + (columns - 1) * right + 1 : right]
        band = maps[top : top + BAND_ROWS].reshape(-1, columns * channels)
        np.matmul(left_matrix[: len(band)], from_column.reshape(source_rows * kernel_width, -1), out=band)
    return maps
