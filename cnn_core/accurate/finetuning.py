"""Fine-tuning: the upper blocks of a network that knows ImageNet go on learning, from cats and dogs.

What lies below, which finds edges, textures and parts, stays as it is. And what the network said of ImageNet's cats
and dogs it shall still say, since that tells whether there is a pet at all: the blocks as they were answer beside
those that learn, and a difference between the two costs as a wrong label does ("learning without forgetting").
Import this only when TensorFlow is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from numpy.typing import NDArray

from cnn_core.engine.augmentation import RandomAffine, between, random_numbers
from cnn_core.engine.batches import training_batches
from cnn_core.engine.config import CLIP_NORM

if TYPE_CHECKING:
    from cnn_core.dataset import Images

FIRST_TRAINABLE = "block_11_widen"
"""The first layer that learns: from here on maps are a sixteenth of the image's size."""

IMAGE_SIZE = 224
"""Height and width of the training images. With `CROP_SHARE`, things are as large as in a whole image of 300."""

CROP_SHARE = (0.6, 1.0)
"""The share of an image's height, and of its width, that a random crop keeps: least and most."""

BRIGHTNESS, CONTRAST, SATURATION = 0.1, 0.3, (0.25, 0.5)
"""How far colors change at random, as `keras.layers.RandomColorJitter` takes it. Its saturation of 0.5 is the
image's own, and below it is paler; above, it gives values below 0."""

EPOCHS, BATCH_SIZE = 4, 32
LEARNING_RATE, WARMUP_STEPS, WEIGHT_DECAY = 1e-4, 200, 0.01
"""Peak learning rate, the number of warm-up steps before it falls to zero along a cosine, and weight decay."""

DISTILLATION_WEIGHT = 0.1
"""Weight of the mean squared difference of the scores of ImageNet's classes, beside the cross-entropy."""


@keras.saving.register_keras_serializable("cnn_lab", "Loyal")
class Distillation(layers.Layer):
    """Passes features on, and adds a loss for the difference between new and former scores.

    References
    ----------
    Z. Li and D. Hoiem, Learning without Forgetting, 2016 (arXiv:1606.09282); here with the squared difference.
    """

    def call(self, features: Any, scores: Any, former_scores: Any, training: bool = False) -> Any:
        """Return the features."""
        if training:
            self.add_loss(DISTILLATION_WEIGHT * ops.mean(ops.square(scores - former_scores)))
        return features


def tunable(backbone: keras.Model, head: dict[str, NDArray[np.float32]], steps: int) -> keras.Model:
    """Make the model that is fine-tuned: images of any size in, the probabilities of cat and dog out.

    Parameters
    ----------
    backbone : keras.Model
        Of images to features, with a layer `FIRST_TRAINABLE`. It is copied.
    head : dict of str to ndarray
        ``verdict/kernel`` (n, 2) and ``verdict/bias`` (2,) learned on the backbone's features, ``classes/kernel``
        (n, P) and ``classes/bias`` (P,) of ImageNet's pets.
    steps : int
        Batches that it will learn from, all epochs together.

    Returns
    -------
    keras.Model
        Compiled. Its layers are named as the backbone's, so that `copy_weights` finds them.
    """
    student, former = _copy(backbone), _copy(backbone)
    learns = False
    for layer in student.layers:
        learns = learns or layer.name == FIRST_TRAINABLE
        layer.trainable = learns
    former = keras.Model(former.get_layer(FIRST_TRAINABLE).input, former.output, name="former")
    former.trainable = False
    imagenet = layers.Dense(head["classes/bias"].size, name="imagenet", trainable=False)
    verdict = layers.Dense(2, activation="softmax", name="verdict")
    features = student.output
    kept = Distillation(name="distillation")(
        features, imagenet(features), imagenet(former(student.get_layer(FIRST_TRAINABLE).input))
    )
    model = keras.Model(student.input, verdict(kept), name="tunable")
    imagenet.set_weights([head["classes/kernel"], head["classes/bias"]])
    verdict.set_weights([head["verdict/kernel"], head["verdict/bias"]])
    rate = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 100, steps, warmup_target=LEARNING_RATE, warmup_steps=WARMUP_STEPS
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, global_clipnorm=CLIP_NORM)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    optimizer.build(model.trainable_variables)
    return model


def _copy(backbone: keras.Model) -> keras.Model:
    """Copy a network, weights and all, so that it takes images of any size."""
    copy = keras.models.clone_model(backbone, input_tensors=keras.Input((None, None, 3)))
    copy.set_weights(backbone.get_weights())
    return copy


def copy_weights(backbone: keras.Model, tuned: keras.Model) -> dict[str, NDArray[np.float32]]:
    """Give the backbone the weights that have been learned, and return the verdict's.

    Parameters
    ----------
    backbone : keras.Model
        The one that `tuned` was made of; it is changed.
    tuned : keras.Model
        As `tunable` made it, or as Keras saved and opened it.
    """
    for layer in backbone.layers:
        if layer.weights:
            layer.set_weights(tuned.get_layer(layer.name).get_weights())
    kernel, bias = tuned.get_layer("verdict").get_weights()
    return {"verdict/kernel": kernel, "verdict/bias": bias}


def augmented_batches(images: Images, labels: NDArray[np.int32], numbers: range, seed: int) -> tf.data.Dataset:
    """Serve batches of images, each cropped, rotated and colored at random, in a new order each epoch.

    Parameters
    ----------
    images : dataset.Images
    labels : ndarray of int32, shape (N,)
    numbers : range
        Which batches, counted from 0 over all epochs.
    seed : int

    Returns
    -------
    tensorflow.data.Dataset
        Of (float32 (batch, H, W, 3) in 0-255, int32 (batch,)).
    """
    affine = RandomAffine(zoom=CROP_SHARE, seed=seed)

    def change(images: tf.Tensor, *batch: tf.Tensor) -> tf.Tensor:
        number, first, whole = batch
        # Others than those that move the image.
        random = random_numbers(3, tf.shape(images)[0], seed + 1, number, first, whole)
        return vary_colors(affine(images, *batch), *tf.unstack(random[:, :, None, None, None]))

    return training_batches(images, labels, BATCH_SIZE, numbers, seed=seed, change=change)


def vary_colors(images: Any, brightness: Any, contrast: Any, saturation: Any) -> Any:
    """Change the colors of images as `keras.layers.RandomColorJitter` does, but by random numbers that are given.

    Parameters
    ----------
    images : tensor of float32, shape (N, H, W, 3)
        In 0-255.
    brightness, contrast, saturation : tensor, shape (N, 1, 1, 1)
        0 to 1: at which share of its range each image's change lies.
    """
    images = ops.clip(images + 255 * between(-BRIGHTNESS, BRIGHTNESS, brightness), 0, 255)
    mean = ops.mean(images, axis=(1, 2), keepdims=True)
    images = ops.clip((images - mean) * between(1 - CONTRAST, 1 + CONTRAST, contrast) + mean, 0, 255)
    share = between(*SATURATION, saturation)
    hue, paleness, value = ops.split(ops.image.rgb_to_hsv(images), 3, axis=-1)
    return ops.image.hsv_to_rgb(ops.concatenate([hue, paleness * share / (1 - share), value], axis=-1))
