"""Write the LiteRT file beside a model's ``.keras`` file; `lite_file` says what it holds and reads it.

    python -m cnn_core.model_io.lite_bundle [NAME]...     # by default for every bundled model

Beside the probabilities it gives the reasons for them: the scores before the softmax, and the heat map of either class.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from cnn_core import explain, models
from cnn_core.model_io import export, keras_file, lite_file
from cnn_core.storage.files import replace_file
from cnn_core.walk import Visit, run

AXES = {2: (1, 0), 4: (3, 0, 1, 2)}
"""How LiteRT turns Keras's kernels: of a dense layer to (outputs, inputs), of a convolution to (maps, height, width,
channels), and of a depthwise one, whose last axis is 1, to (1, height, width, maps)."""

NO_WEIGHT = {"MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "Flatten", "Dropout"}
"""Layers that leave the sum of a map's gradient as it is, or change that of all maps by the same factor."""


def write(path: Path) -> Path:
    """Write the LiteRT file of a ``.keras`` file.

    Raises
    ------
    ModelError
        When it is not a model that tells cats from dogs.
    ExportError
        When the network does not end in a softmax, or cannot be converted.
    """
    network, *_ = keras_file.load(path)
    content = export.tflite(network, _answer(network))
    with zipfile.ZipFile(path) as model:
        weights = model.read(lite_file.WEIGHTS)
    parts, emptied = [], bytearray(content)
    for part in _arrays(weights):
        values = lite_file.filling(weights, part)
        place = content.find(values)
        if place >= 0:  # else the converter has changed it, and it stays in the file
            emptied[place : place + len(values)] = bytes(len(values))
            parts.append(part | {"to": place})
    recipe = {"made_from": lite_file.checksum(path), "network": network.name, "parts": parts}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as lite:
        for name, member in ((lite_file.NETWORK, bytes(emptied)), (lite_file.RECIPE, json.dumps(recipe))):
            undated = zipfile.ZipInfo(name)  # so that the file is the same each time
            lite.writestr(undated, member, zipfile.ZIP_DEFLATED, compresslevel=9)
    replace_file(lite_file.beside(path), file.getvalue())
    return lite_file.beside(path)


def _arrays(weights: bytes) -> list[dict[str, Any]]:
    """List the kernels in ``model.weights.h5``: where their numbers begin, their shape, and how LiteRT turns them."""
    import h5py

    found: list[dict[str, Any]] = []

    def visit(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim in AXES:
            found.append({"from": item.id.get_offset(), "shape": item.shape, "axes": AXES[item.ndim]})

    with h5py.File(io.BytesIO(weights), "r") as file:
        file.visititems(visit)
    return found


def _answer(network: Any) -> Any:
    """Return the function that is converted: from one photo to the answer and the reasons for it."""
    import tensorflow as tf

    size = network.input_shape[1]
    others = getattr(network, "output_names", [])[1:]

    def answer(image: Any) -> dict[str, Any]:
        probabilities, visits = run(network, image)
        maps = explain.last_maps(visits)
        heat = tf.nn.relu(tf.tensordot(maps, _weights(probabilities, visits, maps), 1))
        given = {visit.layer.name: visit.output for visit in visits}
        reasons = {"scores": explain.before_softmax(probabilities, visits), "heat": heat}
        return {"probabilities": probabilities, **reasons, **{name: given[name] for name in others}}

    signature = [tf.TensorSpec((1, size, size, 3), tf.float32, name="image")]
    return tf.function(answer, input_signature=signature, autograph=False)


def _weights(answer: Any, visits: list[Visit], maps: Any) -> Any:
    """Return the weight of each of the last maps in the heat map of each class, (C, 2), as Grad-CAM defines it.

    That is the gradient of the class's score, summed over the map. Pooling hands the gradient of each of its numbers to
    places of the same map, so the sum is the same before and after it, and only the dense layers count. (Grad-CAM takes
    the mean. A factor that all weights share is lost anyway when a heat map is scaled.)
    """
    import tensorflow as tf

    way, at = [], answer
    for visit in reversed(visits):
        if at is not maps and visit.output is at:
            way.append(visit)
            at = visit.inputs[0]
    dense = [visit for visit in way if type(visit.layer).__name__ == "Dense"]
    functions = ["softmax", *["relu"] * (len(dense) - 1)]
    if (
        at is not maps
        or {type(visit.layer).__name__ for visit in way} - NO_WEIGHT - {"Dense"}
        or [visit.layer.activation.__name__ for visit in dense] != functions
    ):
        raise export.ExportError(
            "After its last convolution the network may have pooling, flatten and dense layers only."
        )
    weights = tf.eye(2)
    for visit in dense:
        kernel = visit.layer.kernel
        if visit is not dense[0]:
            weights = tf.where(tf.transpose(visit.output) > 0, weights, 0.0)
        if visit is dense[-1]:
            kernel = tf.reduce_sum(tf.reshape(kernel, (-1, maps.shape[-1], kernel.shape[1])), axis=0)
        weights = tf.matmul(kernel, weights)
    return weights


def main() -> None:
    """Write the files of the models that are named, or of all bundled ones."""
    names = sys.argv[1:] or [card.name for card in models.list_models() if card.kind == "bundled"]
    for name in names:
        path = write(models.find(name).path)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
