"""A training whose convolutions are computed one image after the other, compiled. It takes half of the time.

What lies between an image and its pooled values is several times as large as both. Of one image it stays in the
processor's cache, of a batch it does not. And TensorFlow's compiler XLA joins what is done with each number to one
loop. Import this only when TensorFlow is wanted.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import tensorflow as tf
from keras import layers

from cnn_core.engine.fast_blocks import FastTraining
from cnn_core.engine.one_image import matrix_product, winograd, winograd_weights
from cnn_core.network import NetworkSpec

WORTHWHILE = 200
"""Steps. Before the first one the compiler takes 2 to 3 s: the curves of a shorter training shall not wait for it."""


def pays(spec: NetworkSpec, steps: int) -> bool:
    """Return whether to train a network for so many steps in this way, on this machine. Tried on Linux only."""
    if sys.platform != "linux" or tf.config.functions_run_eagerly() or tf.config.list_physical_devices("GPU"):
        return False
    possible = all(block.kernel_size == 3 and block.pool_size == 2 for block in spec.blocks)
    return possible and bool(spec.blocks) and steps >= WORTHWHILE


class ImageByImage(FastTraining):
    """The training of a network whose kernels are 3×3, each convolution with 2×2 max pooling after it."""

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the network's output, shape (batch, classes)."""
        rescaling, *others = self.network.layers
        if not training or others[0].compute_dtype != "float32":
            return super().call(images, training)
        convolutions = [layer for layer in others if isinstance(layer, layers.Conv2D)]
        values = convolve_and_pool(rescaling(images), convolutions)
        for layer in others[2 * len(convolutions) :]:
            values = layer(values, training=True)
        return values


def convolve_and_pool(images: Any, convolutions: list[layers.Conv2D]) -> Any:
    """Return what convolutions, each with max pooling after it, make of the pictures of a batch.

    Parameters
    ----------
    images : tensor of float32, shape (batch, H, W, channels)
        They get no gradient.
    convolutions : list of keras.layers.Conv2D
        Of 3×3 kernels and stride 1, with an activation that never falls: so it may come after the maximum.

    Returns
    -------
    tensor of float32, shape (batch, H', W', filters)
    """
    first, *others = [tf.convert_to_tensor(layer.kernel) for layer in convolutions]
    weights = [first, *map(winograd_weights, others)]
    biases = [tf.convert_to_tensor(layer.bias) for layer in convolutions]

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def of_one(image: Any, weights: list[Any], biases: list[Any]) -> Any:
        for number, layer in enumerate(convolutions):
            if layer.padding == "same":
                image = tf.pad(image, [[1, 1], [1, 1], [0, 0]])
            pooled = (winograd if number else matrix_product)(image, weights[number])
            image = layer.activation(pooled + biases[number])
        return image

    return tf.map_fn(
        lambda image: of_one(image, weights, biases),
        images,
        fn_output_signature=tf.float32,
        parallel_iterations=os.cpu_count() or 1,
    )
