"""The scripts of the lessons: each function returns Python code that computes what a page shows and runs as it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cnn_core.scripts.literals import nested, number, quoted


def pixels(top: int = 0, left: int = 0, size: int = 8, shrunk: tuple[int, int] | None = None) -> str:
    """Return the script that loads an image as an array and prints a region and the red channel.

    Parameters
    ----------
    top, left : int
        First row and first column of the region.
    size : int
        Rows and columns of the region.
    shrunk : tuple of int, optional
        Height and width to which the image is shrunk first, as `cnn_core.pixels.resize` does.

    Returns
    -------
    str
        Python code; it needs keras and a file ``photo.jpg``.

    Examples
    --------
    >>> "image[40:48, 60:68]" in pixels(top=40, left=60)
    True
    """
    return f"""\
import keras

# Keras ignores the orientation that a phone stores in the file; PIL.ImageOps.exif_transpose applies it.
photo = keras.utils.load_img("photo.jpg"{_target(shrunk)})
image = keras.utils.img_to_array(photo, dtype="uint8")
print(image.shape, image.dtype)  # (height, width, 3) uint8

region = image[{top}:{top + size}, {left}:{left + size}]
print(region)

red, green, blue = image[:, :, 0], image[:, :, 1], image[:, :, 2]
print(red)
"""


def black_and_white(threshold: int = 128, shrunk: tuple[int, int] | None = None) -> str:
    """Return the script that converts an image to black and white.

    Parameters
    ----------
    threshold : int
        The lowest brightness that becomes white, 0 to 256.
    shrunk : tuple of int, optional
        Height and width to which the image is shrunk first.

    Returns
    -------
    str
        Python code; it needs keras and a file ``photo.jpg``.

    Examples
    --------
    >>> "gray >= 100" in black_and_white(threshold=100)
    True
    """
    load = f'load_img("photo.jpg"{_target(shrunk)}).convert("L")'
    if shrunk is None:
        load = 'load_img("photo.jpg", color_mode="grayscale")'
    return f"""\
import keras

photo = keras.utils.{load}  # 0.299 red + 0.587 green + 0.114 blue
gray = keras.utils.img_to_array(photo, dtype="uint8")[:, :, 0]
binary = (gray >= {threshold}).astype("uint8")  # 1 is white, 0 is black
print(binary)
"""


def _target(shrunk: tuple[int, int] | None) -> str:
    return "" if shrunk is None else f', target_size={shrunk}, interpolation="bilinear"'


def classify_script(model: str, photo: str, input_size: int, tells_neither: bool = False) -> str:
    """Return the script that classifies one photo with a saved model, as `PetModel.classify` does.

    Parameters
    ----------
    model, photo : str
        File names. A photo without an extension, such as a sample's title, becomes ``photo.jpg``.
    input_size : int
        Height and width of the model's input, in pixels.
    tells_neither : bool
        Whether the model has a second output: the probability that the photo shows a cat or a dog at all.

    Returns
    -------
    str
        Python code; it needs keras and Pillow.

    Examples
    --------
    >>> "keras.saving.load_model('article.keras'" in classify_script("article.keras", "my dog.jpg", 128)
    True
    """
    photo = photo if "." in photo else "photo.jpg"
    ask = "cat, dog = model.predict(batch, verbose=0)[0]"
    if tells_neither:
        ask = (
            "probabilities, pet = model.predict(batch, verbose=0)\ncat, dog = probabilities[0]\n"
            'print(f"a cat or a dog at all: {pet[0, 0]:.1%}")'
        )
    return f"""
import keras
import numpy as np
from PIL import Image, ImageOps

model = keras.saving.load_model({model!r}, compile=False)

photo = ImageOps.exif_transpose(Image.open({photo!r})).convert("RGB")
small = photo.resize(({input_size}, {input_size}), Image.Resampling.BILINEAR)
batch = np.asarray(small, np.float32)[np.newaxis]  # 0 to 255: rescaling is a layer of the model

{ask}
print(f"cat {{cat:.1%}}, dog {{dog:.1%}}")
""".lstrip()


def convolution(
    kernel: ArrayLike,
    *,
    stride: int = 1,
    padding: str = "valid",
    bias: float = 0.0,
    relu: bool = False,
    channel: str = "gray",
) -> str:
    """Return the script that convolves a photo with one kernel: with an operation of ``tf.nn``, then as a layer.

    Parameters
    ----------
    kernel : array_like of float, shape (kh, kw) or (kh, kw, 3)
        The second with ``channel="all"`` only: one table per channel.
    stride, padding, bias, relu
        As for `cnn_core.convolution.conv2d`.
    channel : {"gray", "red", "green", "blue", "all", "each"}
        The part of the photo that is convolved. ``"all"`` convolves each channel and adds up the three results, as
        ``Conv2D`` does; ``"each"`` keeps them apart, as ``DepthwiseConv2D`` does.

    Returns
    -------
    str
        Python code; it needs tensorflow and a file ``photo.jpg``.

    Examples
    --------
    >>> print(convolution([[0, 1], [-0.5, 0]], stride=2, channel="red").splitlines()[8])
    kernel = np.array([[0, 1], [-0.5, 0]], dtype="float32")
    """
    table = np.asarray(kernel, np.float64)
    if channel == "gray":
        load, part = 'keras.utils.load_img("photo.jpg", color_mode="grayscale")', ""
    else:
        place = {"red": 0, "green": 1, "blue": 2}.get(channel)
        load, part = 'keras.utils.load_img("photo.jpg")', "" if place is None else f"[:, :, {place} : {place + 1}]"
    channels = 3 if channel in ("all", "each") else 1
    weights = f"np.repeat(kernel[:, :, None, None], {channels}, axis=2)"
    if table.ndim == 3:
        weights = "kernel[:, :, :, None]"
    side, steps = padding.upper(), f"strides={stride}"
    operation, layer = "conv2d", "Conv2D(1, "
    if channel == "each":
        operation, layer, steps = "depthwise_conv2d", "DepthwiseConv2D(", f"strides=(1, {stride}, {stride}, 1)"
    activation = ', activation="relu"' if relu else ""
    biases = f"np.full({channels}, {number(bias)})" if channel == "each" else f"np.array([{number(bias)}])"
    lines = [
        "import keras",
        "import numpy as np",
        "import tensorflow as tf",
        "",
        f"photo = {load}",
        f"image = keras.utils.img_to_array(photo){part}[None]",
        "print(image.shape)  # (images, height, width, channels)",
        "",
        f'kernel = np.array({nested(table)}, dtype="float32")',
        f"weights = {weights}",
        "print(weights.shape)  # (height, width, channels, filters)",
        "",
        "# As an operation",
        f'feature_map = tf.nn.{operation}(image, weights, {steps}, padding="{side}")',
        *([f"feature_map = feature_map {'-' if bias < 0 else '+'} {number(abs(bias))}"] if bias else []),
        *(["feature_map = tf.nn.relu(feature_map)"] if relu else []),
        "print(feature_map.shape)",
        "",
        "# As a layer of a network; training would change these weights",
        f'layer = keras.layers.{layer}{table.shape[:2]}, strides={stride}, padding="{padding}"{activation})',
        "layer.build(image.shape)",
        f"layer.set_weights([weights, {biases}])",
        "print(np.allclose(layer(image), feature_map, atol=0.01))  # True",
    ]
    return "\n".join(lines) + "\n"


def evaluation(model: str, data: str, subset: str = "test", images: int | None = None) -> str:
    """Return the script that computes a model's scores as the page does.

    Parameters
    ----------
    model : str
        A model's name, or the path of a ``.keras`` file.
    data : str
        "sketches" (the drawn pets) or the path of a dataset.
    subset : {"test", "all"}
    images : int, optional
        The maximum number of images; by default all.

    Returns
    -------
    str
        Python code; it needs CNN Lab.

    Examples
    --------
    >>> "confusion_matrix" in evaluation("article", "photos.zip")
    True
    """
    name, source = quoted(model), quoted(data)
    lines = [
        "import numpy as np",
        "from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, roc_auc_score",
        "",
        "from cnn_core import models, pixels",
        "from cnn_core.source import Source",
        "",
        "# The dataset is split first: the test set must not contain an image that the model was trained on.",
        f'table = Source.for_model(models.find({name}).facts, {source}).subset("{subset}", {images})',
        f"model = models.open_model({name})",
        'outputs = [model.predict([pixels.open_image(file)]) for file in table["file"]]',
        "probabilities = np.concatenate(outputs)  # columns: cat, dog",
        'predicted = ["dog" if dog > cat else "cat" for cat, dog in probabilities]',
        'print("accuracy", accuracy_score(table["label"], predicted))',
        'print("loss", log_loss(table["label"], probabilities, labels=["cat", "dog"]))',
        'print(confusion_matrix(table["label"], predicted, labels=["cat", "dog"]))',
        'print("area under the ROC curve", roc_auc_score(table["label"] == "dog", probabilities[:, 1]))',
    ]
    return "\n".join(lines)
