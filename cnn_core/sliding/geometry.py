"""Where a sliding window stops, and how many pixels of padding it needs. Convolution and pooling share these rules."""

import operator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core import CnnLabError

Padding = Literal["valid", "same"]
Pair = tuple[int, int]

PADDINGS: tuple[Padding, ...] = ("valid", "same")
"""``"valid"``: the window stays inside the image. ``"same"``: zeros around it keep its size when the stride is 1."""


@dataclass(frozen=True)
class Slide:
    """The checks and the arithmetic of one kind of sliding window.

    Attributes
    ----------
    window : str
        What slides, for error messages: "kernel" or "window".
    error : type of CnnLabError
        The exception that every method raises when its arguments do not fit.

    References
    ----------
    V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285. TensorFlow's rule
    for ``"same"`` (``tf.nn``, "Notes on padding"): half of the padding before, half after; an odd pixel goes after.

    Examples
    --------
    >>> slide = Slide("window", CnnLabError)
    >>> slide.stops(5, 2, 2, "valid"), slide.stops(5, 2, 2, "same"), slide.pads(5, 2, 2, "same")
    (2, 3, (0, 1))
    """

    window: str
    error: type[CnnLabError]

    def image(self, values: ArrayLike) -> NDArray[Any]:
        """Return `values` as an array of numbers, shape (H, W) or (H, W, C)."""
        image = np.asarray(values)
        if image.dtype.kind not in "buif":
            raise self.error(f"A picture has numbers, not values of type {image.dtype}.")
        if image.ndim not in (2, 3) or image.size == 0:
            raise self.error(
                f"A picture has the shape (height, width) or (height, width, channels), not {image.shape}."
            )
        return image

    def whole(self, value: int, what: str) -> int:
        """Return `value` as an int of at least 1. `what` begins the error message, such as "The stride"."""
        try:
            number = operator.index(value)
        except TypeError as error:
            raise self.error(f"{what} must be a whole number, not {value!r}.") from error
        if number < 1:
            raise self.error(f"{what} must be at least 1, not {number}.")
        return number

    def pair(self, value: int | Pair, what: str) -> Pair:
        """Return one number for (down, right), or both as given; each at least 1."""
        if isinstance(value, (tuple, list)):
            if len(value) != 2:
                raise self.error(f"{what} is one number, or two (down, right), not {value!r}.")
            return self.whole(value[0], what), self.whole(value[1], what)
        return self.whole(value, what), self.whole(value, what)

    def stops(self, size: int, window_size: int, stride: int, padding: Padding) -> int:
        """Return how many stops the window makes along one side of the image. All sizes are in pixels.

        ``"valid"``: ⌊(size − window_size) / stride⌋ + 1. ``"same"``: ⌈size / stride⌉.
        """
        size = self.whole(size, "The picture's size")
        window_size = self.whole(window_size, f"The {self.window}'s size")
        stride = self.whole(stride, "The stride")
        if padding not in PADDINGS:
            raise self.error(f"There is no padding {padding!r}. Choose “valid” or “same”.")
        if padding == "same":
            return -(-size // stride)
        if window_size > size:
            raise self.error(
                f"The {self.window} ({window_size} pixels) is larger than the picture ({size} pixels). "
                f"Choose a smaller {self.window}, a larger picture, or the padding “same”."
            )
        return (size - window_size) // stride + 1

    def pads(self, size: int, window_size: int, stride: int, padding: Padding) -> Pair:
        """Return how many pixels of padding go before and after one side of the image."""
        stops = self.stops(size, window_size, stride, padding)
        if padding == "valid":
            return 0, 0
        missing = max((stops - 1) * stride + window_size - size, 0)
        return missing // 2, missing - missing // 2
