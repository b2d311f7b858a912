"""Every model the app can ask, through one door: the bundled, the trained and the uploaded ones.

A ``.keras`` file is a zip of three members: ``config.json`` (the layers), ``metadata.json`` (who wrote it) and
``model.weights.h5`` (the numbers). :func:`open_model` looks at all three before Keras does, so that a file from a
stranger can neither run code nor fill the memory. Nothing here imports TensorFlow until a model is opened.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_core import pixels
from cnn_core.dataset import LABELS
from cnn_core.model_io import keras_file
from cnn_core.model_io.keras_file import ModelError as ModelError
from cnn_core.storage.files import home, replace_file

if TYPE_CHECKING:
    import pandas as pd

DEFAULT = "accurate"
"""The model that is asked when nobody chose one."""

WEIGHTS = Path(__file__).parent / "weights"
"""The bundled models: ``<name>.keras`` and beside it ``<name>.history.csv`` and ``<name>.card.json``."""

BATCH_ELEMENTS = 2**25
"""A batch is cut so that the largest feature map of the network holds at most so many numbers (128 MB)."""

KEEP_LOADED = 4
"""Loaded models that stay in memory."""


@dataclass(frozen=True)
class Prediction:
    """What a model says about one photo.

    Examples
    --------
    >>> Prediction("dog", 0.974, {"cat": 0.026, "dog": 0.974}, "article").sentence
    'Dog, 97 %'
    >>> Prediction("cat", 0.9996, {"cat": 0.9996, "dog": 0.0004}, "article").sentence
    'Cat, over 99 %'
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
    """How sure the model is that there is a cat or a dog at all, 0 to 1; None when it cannot tell."""

    @property
    def sentence(self) -> str:
        """The verdict as people read it. No network is ever 100 % sure, so that is never printed."""
        if self.label == "neither":
            return "Neither cat nor dog, as far as this model can tell"
        return f"{self.label.title()}, {_percent(self.probability)}"

    @property
    def about_pets(self) -> str:
        """How sure the model is that there is a cat or a dog at all, as a sentence."""
        if self.pet is None:
            return "It knows nothing but cats and dogs: whatever it is shown, it says one of the two."
        return f"It is {_percent(self.pet)} sure that there is a cat or a dog in it at all."


@dataclass(frozen=True)
class ModelCard:
    """What is known about a model without loading it."""

    name: str
    kind: str
    """``"bundled"``, ``"trained"``, ``"uploaded"``, or ``"file"`` for one that was named by its path."""
    path: Path
    title: str
    text: str
    """One or two sentences: what it learned from, and how often it is right."""
    accuracy: float | None = None
    """The share of test pictures it got right, 0 to 1; None when nobody has measured it."""
    input_size: int | None = None
    """It looks at pictures of `input_size` × `input_size` pixels."""
    facts: dict[str, Any] = field(default_factory=dict)
    """The whole of ``<name>.card.json`` or of the run's ``config.json``."""

    def history(self) -> pd.DataFrame | None:
        """Return the training history, a row per epoch, or None when there is none.

        Columns as in a run's ``history.csv``: epoch, accuracy, loss, val_accuracy, val_loss, …
        """
        import pandas as pd

        beside = "history.csv" if self.path.name == "model.keras" else f"{self.path.stem}.history.csv"
        try:
            return pd.read_csv(self.path.with_name(beside))
        except (OSError, ValueError):
            return None


class PetModel:
    """A loaded model that takes photos and gives the probabilities of cat and dog.

    Attributes
    ----------
    name : str
    keras : keras.Model
        The model itself, computing in float32; input (None, size, size, 3) of 0–255, output (None, 2), and for some
        (None, 1) beside it: how sure it is that there is a cat or dog.
    input_size : int
        The side of its input, pixels.
    warnings : tuple of str
        Sentences about what may make its answers wrong, such as a missing Rescaling layer.
    """

    def __init__(self, name: str, keras_model: Any, largest_map: int, warnings: tuple[str, ...] = ()) -> None:
        """Take a model that :func:`cnn_core.model_io.keras_file.load` has checked."""
        import tensorflow as tf

        self.name = name
        self.keras = keras_model
        self.input_size = int(keras_model.input_shape[1])
        self.warnings = warnings
        self._batch = max(1, min(64, BATCH_ELEMENTS // largest_map))
        signature = [tf.TensorSpec((None, self.input_size, self.input_size, 3), tf.float32)]
        self._call = tf.function(lambda x: keras_model(x, training=False), input_signature=signature)

    def predict(self, images: list[np.ndarray]) -> np.ndarray:
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

    def answers(self, images: list[np.ndarray]) -> list[np.ndarray]:
        """Return all that the model says of photos, as `predict` takes them.

        Returns
        -------
        list of ndarray of float32
            The probabilities of cat and dog, (N, 2), and, from a model that can tell, how sure it is that there is one
            of them at all, (N, 1).
        """
        widths = [output.shape[1] for output in self.keras.outputs]
        answers = [[np.zeros((0, width), np.float32)] for width in widths]
        for start in range(0, len(images), self._batch):
            small = [pixels.resize(image, self.input_size, self.input_size) for image in images[start:][: self._batch]]
            given = self._call(np.stack(small).astype(np.float32))
            for rows, output in zip(answers, given if isinstance(given, list) else [given], strict=True):
                rows.append(np.asarray(output, np.float32))
        return [np.concatenate(rows) for rows in answers]

    def classify(self, image: np.ndarray) -> Prediction:
        """Return the verdict on one photo, (H, W, 3) uint8."""
        return self.predictions([image])[0]

    def predictions(self, images: list[np.ndarray]) -> list[Prediction]:
        """Return the verdict on each photo."""
        probabilities, *scores = self.answers(images)
        pets = [float(score) for score in scores[0][:, 0]] if scores else [None] * len(images)
        return [self._verdict(row, pet) for row, pet in zip(probabilities, pets, strict=True)]

    def _verdict(self, row: np.ndarray, pet: float | None) -> Prediction:
        named = dict(zip(LABELS, map(float, row), strict=True))
        if pet is not None and pet < 0.5:
            return Prediction("neither", 1 - pet, named, self.name, pet)
        label = max(named, key=named.__getitem__)
        return Prediction(label, named[label], named, self.name, pet)


def list_models() -> list[ModelCard]:
    """Return the card of every model there is: bundled first, then trained (newest first), then uploaded."""
    runs = sorted(home().glob("runs/*/model.keras"), key=_changed, reverse=True)
    bundled = sorted(WEIGHTS.glob("*.keras"), key=lambda path: (path.stem != DEFAULT, path.stem))
    uploaded = sorted(home().glob("models/*.keras"))
    return [*map(_bundled, bundled), *map(_trained, runs), *map(_uploaded, uploaded)]


def find(name_or_path: str | Path) -> ModelCard:
    """Return the card of the model with this name, or of the ``.keras`` file (or run folder) at this path.

    Raises
    ------
    ModelError
        When there is neither; the message lists the names there are.
    """
    cards = list_models()
    for card in cards:
        if card.name == str(name_or_path):
            return card
    path = Path(name_or_path)
    path = path / "model.keras" if path.is_dir() else path
    if path.is_file():
        size = keras_file.input_size(path)
        settings = _facts(path.with_name("config.json")) if path.name == "model.keras" else {}
        return ModelCard(path.stem, "file", path, path.name, UNMEASURED, input_size=size, facts=settings)
    known = ", ".join(card.name for card in cards) or "none yet; train one on the page Train"
    raise ModelError(f"There is no model called “{name_or_path}”. The models here: {known}.")


_loaded: OrderedDict[tuple, PetModel] = OrderedDict()
_loading = threading.Lock()


def open_model(source: str | Path | bytes = DEFAULT) -> PetModel:
    """Check a model file, load it and keep it loaded.

    Parameters
    ----------
    source : str, Path or bytes
        A name of :func:`list_models`, the path of a ``.keras`` file or run folder, or the bytes of a ``.keras`` file.

    Raises
    ------
    ModelError
        When there is no such model; when the file is no Keras file, carries code, is damaged or too large; when its
        input is not (None, S, S, 3) or its output not the two probabilities of cat and dog.
    """
    if isinstance(source, bytes):
        key: tuple = (hashlib.sha256(source).hexdigest(),)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "uploaded.keras"
            path.write_bytes(source)
            return _open(key, "uploaded", path)
    card = find(source)
    stat = card.path.stat()
    return _open((card.name, str(card.path.resolve()), stat.st_mtime_ns, stat.st_size), card.name, card.path)


def _open(key: tuple, name: str, path: Path) -> PetModel:
    with _loading:  # one at a time: two sessions that ask for the same model load it once
        if key not in _loaded:
            _loaded[key] = PetModel(name, *keras_file.load(path))
            while len(_loaded) > KEEP_LOADED:
                _loaded.popitem(last=False)
        _loaded.move_to_end(key)
        return _loaded[key]


def save_upload(data: bytes, name: str) -> ModelCard:
    """Check an uploaded ``.keras`` file and keep it as ``$CNN_LAB_HOME/models/<name>.keras``.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its file name. A second upload of the same name replaces the first.

    Raises
    ------
    ModelError
        As :func:`open_model`, or when the file cannot be written; then nothing is kept.
    """
    open_model(data)
    stem = (
        re.sub(r"[^\w.-]+", "-", Path(name.replace("\\", "/")).name.removesuffix(".keras")).strip("-.")[:60] or "model"
    )
    taken = {card.name for card in list_models() if card.kind != "uploaded"}
    path = home() / "models" / f"{stem}-uploaded.keras" if stem in taken else home() / "models" / f"{stem}.keras"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
    except OSError as error:
        raise ModelError(f"The model could not be kept: {error.strerror}. Free some space and try again.") from error
    return _uploaded(path)


def _percent(value: float) -> str:
    return "over 99 %" if value >= 0.995 else f"{value:.0%}".replace("%", " %")


UNMEASURED = "Nobody has measured yet how often this model is right; the page Evaluate does."


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted just now
        return 0.0


def _bundled(path: Path) -> ModelCard:
    facts = _facts(path.with_name(f"{path.stem}.card.json"))
    accuracy, images = facts.get("test_accuracy"), facts.get("images")
    text = f"Trained on {facts['data']}. " if facts.get("data") else ""
    if accuracy is not None:
        of = f"the {images:,} test photos" if isinstance(images, int) else "test photos"
        text += f"It was right on {accuracy:.1%} of {of} it had never seen.".replace("%", " %")
    title = str(facts.get("title", path.stem))
    return ModelCard(
        path.stem, "bundled", path, title, text or UNMEASURED, accuracy, keras_file.input_size(path), facts
    )


def _trained(path: Path) -> ModelCard:
    name = path.parent.name
    facts = _facts(path.with_name("config.json"))
    card = ModelCard(name, "trained", path, f"Your run {name}", "", None, keras_file.input_size(path), facts)
    history, text, accuracy = card.history(), "You trained it here", None
    if history is not None and len(history):
        text += f", {len(history)} epoch{'s' * (len(history) > 1)}"
    drawn = facts.get("data") == "sketches"
    text += " on drawn cats and dogs, so it may be lost on photos." if drawn else " on your own pictures."
    if history is not None and len(history) and "val_accuracy" in history:
        accuracy = float(history["val_accuracy"].iloc[-1])
        kind = "drawings" if drawn else "pictures"
        text += f" After the last epoch it was right on {accuracy:.1%} of the {kind} kept for testing.".replace(
            "%", " %"
        )
    return ModelCard(name, "trained", path, card.title, text, accuracy, card.input_size, facts)


def _uploaded(path: Path) -> ModelCard:
    return ModelCard(path.stem, "uploaded", path, path.stem, UNMEASURED, None, keras_file.input_size(path))


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
