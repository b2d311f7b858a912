"""EfficientNet-Lite2, a network that has seen ImageNet: its last features tell cats from dogs better than ours could.

A block widens the maps (1×1), looks around in each map on its own (depthwise), and narrows them again (1×1), with a
short cut from its input to its output where both have the same shape. Import this only when TensorFlow is wanted.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from cnn_core.accurate.sizes import FEATURES, INPUT_SIZE

MEAN, SPREAD = 127.0, 128.0
"""What goes into the first convolution is (value - mean) / spread, as Google trained its Lite networks. With the mean
and spread of ImageNet's colors, as the PyTorch package's text has it, 0.7 % more of the pets are taken for others."""

STAGES = (
    # kernel, stride of the first block, widening, maps that come out, blocks
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
"""Table 1 of the paper: the smallest network of the family, from which the larger ones are scaled."""

WIDTH, DEPTH = 1.1, 1.2
"""Number 2 of the family has this many times the maps and blocks of number 0."""


def scaled_stages() -> list[tuple[int, int, int, int, int]]:
    """Return `STAGES` at this network's width and depth.

    Maps are rounded to a multiple of 8, which processors like, but never down by more than a tenth; blocks are rounded
    up. The Lite networks leave the first and the last stage at one block, and stem and head at their widths.

    Examples
    --------
    >>> [(maps, blocks) for *_, maps, blocks in scaled_stages()]
    [(16, 1), (24, 3), (48, 3), (88, 4), (120, 4), (208, 5), (352, 1)]
    """
    stages = []
    for number, (kernel, stride, widening, maps, blocks) in enumerate(STAGES):
        wanted = maps * WIDTH
        maps = max(8, int(wanted + 4) // 8 * 8)
        maps += 8 if maps < 0.9 * wanted else 0
        inner = 0 < number < len(STAGES) - 1
        stages.append((kernel, stride, widening, maps, math.ceil(blocks * DEPTH) if inner else blocks))
    return stages


def efficientnet_lite2(weights: Path | None = None, size: int | None = INPUT_SIZE) -> keras.Model:
    """Build EfficientNet-Lite2 without its classes: images in, features out.

    Batch normalization, which is a multiplication and an addition once a network has been trained, is part of the
    convolutions' weights here.

    Parameters
    ----------
    weights : Path, optional
        What `cnn_core.accurate.port` has written; without it the weights are random.
    size : int, optional
        Height and width of the images in pixels; None for any.

    Returns
    -------
    keras.Model
        Of float32 (batch, size, size, 3) in 0-255 to float32 (batch, 1280); 4,782,024 parameters.

    References
    ----------
    M. Tan and Q. V. Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019
    (arXiv:1905.11946); Google's Lite variant: ReLU6 in the place of swish, no squeeze-and-excitation.

    Examples
    --------
    >>> efficientnet_lite2().output_shape
    (None, 1280)
    """
    image = keras.Input((size, size, 3), name="picture")
    x = layers.Rescaling(1 / SPREAD, -MEAN / SPREAD, name="rescaling")(image)
    x = _convolution(x, 32, 3, 2, "stem")
    number = 0
    for kernel, stride, widening, maps, blocks in scaled_stages():
        for first in range(blocks):
            x = _block(x, kernel, stride if first == 0 else 1, widening, maps, f"block_{number}")
            number += 1
    x = _convolution(x, FEATURES, 1, 1, "head")
    model = keras.Model(image, layers.GlobalAveragePooling2D(name="features")(x), name="efficientnet_lite2")
    if weights is not None:
        with np.load(weights) as arrays:
            for layer in model.layers:
                if layer.weights:
                    layer.set_weights([arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"]])
    return model


def _block(x: Any, kernel: int, stride: int, widening: int, maps: int, name: str) -> Any:
    inside = x
    if widening > 1:
        inside = _convolution(inside, widening * x.shape[-1], 1, 1, f"{name}_widen")
    inside = layers.DepthwiseConv2D(kernel, stride, "same", name=f"{name}_look")(inside)
    inside = layers.ReLU(6, name=f"{name}_look_relu")(inside)
    inside = layers.Conv2D(maps, 1, name=f"{name}_narrow")(inside)
    if stride == 1 and x.shape[-1] == maps:
        inside = layers.Add(name=f"{name}_add")([inside, x])
    return inside


def _convolution(x: Any, maps: int, kernel: int, stride: int, name: str) -> Any:
    x = layers.Conv2D(maps, kernel, stride, "same", name=name)(x)
    return layers.ReLU(6, name=f"{name}_relu")(x)
