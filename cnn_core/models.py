"""All models of the app, bundled, trained and uploaded: list them, find one, open one, add one.

A ``.keras`` file is a zip of three members: ``config.json`` (the layers), ``metadata.json`` (who wrote it) and
``model.weights.h5`` (the numbers). :func:`open_model` checks all three before Keras reads them, so that
an untrusted file can neither run code nor fill the memory. Nothing here imports TensorFlow until a model is opened; a
bundled one answers through LiteRT, and TensorFlow waits until somebody asks for its layers.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core.engine.journal import MODEL
from cnn_core.host import limits, spaces
from cnn_core.model_io import ModelError as ModelError
from cnn_core.model_io import keras_file, lite_file
from cnn_core.model_io.pet_model import LiteModel
from cnn_core.model_io.pet_model import PetModel as PetModel
from cnn_core.model_io.pet_model import Prediction as Prediction
from cnn_core.source import DRAWN
from cnn_core.storage.files import home, host_home, remembered, replace_file, safe_name, visiting
from cnn_core.wording import percent

if TYPE_CHECKING:
    import pandas as pd

DEFAULT = "accurate"
"""The model that is used when none was chosen."""

WEIGHTS = Path(__file__).parent / "weights"
"""The bundled models: ``<name>.keras`` and beside it ``<name>.history.csv`` and ``<name>.card.json``."""

KEEP_LOADED = 4
"""The maximum number of loaded models that stay in memory."""


@dataclass(frozen=True)
class ModelCard:
    """What is known about a model without loading it."""

    name: str
    kind: str
    """``"bundled"``, ``"trained"``, ``"uploaded"``, or ``"file"`` for one that was named by its path."""
    path: Path
    title: str
    text: str
    """One or two sentences: its training data and its accuracy."""
    accuracy: float | None = None
    """The share of test images it got right, 0 to 1; None when it was not measured."""
    input_size: int | None = None
    """It looks at images of `input_size` × `input_size` pixels."""
    facts: dict[str, Any] = field(default_factory=dict)
    """The whole of ``<name>.card.json`` or of the run's ``config.json``."""

    @property
    def held_out(self) -> str:
        """What the history's ``val_`` columns were measured on: "test" or "validation" set."""
        return "validation" if self.facts.get("validation") else "test"

    def history(self) -> pd.DataFrame | None:
        """Return the training history, a row per epoch, or None when there is none.

        Columns as in a run's ``history.csv``: epoch, accuracy, loss, val_accuracy, val_loss, …
        """
        import pandas as pd

        beside = "history.csv" if self.path.name == MODEL else f"{self.path.stem}.history.csv"
        try:
            return pd.read_csv(self.path.with_name(beside))
        except (OSError, ValueError):
            return None


def list_models() -> list[ModelCard]:
    """Return the card of every model there is: bundled first, then trained (newest first), then uploaded.

    A visitor of a shared server also has those that the host has put there for all; their own come last.
    """
    runs = sorted(home().glob(f"runs/*/{MODEL}"), key=_changed, reverse=True)
    places = dict.fromkeys([host_home(), home()])
    uploaded = [path for place in places for path in sorted(place.glob("models/*.keras"))]
    return [*map(_bundled, _bundled_files(WEIGHTS)), *map(_trained, runs), *map(_uploaded, uploaded)]


def find(name_or_path: str | Path) -> ModelCard:
    """Return the card of the model with this name, or of the ``.keras`` file (or run folder) at this path.

    A visitor of a shared server names no paths. What comes from an address is a name: ask `named` for it.

    Raises
    ------
    ModelError
        When there is neither; the message lists the names there are.
    """
    path = Path(name_or_path)
    path = path / MODEL if path.is_dir() else path
    if visiting() or not path.is_file() or str(name_or_path) in {card.name for card in list_models()}:
        return named(str(name_or_path))
    size = keras_file.input_size(path)
    settings = _facts(path.with_name("config.json")) if path.name == MODEL else {}
    name = path.resolve().parent.name if path.name == MODEL else path.stem
    return ModelCard(name, "file", path, path.name, UNMEASURED, input_size=size, facts=settings)


def named(name: str) -> ModelCard:
    """Return the card of the model with this name.

    Raises
    ------
    ModelError
        When there is none; the message lists the names there are.
    """
    cards = {card.name: card for card in list_models()}
    if name in cards:
        return cards[name]
    known = ", ".join(cards) or "none yet; train one on the page Train"
    raise ModelError(f"There is no model called “{name}”. The models here: {known}.")


_loaded: OrderedDict[tuple[object, ...], PetModel] = OrderedDict()
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
        key: tuple[object, ...] = (hashlib.sha256(source).hexdigest(),)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "uploaded.keras"
            path.write_bytes(source)
            return _open(key, "uploaded", path)
    card = find(source)
    stat = card.path.stat()
    return _open((card.name, str(card.path.resolve()), stat.st_mtime_ns, stat.st_size), card.name, card.path)


def _open(key: tuple[object, ...], name: str, path: Path) -> PetModel:
    with _loading:  # one at a time: two sessions that ask for the same model load it once
        if key not in _loaded:
            _loaded[key] = _load(name, path)
            while len(_loaded) > KEEP_LOADED:
                _loaded.popitem(last=False)
        _loaded.move_to_end(key)
        return _loaded[key]


def _load(name: str, path: Path) -> PetModel:
    if answers_at_once(path):
        with suppress(ImportError):  # LiteRT is there but broken
            return LiteModel(name, lite_file.load(path), lambda: keras_file.load(path)[0])
    return PetModel(name, *keras_file.load(path))


def answers_at_once(path: Path) -> bool:
    """Return whether the model in this ``.keras`` file answers without TensorFlow, as the bundled ones do.

    A stranger's LiteRT file is never opened: what it holds is not checked as a ``.keras`` file is.
    """
    return path.parent == WEIGHTS and lite_file.fits(path)


def forget_loaded() -> None:
    """Remove every loaded model from memory; the next :func:`open_model` reads its file again."""
    with _loading:
        _loaded.clear()


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
    LimitError
        When a visitor may not keep so much.
    """
    limits.UPLOAD.check(len(data) / limits.MB)
    limits.spend()
    spaces.make_room(len(data))
    open_model(data)
    stem = safe_name(Path(name.replace("\\", "/")).name.removesuffix(".keras"), otherwise="model")
    taken = {card.name for card in list_models() if card.path.parent != home() / "models"}
    path = home() / "models" / f"{stem}-uploaded.keras" if stem in taken else home() / "models" / f"{stem}.keras"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
    except OSError as error:
        raise ModelError(f"The model could not be saved: {error.strerror}. Free some space and try again.") from error
    return _uploaded(path)


UNMEASURED = "The accuracy of this model has not been measured yet. The page Evaluate measures it."


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted just now
        return 0.0


@remembered
def _bundled_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.keras"), key=lambda path: (path.stem != DEFAULT, path.stem))


@remembered
def _bundled(path: Path) -> ModelCard:
    facts = _facts(path.with_name(f"{path.stem}.card.json"))
    accuracy, images = facts.get("test_accuracy"), facts.get("images")
    text = f"Trained on {facts['data']}. " if facts.get("data") else ""
    if accuracy is not None:
        of = f"{images:,} photos" if isinstance(images, int) else "photos"
        text += f"Test accuracy: {percent(accuracy)} on {of} that it was not trained on."
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
        text += f" for {len(history)} epoch{'s' * (len(history) > 1)}"
    drawn = facts.get("data") == DRAWN
    text += " on drawn cats and dogs, so it may fail on photos." if drawn else " on your own pictures."
    if history is not None and len(history) and "val_accuracy" in history:
        accuracy = float(history["val_accuracy"].iloc[-1])
        text += f" {card.held_out.capitalize()} accuracy after the last epoch: {percent(accuracy)}."
    return ModelCard(name, "trained", path, card.title, text, accuracy, card.input_size, facts)


def _uploaded(path: Path) -> ModelCard:
    return ModelCard(path.stem, "uploaded", path, path.stem, UNMEASURED, None, keras_file.input_size(path))


@remembered
def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
