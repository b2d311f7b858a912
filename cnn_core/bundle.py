"""A finished run becomes a bundled model: weights at half precision, its history, and a card with measured scores."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cnn_core import dataset, evaluation, models, sketches
from cnn_core.files import replace_file
from cnn_core.network import NetworkSpec
from cnn_core.runs import Run


def bundle(
    run: Run,
    name: str,
    title: str,
    about: str,
    folder: Path = models.WEIGHTS,
    progress: Callable[[int, int, str], None] | None = None,
) -> Path:
    """Write ``<name>.keras``, ``<name>.history.csv`` and ``<name>.card.json`` from a run.

    Parameters
    ----------
    run : Run
        A run that has saved its model. Its own test set is what the model is measured on.
    name, title : str
        The file's name, and the one that people read.
    about : str
        The data in a few words, with its origin.
    folder : Path
        Where to; by default the bundled models' folder.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

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
    halve(config.network, run.model_path, target)
    shutil.copyfile(run.folder / "history.csv", folder / f"{name}.history.csv")
    table = sketches.open_source(config.data, config.images, config.seed, progress=progress)
    training, test = dataset.split(table, config.test_size, config.seed)
    result = evaluation.evaluate(models.open_model(target), test, progress=progress)
    history = run.history()
    epochs = len(history)
    training_text = (
        f"Adam, learning rate {config.learning_rate} ({config.schedule}), batches of {config.batch_size}, "
        f"{'augmented' if config.augment else 'not augmented'}, {epochs} epochs"
    )
    if config.patience:  # then the run kept the best epoch's weights
        epochs = int(history["val_loss"].argmin()) + 1
        training_text += f"; the weights are those after epoch {epochs}, where the test loss was lowest"
    card = {
        "title": title,
        "data": about,
        "split": f"by file name, then train_test_split(test_size={config.test_size}, random_state={config.seed})",
        "training_images": len(training),
        "images": result.images,
        "skipped": result.skipped,
        "epochs": epochs,
        "training": training_text,
        "seconds": round(float(history["seconds"].sum())),
        "test_accuracy": round(result.accuracy, 4),
        "log_loss": round(result.log_loss, 4),
        "confusion": result.confusion,
        "weights": "float32 rounded to half precision, deflated",
    }
    replace_file(folder / f"{name}.card.json", json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    return target


def halve(network: NetworkSpec, source: Path, target: Path) -> None:
    """Copy a model without its optimizer, its weights rounded to half precision, so that it packs to half the size.

    The variables stay float32, so any Keras opens the file as it is: rounding leaves 13 of their 23 mantissa bits zero,
    and the zip's deflate does not store zeros.

    Parameters
    ----------
    network : NetworkSpec
        Built anew, so that the file is one of the Keras that runs here: an older Keras does not open a newer one's.
    source, target : Path
        ``.keras`` files.
    """
    model = network.build()
    model.load_weights(source)
    model.set_weights([weight.astype(np.float16).astype(np.float32) for weight in model.get_weights()])
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
