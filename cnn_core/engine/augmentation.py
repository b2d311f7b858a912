"""Images that vary from epoch to epoch: flip, rotation, shear, zoom and shift, all in one.

Each of these maps straight lines to straight lines, so all five together are one matrix, and every pixel has to be
looked up once only. Keras has a layer for each of them; one after the other they take four times as long, and each
blurs the image a little more. Import this module only when TensorFlow is wanted.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from cnn_core.engine.config import AUGMENTATIONS


class RandomAffine:
    """Flip, rotate, shear, zoom and shift each image at random, around its center.

    Parameters
    ----------
    rotation : float
        Maximum angle to either side, in degrees.
    shear : float
        Maximum sideways shift of a row, as a multiple of its distance from the middle.
    zoom : float or (float, float)
        Height and width, each on its own, change at most by such a fraction; (0.6, 1) shows 60 to 100 % of either.
    shift : float
        It moves by at most such a fraction of its height and width.
    flip : bool
        Whether half of the images are mirrored left to right.
    seed : int
        With the number of a batch, it decides what happens to each image. Nothing else does: there is no state.

    Notes
    -----
    Maps (batch, H, W, channels) to the same, in its own dtype; what moves in from outside repeats the edge.

    References
    ----------
    The article's ``ImageDataGenerator(rotation_range=15, shear_range=0.1, zoom_range=0.2, horizontal_flip=True,
    width_shift_range=0.1, height_shift_range=0.1)``, which joins its changes to one matrix too. Its shear is a tenth of
    a degree, which nobody would see; here it is a tenth of the height.

    Examples
    --------
    >>> image = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype("float32")
    >>> still = RandomAffine(rotation=0, shear=0, zoom=0, shift=0, flip=False)
    >>> bool((still(image) == image).numpy().all())
    True
    """

    def __init__(
        self,
        rotation: float = 15,
        shear: float = 0.1,
        zoom: float | tuple[float, float] = 0.2,
        shift: float = 0.1,
        flip: bool = True,
        seed: int = 42,
    ) -> None:
        self.rotation, self.shear, self.shift, self.flip = rotation, shear, shift, flip
        self.zoom = zoom if isinstance(zoom, tuple) else (1 - zoom, 1 + zoom)
        self.seed = seed

    def __call__(self, images: Any, number: Any = 0, first: Any = 0, whole: Any = None) -> Any:
        """Return the images of the batch with this number, each changed in its own way; `first` and `whole` as in
        `random_numbers`."""
        count, height, width = ops.shape(images)[:3]
        numbers = random_numbers(7, count, self.seed, number, first, whole)
        moves = self._matrices(numbers, ops.cast(height, "float32"), ops.cast(width, "float32"))
        return ops.image.affine_transform(images, moves, interpolation="bilinear", fill_mode="nearest")

    def _matrices(self, numbers: Any, height: Any, width: Any) -> Any:
        """Return for each image the eight numbers that say where a pixel's value comes from: float32 (count, 8).

        The pixel (x, y) takes the value at (a x + b y + c, d x + e y + f); the last two numbers, 0, keep it affine.
        """
        angle, shear, zoom_x, zoom_y, flip, shift_x, shift_y = ops.unstack(numbers, axis=0)
        angle = between(-self.rotation * np.pi / 180, self.rotation * np.pi / 180, angle)
        shear = between(-self.shear, self.shear, shear)
        zoom_x, zoom_y = between(*self.zoom, zoom_x), between(*self.zoom, zoom_y)
        if self.flip:
            zoom_x *= ops.where(flip < 0.5, -1.0, 1.0)
        # Rotation times shear times zoom, multiplied out.
        a, b = ops.cos(angle) * zoom_x, (ops.cos(angle) * shear - ops.sin(angle)) * zoom_y
        d, e = ops.sin(angle) * zoom_x, (ops.sin(angle) * shear + ops.cos(angle)) * zoom_y
        x, y = (width - 1) / 2, (height - 1) / 2  # the middle, which stays where it is but for the shift
        c = x - a * x - b * y + width * between(-self.shift, self.shift, shift_x)
        f = y - d * x - e * y + height * between(-self.shift, self.shift, shift_y)
        zero = ops.zeros_like(a)
        return ops.stack([a, b, c, d, e, f, zero, zero], axis=1)


def random_numbers(kinds: int, count: Any, seed: int, number: Any, first: Any = 0, whole: Any = None) -> Any:
    """Draw numbers from 0 to 1 for the images of a batch, float32 (kinds, count): the same for the same seed and batch.

    Parameters
    ----------
    kinds, count : int
        How many numbers for each image, and how many images.
    seed, number : int
        The run's seed, and the number of the batch.
    first, whole : int, optional
        Where the images are only a part of the batch: the place of their first one in it, and how many images it has.
    """
    key = tf.stack([tf.cast(seed, tf.int64), tf.cast(number, tf.int64)])
    return tf.random.stateless_uniform((kinds, count if whole is None else whole), key)[:, first : first + count]


def between(low: float, high: float, share: Any) -> Any:
    """Return what lies at this share (0 to 1) of the way from `low` to `high`.

    Examples
    --------
    >>> between(-10, 10, 0.75)
    5.0
    """
    return low + (high - low) * share


def augmented_examples(
    image: NDArray[np.uint8], count: int, strength: str = "article", seed: int = 42
) -> NDArray[np.uint8]:
    """Show what augmentation makes of one image.

    Parameters
    ----------
    image : numpy.ndarray
        uint8 (H, W, 3).
    count : int
        How many examples.
    strength : str
        One of `config.AUGMENTATIONS`.
    seed : int

    Returns
    -------
    numpy.ndarray
        uint8 (count, H, W, 3).

    Examples
    --------
    >>> augmented_examples(np.zeros((8, 8, 3), np.uint8), 6).shape
    (6, 8, 8, 3)
    """
    batch = np.repeat(image[np.newaxis].astype(np.float32), count, axis=0)
    settings = AUGMENTATIONS[strength]
    changed = batch if settings is None else np.asarray(RandomAffine(**settings, seed=seed)(batch))
    examples: NDArray[np.uint8] = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
    return examples
