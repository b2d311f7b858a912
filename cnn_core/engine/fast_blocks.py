"""Convolution, activation and max pooling of a training step, in an order that costs a processor less.

The network that is trained and saved stays what it is; only the way to its numbers is another one. Import this only
when TensorFlow is wanted.

- The activations here never fall, so the maximum of the activated values is the activated maximum. The bias is the same
  for all values of a map. So both can wait until pooling has left a quarter of the values.
- A picture has three channels, too few for a fast convolution; and TensorFlow takes longer for the gradient of max
  pooling than for the convolution before it. So the first block is computed as four matrix products, one for each place
  in the pooling window, and their maximum, whose gradient is cheap: it goes to the largest of the four.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

MAX_CHANNELS = 4
"""Up to so many channels the matrix products are the faster way."""


class FastTraining(keras.Model):
    """A network's training, with its blocks computed as `convolve_and_pool` does.

    It shares the layers of the network, and so its weights. Outside of training, and with weights that are not
    multiplied in float32, it asks the network itself.

    Parameters
    ----------
    network : keras.Sequential
        As `NetworkSpec.build` makes it.
    """

    def __init__(self, network: keras.Sequential) -> None:
        super().__init__(name=f"{network.name}_training")
        self.network = network

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the network's output, shape (batch, classes)."""
        if not training:
            return self.network(images, training=False)
        values, convolution = images, None
        for layer in self.network.layers:
            if convolution is not None:
                values = convolve_and_pool(values, convolution, layer.pool_size[0])
                convolution = None
            elif isinstance(layer, layers.Conv2D) and self._is_pooled(layer) and layer.compute_dtype == "float32":
                convolution = layer
            else:
                values = layer(values, training=True)
        return values

    def _is_pooled(self, convolution: layers.Conv2D) -> bool:
        after = self.network.layers[self.network.layers.index(convolution) + 1]
        return isinstance(after, layers.MaxPooling2D)


def convolve_and_pool(images: Any, convolution: layers.Conv2D, pool_size: int) -> Any:
    """Return what max pooling leaves of a convolution's output.

    Parameters
    ----------
    images : tensor of float32, shape (batch, H, W, channels)
    convolution : keras.layers.Conv2D
        Of stride 1, with an activation that never falls.
    pool_size : int
        Side and stride of the pooling window.

    Returns
    -------
    tensor of float32, shape (batch, H', W', filters)
    """
    if convolution.padding == "same":
        before = (convolution.kernel_size[0] - 1) // 2
        around = [before, convolution.kernel_size[0] - 1 - before]
        images = tf.pad(images, [[0, 0], around, around, [0, 0]])
    kernel = tf.convert_to_tensor(convolution.kernel)
    if pool_size == 2 and images.shape[-1] <= MAX_CHANNELS:
        pooled = _as_products(images, kernel)
    else:
        pooled = tf.nn.max_pool2d(tf.nn.conv2d(images, kernel, 1, "VALID"), pool_size, pool_size, "VALID")
    return convolution.activation(tf.nn.bias_add(pooled, convolution.bias))


def _as_products(images: Any, kernel: Any) -> Any:
    """Convolve and pool 2×2: a row of numbers for each pooling window, times the kernel at its four places there."""
    _, height, width, channels = images.shape
    size, _, _, filters = kernel.shape
    rows, columns = (height - size + 1) // 2, (width - size + 1) // 2
    cells = size // 2 + 1  # of 2×2 pixels; so many to each side hold all that a pooling window looks at
    images = images[:, : 2 * (rows + cells - 1), : 2 * (columns + cells - 1)]
    missing = [2 * (count + cells - 1) - side for count, side in zip((rows, columns), images.shape[1:3], strict=True)]
    images = tf.pad(images, [[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]])
    deep = tf.nn.space_to_depth(images, 2)
    seen = [deep[:, i : i + rows, j : j + columns] for i in range(cells) for j in range(cells)]
    windows = tf.reshape(tf.concat(seen, -1), [-1, cells * cells * 4 * channels])

    def at(down: int, right: int) -> Any:
        room = 2 * cells - size
        placed = tf.pad(kernel, [[down, room - down], [right, room - right], [0, 0], [0, 0]])
        placed = tf.reshape(placed, [cells, 2, cells, 2, channels, filters])
        return tf.reshape(tf.transpose(placed, [0, 2, 1, 3, 4, 5]), [-1, filters])  # in the order of the windows

    upper, lower = (_larger(windows @ at(down, 0), windows @ at(down, 1)) for down in (0, 1))
    return tf.reshape(_larger(upper, lower), [-1, rows, columns, filters])


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _larger(one: Any, other: Any) -> Any:
    """Return the maximum. Its gradient goes to the larger one, and where they are equal to the first, as in pooling."""

    def gradient(of_output: Any) -> Any:
        of_one = tf.cast(one >= other, of_output.dtype) * of_output
        return of_one, of_output - of_one

    return tf.maximum(one, other), gradient
