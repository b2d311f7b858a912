"""A loaded model, and its answer about a photo."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnn_core import pixels
from cnn_core.dataset import LABELS
from cnn_core.model_io.together import Together
from cnn_core.wording import percent

if TYPE_CHECKING:
    from cnn_core.model_io.lite_file import LiteNetwork

BATCH_ELEMENTS = 2**25
"""The maximum number of values in the largest feature map of a batch (128 MB); it limits the batch size."""

KEPT_ANSWERS = 256
"""Photos whose outputs a bundled model keeps, about 1 KB each: who has seen a verdict asks for its reasons next."""


@dataclass(frozen=True)
class Prediction:
    """A model's answer about one photo.

    Examples
    --------
    >>> Prediction("dog", 0.974, {"cat": 0.026, "dog": 0.974}, "article").sentence
    'Dog, 97\\xa0%'
    >>> Prediction("cat", 0.9996, {"cat": 0.9996, "dog": 0.0004}, "article").sentence
    'Cat, over 99\\xa0%'
    >>> Prediction("neither", 0.9, {"cat": 0.6, "dog": 0.4}, "accurate", pet=0.1).sentence
    'Neither cat nor dog, as far as this model can tell'
    """

    label: str
    """``"cat"`` or ``"dog"``, the class with the higher probability, or ``"neither"`` when `pet` is below a half."""
    probability: float
    """Its probability, 0.5 to 1."""
    probabilities: dict[str, float]
    """Both probabilities; they sum to 1."""
    model: str
    """The name of the model that was asked."""
    pet: float | None = None
    """The probability that there is a cat or a dog in the image, 0 to 1; None when the model does not tell."""

    @property
    def sentence(self) -> str:
        """The answer as people read it. It never says 100 %: no network is ever that sure."""
        if self.label == "neither":
            return "Neither cat nor dog, as far as this model can tell"
        return f"{self.label.title()}, {percent(self.probability, 0)}"

    @property
    def about_pets(self) -> str:
        """A sentence: the probability that there is a cat or a dog in the image."""
        if self.pet is None:
            return "This model only knows cats and dogs. It answers one of the two for every picture."
        return f"It is {percent(self.pet, 0)} sure that there is a cat or a dog in the picture."


class Reasons(NamedTuple):
    """What a network gives beside its probabilities, for one photo."""

    scores: NDArray[np.float32]
    """Before the softmax, (2,)."""
    heat: NDArray[np.float32]
    """Where the evidence for each class lies, (H', W', 2): the network's Grad-CAM, at the size of its last maps."""


class PetModel:
    """A loaded model that takes photos and gives the probabilities of cat and dog. Here Keras computes them.

    Attributes
    ----------
    name : str
    keras : keras.Model
        The model itself, computing in float32; input (None, size, size, 3) of 0–255, output (None, 2), and for some
        (None, 1) as a second output: the probability that there is a cat or a dog.
    network : str
        The network's own name in Keras.
    input_size : int
        Width and height of its input, in pixels.
    warnings : tuple of str
        Sentences about possible causes of wrong answers, such as a missing Rescaling layer.
    """

    def __init__(self, name: str, keras_model: Any, largest_map: int, warnings: tuple[str, ...] = ()) -> None:
        """Take a model that :func:`cnn_core.model_io.keras_file.load` has checked."""
        import tensorflow as tf

        self.name = name
        self._keras = keras_model
        self.network = str(keras_model.name)
        self.input_size = int(keras_model.input_shape[1])
        self.warnings = warnings
        self._batch = max(1, min(64, BATCH_ELEMENTS // largest_map))
        self._widths = [int(output.shape[1]) for output in keras_model.outputs]
        self._together = Together(self.predictions, self._batch)
        signature = [tf.TensorSpec((None, self.input_size, self.input_size, 3), tf.float32)]
        self._call = tf.function(lambda x: keras_model(x, training=False), input_signature=signature)

    @property
    def keras(self) -> Any:
        """The network itself."""
        return self._keras

    def predict(self, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the probabilities of cat and dog for each photo.

        Parameters
        ----------
        images : list of (H, W, 3) uint8
            Photos of any sizes; each is resized by :func:`cnn_core.pixels.resize`, as in training.

        Returns
        -------
        (N, 2) float32
            Columns cat, dog; each row sums to 1.
        """
        return self.answers(images)[0]

    def answers(self, images: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return all outputs of the model for photos, as `predict` takes them.

        Returns
        -------
        list of ndarray of float32
            The probabilities of cat and dog, (N, 2), and, from a model with a second output, the probability that there
            is one of them in the image, (N, 1).
        """
        answers = [[np.zeros((0, width), np.float32)] for width in self._widths]
        for start in range(0, len(images), self._batch):
            small = [pixels.resize(image, self.input_size, self.input_size) for image in images[start:][: self._batch]]
            for rows, output in zip(answers, self._ask(np.stack(small).astype(np.float32)), strict=True):
                rows.append(output)
        return [np.concatenate(rows) for rows in answers]

    def _ask(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        given = self._call(batch)
        return [np.asarray(output, np.float32) for output in (given if isinstance(given, list) else [given])]

    def reasons(self, image: NDArray[np.uint8]) -> Reasons | None:
        """Return the reasons for the answer about one photo; None where they must be looked for layer by layer."""
        return None

    def classify(self, image: NDArray[np.uint8]) -> Prediction:
        """Return the answer about one photo, (H, W, 3) uint8. What other threads ask meanwhile goes into one batch."""
        return self._together(pixels.resize(image, self.input_size, self.input_size))

    def predictions(self, images: list[NDArray[np.uint8]]) -> list[Prediction]:
        """Return the answer about each photo."""
        probabilities, *scores = self.answers(images)
        pets = [float(score) for score in scores[0][:, 0]] if scores else [None] * len(images)
        return [self._answer(row, pet) for row, pet in zip(probabilities, pets, strict=True)]

    def _answer(self, row: NDArray[np.float32], pet: float | None) -> Prediction:
        named = dict(zip(LABELS, map(float, row), strict=True))
        if pet is not None and pet < 0.5:
            return Prediction("neither", 1 - pet, named, self.name, pet)
        label = max(named, key=named.__getitem__)
        return Prediction(label, named[label], named, self.name, pet)


class LiteModel(PetModel):
    """A bundled model: LiteRT computes its answers. Keras is loaded when somebody asks for the network itself."""

    def __init__(self, name: str, lite: LiteNetwork, load: Callable[[], Any]) -> None:
        """Take a network of :func:`cnn_core.model_io.lite_file.load`, and how to load the same one with Keras."""
        self.name = name
        self.network = lite.name
        self.input_size = lite.input_size
        self.warnings = ()
        self._lite, self._load, self._loading = lite, load, threading.Lock()
        self._keras: Any = None
        self._batch = 1  # more at once are no faster (44 ms a photo in batches of 1, 2, 4 and 8), and take more memory
        self._together = Together(self.predictions)
        self._answers: OrderedDict[bytes, dict[str, NDArray[np.float32]]] = OrderedDict()
        self._outputs = [key for key in ("probabilities", "pet") if key in lite.outputs]
        self._widths = [lite.outputs[key][0] for key in self._outputs]

    @property
    def keras(self) -> Any:
        """The network itself. The first question for it takes a second, and TensorFlow's import several more."""
        with self._loading:
            if self._keras is None:
                self._keras = self._load()
            return self._keras

    def _ask(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        given = self._answers[_name(batch)] = self._lite(batch)
        while len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)
        return [given[key] for key in self._outputs]

    def reasons(self, image: NDArray[np.uint8]) -> Reasons:
        """Return the reasons for the answer about one photo."""
        small = pixels.resize(image, self.input_size, self.input_size)[None].astype(np.float32)
        given = self._answers.get(_name(small)) or self._lite(small)
        return Reasons(given["scores"][0], given["heat"][0])


def _name(batch: NDArray[np.float32]) -> bytes:
    """Return a name for the content of a batch: whole numbers, 0 to 255, so their bytes are a quarter of it."""
    return hashlib.sha256(batch.astype(np.uint8).tobytes()).digest()
