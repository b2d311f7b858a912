"""Write the LiteRT file beside a model's ``.keras`` file; `lite_file` says what it holds and reads it.

    python -m cnn_core.model_io.lite_bundle [NAME]...     # by default for every bundled model

Beside the probabilities it gives the reasons for them: the scores before the softmax and, where a gradient through the
last layers alone gives it, the heat map.
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
channels). A kernel of a depthwise convolution has its maps in the third place, and one after it."""


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

    @tf.function(input_signature=[tf.TensorSpec((1, size, size, 3), tf.float32, name="image")])
    def answer(image: Any) -> dict[str, Any]:
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            probabilities, visits = run(network, image, lambda visit: tape.watch(visit.output))
            scores = explain.before_softmax(probabilities, visits)
            one_by_one = [scores[:, at] for at in range(scores.shape[1])]
        maps = explain.last_maps(visits)
        given = {visit.layer.name: visit.output for visit in visits}
        others = getattr(network, "output_names", [])[1:]
        heat = [_heat(maps, tape.gradient(score, _pooled(visits, maps))) for score in one_by_one]
        return {
            "probabilities": probabilities, "scores": scores, "heat": tf.stack(heat, axis=-1),
            **{name: given[name] for name in others},
        }  # fmt: skip

    return answer


def _pooled(visits: list[Visit], maps: Any) -> Any:
    """Return what the pooling after the last maps makes of them, or the maps where none follows.

    Pooling hands the gradient of each of its numbers to places of the same map. So the sum over a map, which is all
    that Grad-CAM asks for, is the same before and after it; and LiteRT cannot compute the gradient of max pooling.
    """
    for visit in visits:
        if visit.inputs[0] is maps and "Pooling2D" in type(visit.layer).__name__:
            return visit.output
    return maps


def _heat(maps: Any, gradient: Any) -> Any:
    """Return ReLU(Σ_k weight_k A^k), (1, H', W'), with weight_k the sum of the gradient over map k."""
    import tensorflow as tf

    channels = maps.shape[-1]
    weights = tf.reduce_sum(tf.reshape(gradient, (1, -1, 1, channels)), axis=1, keepdims=True)
    return tf.nn.relu(tf.reduce_sum(maps * weights, axis=-1))


def main() -> None:
    """Write the files of the models that are named, or of all bundled ones."""
    names = sys.argv[1:] or [card.name for card in models.list_models() if card.kind == "bundled"]
    for name in names:
        path = write(models.find(name).path)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
