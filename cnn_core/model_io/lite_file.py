"""The LiteRT file beside a bundled model: with it the model answers without TensorFlow, whose import takes seconds.

``<name>.tflite.zip`` holds two members. ``network.tflite`` is the network as LiteRT runs it, but its kernels are left
zero, so that the zip is small. ``weights.json`` says where in ``<name>.keras`` each of them is, and where it belongs.
So every kernel is stored once, and the ``.keras`` file stays the truth.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.host import mode
from cnn_core.storage.files import remembered

NETWORK, RECIPE, WEIGHTS = "network.tflite", "weights.json", "model.weights.h5"


class LiteNetwork:
    """A network that LiteRT runs, one photo at a time.

    Attributes
    ----------
    name : str
        The network's own name in Keras.
    input_size : int
        Width and height of its input, in pixels.
    outputs : dict of str to tuple of int
        The shape of each output for one photo: ``probabilities``, ``scores`` before the softmax, ``heat`` for each
        class, and for some ``pet``, the probability that there is a cat or dog.
    """

    def __init__(self, content: bytes, name: str) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.name = name
        self._interpreter = Interpreter(model_content=content, num_threads=_threads())
        self._run = self._interpreter.get_signature_runner()
        self.input_size = int(self._run.get_input_details()["image"]["shape"][1])
        self.outputs = {key: tuple(one["shape"][1:]) for key, one in self._run.get_output_details().items()}
        self._turn = threading.Lock()  # an interpreter has one set of buffers

    def __call__(self, image: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for one photo, float32 (1, S, S, 3) of 0–255."""
        with self._turn:
            answers: dict[str, NDArray[np.float32]] = self._run(image=image)
            return answers


def beside(path: Path) -> Path:
    """Return the LiteRT file that belongs to a ``.keras`` file, whether it exists or not.

    Examples
    --------
    >>> beside(Path("article.keras")).name
    'article.tflite.zip'
    """
    return path.with_suffix(".tflite.zip")


def fits(path: Path) -> bool:
    """Return whether LiteRT is there, and beside the ``.keras`` file a file that was made from just these weights."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        return False
    try:
        return bool(_made_from(beside(path)) == checksum(path))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError):
        return False


@remembered
def _made_from(path: Path) -> object:
    with zipfile.ZipFile(path) as lite:
        return json.loads(lite.read(RECIPE))["made_from"]


@remembered
def checksum(path: Path) -> int:
    """Return the checksum (CRC-32) of a ``.keras`` file's weights; its zip knows it."""
    with zipfile.ZipFile(path) as model:
        return model.getinfo(WEIGHTS).CRC


def load(path: Path) -> LiteNetwork:
    """Put the weights of a ``.keras`` file into the network of the LiteRT file beside it, which `fits`.

    Raises
    ------
    ImportError
        When LiteRT cannot be loaded.
    """
    with zipfile.ZipFile(beside(path)) as lite, zipfile.ZipFile(path) as model:
        content, weights = bytearray(lite.read(NETWORK)), model.read(WEIGHTS)
        recipe = json.loads(lite.read(RECIPE))
    for part in recipe["parts"]:
        values = filling(weights, part)
        content[part["to"] : part["to"] + len(values)] = values
    return LiteNetwork(bytes(content), recipe["network"])


def filling(weights: bytes, part: dict[str, Any]) -> bytes:
    """Return one array of ``model.weights.h5`` in the order of LiteRT, which puts a kernel's number first."""
    shape = part["shape"]
    values: NDArray[np.float32] = np.frombuffer(weights, "<f4", math.prod(shape), part["from"]).reshape(shape)
    return bytes(values.transpose(part["axes"]).tobytes())


def _threads() -> int:
    """Return how many processors a photo may take, as TensorFlow is told it. A shared server leaves one to pages."""
    usual = max(1, min(4, (os.cpu_count() or 1) - mode.shared()))
    return int(os.environ.get("TF_NUM_INTRAOP_THREADS") or usual)
