"""What a convolution accepts: an image, a kernel and a bias, each checked and turned into an array."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core import CnnLabError
from cnn_core.sliding.geometry import Slide

MAX_WEIGHT = 1_000_000.0
"""The largest size of a kernel value or a bias. Beyond it float32 has too few digits left for an image's numbers."""

Activation = Literal["relu"] | None


class ConvolutionError(CnnLabError):
    """A convolution that cannot be done as asked. The message says which part does not fit."""


SLIDE = Slide("kernel", ConvolutionError)


def image(values: ArrayLike) -> NDArray[Any]:
    """Return the image as an array of finite numbers, shape (H, W) or (H, W, C)."""
    numbers = SLIDE.image(values)
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        raise ConvolutionError("The picture has numbers that are infinite or missing (NaN). Replace them first.")
    return numbers


def weights(values: ArrayLike) -> NDArray[np.float32]:
    """Return the kernel as float32, shape (kh, kw), (kh, kw, C) or (kh, kw, C, F)."""
    kernel = _numbers(values, "kernel value")
    if kernel.ndim not in (2, 3, 4) or kernel.size == 0:
        raise ConvolutionError(
            "A kernel has the shape (height, width), (height, width, channels) or (height, width, channels, filters), "
            f"none of them 0, not {kernel.shape}."
        )
    return kernel


def biases(values: ArrayLike) -> NDArray[np.float32]:
    """Return the bias as float32, shape () or (F,)."""
    bias = _numbers(values, "bias")
    if bias.ndim > 1:
        raise ConvolutionError(f"The bias is one number, or one for each filter, not an array of shape {bias.shape}.")
    return bias


def _numbers(values: ArrayLike, what: str) -> NDArray[np.float32]:
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ConvolutionError(f"Every {what} must be a number. Replace the one that is empty or text.") from error
    if not np.isfinite(numbers).all():
        raise ConvolutionError(f"Every {what} must be a finite number. Replace the one that is infinite or missing.")
    if (abs(numbers) > MAX_WEIGHT).any():
        raise ConvolutionError(f"Every {what} must lie between −{MAX_WEIGHT:,.0f} and {MAX_WEIGHT:,.0f}.")
    return numbers.astype(np.float32)


def fit_channels(image: NDArray[Any], kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    """Refuse a kernel made for another number of channels, and biases for another number of filters."""
    if kernel.ndim > 2 and (image.ndim == 2 or image.shape[2] != kernel.shape[2]):
        channels = 1 if image.ndim == 2 else image.shape[2]
        raise ConvolutionError(
            f"The kernel is made for {kernel.shape[2]} channels (its shape is {kernel.shape}), "
            f"the picture has {channels} (its shape is {image.shape}). They must be the same."
        )
    if bias.ndim == 1 and (kernel.ndim != 4 or len(bias) != kernel.shape[3]):
        filters = kernel.shape[3] if kernel.ndim == 4 else 1
        raise ConvolutionError(f"There are {len(bias)} biases for {filters} filters. Give one number, or one for each.")


def activation(name: Activation) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the function that is applied to every value of the feature map. It may change its argument."""
    if name is None:
        return lambda values: values
    if name == "relu":
        return lambda values: np.maximum(values, np.float32(0), out=values)
    raise ConvolutionError(f"There is no activation {name!r} here. Choose “relu”, or None for none.")
