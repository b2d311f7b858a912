"""A chain of stages, as at the beginning of a network: convolution, ReLU, pooling, convolution, and so on.

Each stage turns one map into the next. A value of a late map depends on a whole region of the image, its receptive
field, which grows with every convolution and pooling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.convolution import Padding, conv2d
from cnn_core.pooling import average_pool2d, max_pool2d
from cnn_core.sliding import operands
from cnn_core.sliding.geometry import Slide


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution with one kernel, stride 1, without padding or bias.

    Attributes
    ----------
    kernel : array_like of float, shape (kh, kw)
    """

    kernel: ArrayLike

    def apply(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the feature map."""
        return conv2d(values, self.kernel)

    def window(self) -> tuple[Slide, int, int, Padding]:
        """Return the rules of the sliding window, its side, its stride and the padding."""
        return operands.SLIDE, len(np.asarray(self.kernel)), 1, "valid"


@dataclass(frozen=True)
class ReLU:
    """Replaces negative values by zero: max(0, value)."""

    def apply(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the map without negative values."""
        return np.asarray(np.maximum(values, 0), np.float32)

    def window(self) -> None:
        """Return None: each value depends on one value alone."""


@dataclass(frozen=True)
class Pooling:
    """A max or average pooling.

    Attributes
    ----------
    kind : {"max", "average"}
    pool_size, strides : int
    padding : {"valid", "same"}
    """

    kind: Literal["max", "average"] = "max"
    pool_size: int = 2
    strides: int = 2
    padding: Padding = "valid"

    def apply(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the pooled map."""
        pool = max_pool2d if self.kind == "max" else average_pool2d
        return pool(values, self.pool_size, self.strides, self.padding)

    def window(self) -> tuple[Slide, int, int, Padding]:
        """Return the rules of the sliding window, its side, its stride and the padding."""
        return operands.SLIDE, self.pool_size, self.strides, self.padding


Stage = Convolution | ReLU | Pooling


def run(image: NDArray[Any], stages: Sequence[Stage]) -> list[NDArray[Any]]:
    """Send an image through all stages.

    Parameters
    ----------
    image : ndarray of numbers, shape (H, W)
    stages : sequence of Stage

    Returns
    -------
    list of ndarray
        The image, then the map after each stage, float32.

    Raises
    ------
    ConvolutionError, PoolingError
        When a window does not fit into the map that it is to slide over.

    Examples
    --------
    >>> maps = run(np.eye(6) * 9, [Convolution([[0, -1], [1, 0]]), ReLU(), Pooling()])
    >>> [values.shape for values in maps], maps[-1].max()
    ([(6, 6), (5, 5), (5, 5), (2, 2)], np.float32(9.0))
    """
    maps = [image]
    for stage in stages:
        maps.append(stage.apply(maps[-1]))
    return maps


def receptive_field(
    shapes: Sequence[tuple[int, int]], stages: Sequence[Stage], row: int, column: int
) -> tuple[int, int, int, int]:
    """Return the region of the image on which one value of the last map depends.

    Parameters
    ----------
    shapes : sequence of (int, int)
        Height and width of the image and of the map after each stage but the last.
    stages : sequence of Stage
    row, column : int
        The value's place in the last map.

    Returns
    -------
    (int, int, int, int)
        Top, left, bottom, right in pixels of the image; bottom and right are the first row and column outside of it.

    References
    ----------
    A. Araujo, W. Norris and J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019.

    Examples
    --------
    >>> receptive_field([(9, 9), (7, 7)], [Convolution(np.ones((3, 3))), Pooling()], 1, 0)
    (2, 0, 6, 4)
    """
    first, last = (row, column), (row + 1, column + 1)
    for shape, stage in reversed(list(zip(shapes, stages, strict=True))):
        window = stage.window()
        if window is None:
            continue
        slide, side, stride, padding = window
        before = [slide.pads(size, side, stride, padding)[0] for size in shape]
        first = tuple(max(at * stride - pad, 0) for at, pad in zip(first, before, strict=True))  # type: ignore[assignment]
        last = tuple(  # type: ignore[assignment]
            min((at - 1) * stride - pad + side, size) for at, pad, size in zip(last, before, shape, strict=True)
        )
    return (*first, *last)
