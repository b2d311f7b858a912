"""Small Keras networks, and their files as a stranger might change them."""

import io
import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cnn_core import models
from cnn_core.models import ModelError

SIZE = 12


def network(seed=0, head=None, size=SIZE, channels=3):
    import keras

    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.layers.Input((size, size, channels)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            head or keras.layers.Dense(2, activation="softmax"),
        ]
    )


def saved(model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def changed(data: bytes, **members) -> bytes:
    """Return the file with members replaced; dots in names are written as underscores, None leaves one out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {name.replace("_", "."): value for name, value in members.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in content.items():
            if value is not None:
                archive.writestr(name, value)
    return out.getvalue()


def config_of(data: bytes) -> dict:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return json.loads(archive.read("config.json"))


def with_layer(data: bytes, layer: dict, at: int = 2) -> bytes:
    config = config_of(data)
    config["config"]["layers"].insert(at, layer)
    return changed(data, config_json=json.dumps(config))


def refused(data: bytes, match: str) -> None:
    """Hold a file to being refused, with a whole sentence that says why."""
    with pytest.raises(ModelError, match=match) as caught:
        models.open_model(data)
    assert caught.value.args[0].endswith((".", ")"))


def random_backbone(path: Path) -> None:
    """What `port` writes, but for the numbers."""
    from cnn_core.accurate.backbone import efficientnet_lite2

    random = np.random.default_rng(0)
    arrays = {"classes/kernel": random.normal(0, 0.1, (1280, 1000)), "classes/bias": np.zeros(1000)}
    for layer in efficientnet_lite2().layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            around = kernel.shape[0] * kernel.shape[1] * (1 if "look" in layer.name else kernel.shape[2])
            arrays[f"{layer.name}/kernel"] = random.normal(0, np.sqrt(2 / around), kernel.shape).astype("float32")
            arrays[f"{layer.name}/bias"] = bias
    np.savez(path, **arrays)
