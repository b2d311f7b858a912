"""A training whose convolutions are computed one image after the other, compiled. Only when TensorFlow is wanted.

What lies between an image and its pooled values is several times as large as both. Of one image it stays in the
processor's cache, of a batch it does not. TensorFlow's compiler XLA joins what is done with each number to one loop.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import tensorflow as tf
from keras import layers

from cnn_core.engine.fast_blocks import FastTraining
from cnn_core.engine.one_image import picture, winograd, winograd_factors
from cnn_core.network import NetworkSpec

WORTHWHILE = 200
"""Steps. The compiler takes some 3 s, and each step then 0.1 s less (the article's network on two cores, AVX2)."""


def pays(spec: NetworkSpec, steps: int) -> bool:
    """Return whether so many steps of a network are faster this way, here. Tried on Linux only."""
    if sys.platform != "linux" or tf.config.functions_run_eagerly() or tf.config.list_physical_devices("GPU"):
        return False
    possible = all(block.kernel_size == 3 and block.pool_size == 2 for block in spec.blocks)
    return possible and bool(spec.blocks) and steps >= WORTHWHILE


class ImageByImage(FastTraining):
    """The training of a network whose convolutions have 3×3 kernels, each with 2×2 max pooling after it."""

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the network's output, shape (batch, classes)."""
        rescaling, *others = self.network.layers
        if not training or others[0].compute_dtype != "float32":
            return super().call(images, training)
        convolutions = [layer for layer in others if isinstance(layer, layers.Conv2D)]
        values = _blocks(rescaling(images), convolutions)
        for layer in others[2 * len(convolutions) :]:
            values = layer(values, training=True)
        return values


def _blocks(images: Any, convolutions: list[layers.Conv2D]) -> Any:
    """Return what the last pooling leaves of a batch."""
    first, *others = [tf.convert_to_tensor(layer.kernel) for layer in convolutions]
    factors = [first, *map(winograd_factors, others)]
    biases = [tf.convert_to_tensor(layer.bias) for layer in convolutions]

    @tf.function(jit_compile=True, autograph=False)
    def of_one(image: Any, factors: list[Any], biases: list[Any]) -> Any:
        for number, layer in enumerate(convolutions):
            if layer.padding == "same":
                image = tf.pad(image, [[1, 1], [1, 1], [0, 0]])
            pooled = (winograd if number else picture)(image, factors[number])
            image = layer.activation(pooled + biases[number])  # it never falls, so it may come after the maximum
        return image

    return tf.map_fn(
        lambda image: of_one(image, factors, biases),
        images,
        fn_output_signature=tf.float32,
        parallel_iterations=os.cpu_count() or 1,
    )
