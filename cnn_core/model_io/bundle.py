"""A finished run becomes a bundled model: weights in 16 bits, its history, and a card with measured scores."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnn_core import evaluation, models
from cnn_core.data_files.survey import readable
from cnn_core.model_io import cards, lite_bundle
from cnn_core.model_io.export import ExportError
from cnn_core.runs import Run
from cnn_core.source import Source
from cnn_core.storage.files import replace_file

if TYPE_CHECKING:
    import keras


AUGMENTED = {
    "none": "not augmented",
    "light": "lightly augmented",
    "article": "augmented as in the article",
    "strong": "strongly augmented",
}

ROUNDED_TO = {"article": "float16", "accurate": "bfloat16"}
"""The precision that a recipe's weights are rounded to; `accurate` would have 12 MB in float16."""


def bundle(
    run: Run,
    name: str,
    title: str,
    about: str,
    folder: Path = models.WEIGHTS,
    progress: Callable[[int, int, str], None] | None = None,
    words: dict[str, Any] | None = None,
) -> Path:
    """Write ``<name>.keras``, its LiteRT file, ``<name>.history.csv`` and ``<name>.card.json`` from a run.

    Parameters
    ----------
    run : Run
        A run that has saved its model. The model is measured on the run's own test set.
    name, title : str
        The file name, and the title that people read.
    about : str
        The data in a few words, with its origin.
    folder : Path
        The target folder; by default that of the bundled models.
    progress : callable, optional
        Called as ``progress(done, total, what)``.
    words : dict, optional
        More facts that cannot be measured; see `write_card`.

    Returns
    -------
    Path
        The ``.keras`` file.

    Raises
    ------
    CnnLabError
        When the run has no model, or its data cannot be read any more.
    """
    config = run.config
    target = folder / f"{name}.keras"
    precision = ROUNDED_TO[config.recipe]
    round_weights(_model(run), target, precision)
    with suppress(ExportError):  # then Keras answers
        lite_bundle.write(target)
    shutil.copyfile(run.folder / "history.csv", folder / f"{name}.history.csv")
    history = run.history()
    epochs = len(history)
    training_text = (
        f"Adam, learning rate {config.learning_rate} ({config.schedule}), batches of {config.batch_size}, "
        f"{AUGMENTED[config.augment]}, {epochs} epochs"
    )
    if config.recipe == "accurate":
        training_text = (
            "EfficientNet-Lite2, already trained on ImageNet; a logistic regression on its features; then its upper "
            f"blocks fine-tuned in {epochs} epochs, temperature-scaled on validation photos"
        )
    elif config.keeps_best:
        epochs = int(history["val_loss"].argmin()) + 1
        training_text += f"; the weights are those after epoch {epochs}, where the {config.held_out} loss was lowest"
    facts = {
        "title": title,
        "data": about,
        "epochs": epochs,
        "training": training_text,
        "validation": config.validation,
        "seconds": round(float(history["seconds"].sum())),
        "weights": f"float32 rounded to {precision}, deflated",
        **(words or {}),
    }
    write_card(target, config.source, facts, progress)
    return target


def _model(run: Run) -> keras.Model:
    """Return a run's model, as one that the Keras that runs here has built: an older one does not open its files."""
    import keras

    if run.config.recipe == "accurate":  # train it with the oldest Keras that shall open it
        return keras.saving.load_model(run.model_path, compile=False)
    model = run.config.network.build()
    model.load_weights(run.model_path)
    return model


def write_card(
    path: Path,
    source: Source,
    words: dict[str, Any] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Measure a model on the test set of its data and write ``<name>.card.json`` beside it.

    Parameters
    ----------
    path : Path
        A ``.keras`` file.
    source : Source
        The images that the model learned from, and their split.
    words : dict, optional
        Facts that cannot be measured: ``title``, ``data`` (a few words), ``origin``, ``training``, and the
        lists of sentences ``licences``, ``limits`` and ``not_for``; ``scores`` names further values that were measured
        elsewhere; ``training_images``, when some were left out. Other facts of an existing card are kept.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    dict
        The card.

    Raises
    ------
    CnnLabError
        When the model or the images cannot be read.
    """
    parts = source.split(progress)
    training, test = (readable(part, part.attrs["folder"], progress) for part in parts)
    result = evaluation.evaluate(models.open_model(path), test, progress=progress)
    file = path.with_name(f"{path.stem}.card.json")
    old = json.loads(file.read_text("utf-8")) if file.exists() else {}
    card = {
        "not_for": list(cards.NOT_FOR),
        **old,
        "training_images": len(training),
        **(words or {}),
        "split": f"by file name, then train_test_split(test_size={source.test_size}, random_state={source.seed})",
        "source": {
            "name": source.name,
            "images": source.images,
            "seed": source.seed,
            "test_size": source.test_size,
        },
        **cards.measured(result),
    }
    replace_file(file, json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    return card


def round_weights(model: keras.Model, target: Path, precision: str = "float16") -> None:
    """Save a model without its optimizer and with its weights rounded to 16 bits: the file has half the size or less.

    The weights stay float32, so any Keras opens the file. Rounding sets 13 of their 23 mantissa bits to zero (float16)
    or 16 (bfloat16), and the zip's deflate compresses the zeros. Biases are few and are not rounded.

    Parameters
    ----------
    model : keras.Model
        Its own weights are rounded too.
    target : Path
        The ``.keras`` file.
    precision : {"float16", "bfloat16"}
        Relative errors are at most 1/2,048, or 1/256.
    """
    from keras import ops

    def rounded(weight: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(ops.convert_to_numpy(ops.cast(ops.cast(weight, precision), "float32")))

    model.set_weights([rounded(weight) if weight.ndim > 1 else weight for weight in model.get_weights()])
    plain = target.with_name(f".{target.stem}.part.keras")
    packed = target.with_name(f".{target.stem}.packed")
    try:
        model.save(plain)
        with (
            zipfile.ZipFile(plain) as stored,
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
        ):
            for item in stored.infolist():
                new.writestr(item.filename, stored.read(item))
        packed.replace(target)
    finally:
        plain.unlink(missing_ok=True)
        packed.unlink(missing_ok=True)
