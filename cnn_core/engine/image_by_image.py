"""A training whose convolutions are computed one image after the other, compiled. It takes half of the time.

What lies between an image and its pooled values is several times as large as both. Of one image it stays in the
processor's cache, of a batch it does not. And TensorFlow's compiler XLA joins what is done with each number to one
loop. Import this only when TensorFlow is wanted.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from cnn_core.engine.fast_blocks import FastTraining
from cnn_core.engine.one_image import matrix_product, winograd, winograd_weights
from cnn_core.network import NetworkSpec

WORTHWHILE = 200
"""Steps. Before the first one the compiler takes 3 s: the curves of a shorter training shall not wait for it."""


def pays(spec: NetworkSpec, steps: int) -> bool:
    """Return whether to train a network for so many steps in this way, on this machine. Tried on Linux only."""
    if sys.platform != "linux" or tf.config.functions_run_eagerly() or tf.config.list_physical_devices("GPU"):
        return False
    possible = all(block.kernel_size == 3 and block.pool_size == 2 for block in spec.blocks)
    return possible and bool(spec.blocks) and steps >= WORTHWHILE


Kind = tuple[str, Callable[[Any], Any]]
"""The padding of a convolution, and its activation."""


class ImageByImage(FastTraining):
    """The training of a network whose kernels are 3×3, each convolution with 2×2 max pooling after it."""

    def train_step(self, data: Any) -> Any:
        """Train on a batch: TensorFlow asks for this once, builds its graph, and runs only that.

        It shall not run beside the compilation: each of its threads could wait for what another one compiles.
        """
        metrics = super().train_step(data)
        if _compiling:
            _compiling.join()
        return metrics

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
    kernels = [tf.convert_to_tensor(layer.kernel) for layer in convolutions]
    biases = [tf.convert_to_tensor(layer.bias) for layer in convolutions]
    return _of_each(images, kernels, biases, tuple((layer.padding, layer.activation) for layer in convolutions))


_compiling: threading.Thread | None = None


def compile_ahead(spec: NetworkSpec) -> threading.Thread:
    """Begin to compile what the training of a network will ask for; `ImageByImage` waits for it before its first step.

    The shapes are enough for that: all numbers are zero. The graph is built here, since TensorFlow fails now and then
    when two threads build graphs; the compiler runs in a thread beside whatever comes next.
    """
    global _compiling
    filters = [3, *(block.filters for block in spec.blocks)]
    kernels = [tf.zeros([3, 3, *both]) for both in pairwise(filters)]
    biases = [tf.zeros([count]) for count in filters[1:]]
    kinds = tuple((block.padding, keras.activations.get(block.activation)) for block in spec.blocks)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def gradients() -> Any:
        with tf.GradientTape() as tape:
            tape.watch([kernels, biases])
            values = _of_each(tf.zeros([1, spec.input_size, spec.input_size, 3]), kernels, biases, kinds)
        return tape.gradient(values, [kernels, biases])

    _compiling = threading.Thread(target=gradients.get_concrete_function(), name="compiles ahead")
    _compiling.start()
    return _compiling


def _of_each(images: Any, kernels: list[Any], biases: list[Any], kinds: tuple[Kind, ...]) -> Any:
    weights = [kernels[0], *map(winograd_weights, kernels[1:])]
    of_one = convolve_and_pool_one(kinds)
    return tf.map_fn(
        lambda image: of_one(image, weights, biases),
        images,
        fn_output_signature=tf.float32,
        parallel_iterations=os.cpu_count() or 1,
    )


@cache
def convolve_and_pool_one(kinds: tuple[Kind, ...]) -> Any:
    """Return the function of one image that is compiled, a `tf.function` of (image, weights, biases).

    For the same kinds of layers it is the same function: TensorFlow compiles each only once for the same shapes.
    """

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def of_one(image: Any, weights: list[Any], biases: list[Any]) -> Any:
        for number, (padding, activation) in enumerate(kinds):
            if padding == "same":
                image = tf.pad(image, [[1, 1], [1, 1], [0, 0]])
            pooled = (winograd if number else matrix_product)(image, weights[number])
            image = activation(pooled + biases[number])
        return image

    return of_one
