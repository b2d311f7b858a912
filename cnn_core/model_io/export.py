"""A model in the formats that other programs run: Keras, LiteRT (TensorFlow Lite) and ONNX.

Each file has the input and the output of the app's model: (N, S, S, 3) float32, RGB, 0-255, and the same
probabilities. Rescaling is a layer and part of the file; resizing to S × S (`cnn_core.pixels.resize`) is not.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cnn_core import CnnLabError, models
from cnn_core.host import limits
from cnn_core.model_io import keras_file
from cnn_core.storage.cache import cached
from cnn_core.storage.files import expanded, home, replace_file, within

FORMATS = ("keras", "tflite", "onnx")
"""The formats; each is also the file name's suffix."""

OPSET = 17
"""The version of ONNX's operators; onnxruntime has run it since 1.12 (2022)."""

TIMEOUT_SECONDS = 600
"""The time limit of an export in a process of its own, in seconds; about ten are usual."""

ROOT = Path(__file__).parents[2]


class ExportError(CnnLabError):
    """A model cannot be written in the format that was asked for."""


def export(source: str | Path = models.DEFAULT, kind: str = "keras", out: Path | None = None) -> Path:
    """Write a model to a file that another program can run.

    Parameters
    ----------
    source : str or Path
        As `models.open_model` takes it.
    kind : {"keras", "tflite", "onnx"}
    out : Path, optional
        The file, or a folder for it; by default ``<name>.<kind>`` in the current folder.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ModelError
        When there is no such model, or it is not one that tells cats from dogs.
    ExportError
        When the format is unknown, its converter is missing or cannot convert this network, or the file cannot be
        written.

    Examples
    --------
    >>> export("article", "png")
    Traceback (most recent call last):
        ...
    cnn_core.model_io.export.ExportError: There is no export to “png”. Choose keras, tflite or onnx.
    """
    if kind not in FORMATS:
        raise ExportError(f"There is no export to “{kind}”. Choose keras, tflite or onnx.")
    card = models.find(source)
    path = Path.cwd() if out is None else expanded(out)
    path = path / f"{card.name}.{kind}" if path.is_dir() else path
    model = models.open_model(source)
    content = _keras(model, card.path) if kind == "keras" else _converted(model, kind)
    try:
        replace_file(path, content)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror}. Choose another place with --out.") from error
    return path


def exported(source: str, kind: str) -> Path:
    """Return the path of the exported file. A process of its own writes it, and it is kept for the next time.

    For the app: converting needs about a gigabyte of memory, which is freed when the process ends.

    Parameters
    ----------
    source : str
        A name of `models.list_models`.
    kind : {"keras", "tflite", "onnx"}

    Raises
    ------
    ModelError, ExportError
        As `export`; also when it takes longer than `TIMEOUT_SECONDS` seconds.
    """
    card = models.find(source)
    if kind == "keras" and not keras_file.is_half(card.path):
        return card.path
    key = [OPSET, hashlib.sha256(card.path.read_bytes()).hexdigest()]
    # A model that everyone has is written once for all.
    about: list[Path] | None = None if within(card.path, home()) else []
    try:
        return cached("exports", key, lambda path: export_in_child(card.path, kind, path), f".{kind}", about)
    except OSError as error:
        raise ExportError(f"The export could not be saved: {error.strerror}. Free some space and try again.") from error


def export_in_child(model: Path, kind: str, out: Path) -> None:
    """Write a model in another format, in a process of its own."""
    limits.spend()
    command = [sys.executable, "-m", "cnn_core", "export", "--json", "--model", str(model), "--format", kind]
    try:
        child = subprocess.run(
            [*command, "--out", str(out)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise ExportError(
            f"The export took longer than {TIMEOUT_SECONDS // 60} minutes and was stopped. Try again."
        ) from error
    if child.returncode:
        raise ExportError(_message(child))


def _message(child: subprocess.CompletedProcess[str]) -> str:
    try:
        return str(json.loads(child.stdout)["error"])
    except (ValueError, KeyError):  # it ended without a message
        return f"The export ended with code {child.returncode}. Close other programs, to free memory, and try again."


def _keras(model: models.PetModel, path: Path) -> bytes:
    if not keras_file.is_half(path):
        return path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:  # the app computes in float32, so the file does too
        file = Path(folder) / path.name
        model.keras.save(file)
        return file.read_bytes()


def _converted(model: models.PetModel, kind: str) -> bytes:
    network, size = model.keras, model.input_size  # first: it imports TensorFlow in less time

    import tensorflow as tf

    others = getattr(network, "output_names", [])[1:]  # Sequential has no names, and one output

    def answer(image: Any) -> dict[str, Any]:
        outputs = network(image, training=False)
        return dict(zip(["probabilities", *others], tf.nest.flatten(outputs), strict=True))

    signature = [tf.TensorSpec((None, size, size, 3), tf.float32, name="image")]
    function = tf.function(answer, input_signature=signature)
    try:
        return tflite(network, function) if kind == "tflite" else _onnx(function, signature)
    except ImportError as error:
        raise ExportError(
            f"The converter to ONNX cannot be loaded ({error}). Install it with: pip install -r requirements.txt"
        ) from error
    except Exception as error:  # the converters raise many types of errors
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ExportError(
            f"This network cannot be written as {kind}: {first} Export it as keras, or replace that layer."
        ) from error


def tflite(network: Any, function: Any) -> bytes:
    """Return a function of a network's, a `tf.function` with a signature, as LiteRT's file format holds it."""
    import tensorflow as tf

    holder = tf.Module()
    holder.weights = [
        weight.value for weight in network.weights
    ]  # without this the weights of a nested network become NaN
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(holder, folder, signatures=function.get_concrete_function())
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def _onnx(function: Any, signature: list[Any]) -> bytes:
    import tf2onnx

    proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    return bytes(proto.SerializeToString())
