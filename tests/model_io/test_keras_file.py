"""Everything a stranger's model file may try, and what it is told."""

import io
import json
import zipfile

import numpy as np
import pytest

from cnn_core import models
from cnn_core.model_io import keras_file
from cnn_core.models import ModelError
from tests.small_models import SIZE, changed, config_of, network, refused, saved, with_layer

pytestmark = pytest.mark.slow  # a model is opened with TensorFlow


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n" + bytes(64)])
def test_a_file_that_is_no_zip(home, data):
    refused(data, "not a .keras file")


def test_a_zip_that_is_no_model(home, good):
    refused(changed(good, metadata_json=None), r"not a Keras model: .* Received config.json, model.weights.h5")
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    refused(out.getvalue(), "Received nothing")


def test_a_truncated_or_scratched_file_is_never_a_traceback(home, good):
    for cut in np.linspace(0, len(good) - 1, 25).astype(int):
        refused(good[:cut], "damaged|not a")
    scratched = 0
    for at in np.linspace(0, len(good) - 1, 40).astype(int):
        try:
            models.open_model(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        except ModelError:
            scratched += 1
    assert scratched > 20  # the checksums of the zip find most; what they miss, such as a date, does no harm


LAMBDA = {"class_name": "__lambda__", "config": {"value": ["4wAAAA==\n", None, None]}}


@pytest.mark.parametrize(
    ("layer", "match"),
    [
        ({"class_name": "Lambda", "module": "keras.layers", "config": {"function": LAMBDA}}, "its own code"),
        ({"class_name": "Activation", "module": "keras.layers", "config": {"activation": LAMBDA}}, "its own code"),
        ({"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "/tmp/x"}}, "its own code"),
        ({"class_name": "Evil", "module": "evil.layers", "config": {}}, "contains a “Evil”"),
        ({"class_name": "Dense", "module": "evil.layers", "config": {}}, "comes from “evil.layers”"),
        ({"class_name": "Dense", "module": None, "config": {}}, "comes from “None”"),
        ({"class_name": "Dense", "module": "keras.layers", "registered_name": "evil>D", "config": {}}, "from “evil>D”"),
        ({"class_name": "function", "module": "keras.utils", "config": "get_file"}, "contains a “get_file”"),
        ({"class_name": "function", "module": "builtins", "config": "exec"}, "contains a “exec”"),
        ({"class_name": "function", "module": "os", "config": "relu"}, "comes from “os”"),
        (
            {"class_name": "StringLookup", "module": "keras.layers", "config": {"vocabulary": "/etc/passwd"}},
            "StringLookup",
        ),
        ({"class_name": "__tensor__", "config": {"value": [1], "dtype": "float32"}}, "__tensor__"),
        ({"class_name": ["Dense"], "module": "keras.layers", "config": {}}, "its own code"),
    ],
)
def test_only_plain_keras_layers_come_in(home, good, layer, match):
    refused(with_layer(good, layer), match)
    hidden = {"class_name": "ReLU", "module": "keras.layers", "config": {"name": "r", "extra": [{"deep": layer}]}}
    refused(with_layer(good, hidden), match)


def test_a_lambda_is_refused_before_it_runs(home, tmp_path):
    import keras

    def harm(x):
        (tmp_path / "harmed").touch()
        return x

    model = keras.Sequential([keras.layers.Input((SIZE, SIZE, 3)), keras.layers.Lambda(harm), *network().layers])
    data = saved(model)
    (tmp_path / "harmed").unlink()
    refused(data, "its own code")
    assert not (tmp_path / "harmed").exists()


def test_a_broken_config(home, good):
    refused(changed(good, config_json=b"{"), "config.json cannot be read")
    refused(changed(good, config_json=b"[" * 200_000), "config.json cannot be read")
    refused(changed(good, config_json=b"[]"), "does not describe a model")
    refused(changed(good, config_json=b"{}"), "Keras cannot build")
    config = config_of(good)
    config["config"]["layers"][2]["config"]["kernel_size"] = [99, 99]
    refused(changed(good, config_json=json.dumps(config)), "Keras cannot build")


def test_extra_members_and_bombs(home, good, monkeypatch):
    refused(changed(good, assets="x"), "also contains “assets”")
    monkeypatch.setattr(keras_file, "MAX_WEIGHTS", 1_000_000)
    refused(changed(good, model_weights_h5=bytes(1_000_001)), "too large: its model.weights.h5 unpacks to 1,000,001")


@pytest.mark.parametrize(("field", "value"), [("filters", 10**9), ("filters", 10**6)])
def test_a_small_file_cannot_ask_for_a_huge_network(home, good, field, value):
    config = config_of(good)
    config["config"]["layers"][2]["config"][field] = value
    for layer in config["config"]["layers"]:
        layer.pop("build_config", None)  # the shapes that the file declares do not decide
    config.pop("build_config", None)
    refused(changed(good, config_json=json.dumps(config)), "too large to open here")


def test_weights_that_point_elsewhere_or_declare_too_much(home, good, tmp_path):
    import h5py

    def file_with(change) -> bytes:
        data = io.BytesIO()
        with h5py.File(data, "w") as file:
            change(file)
        return changed(good, model_weights_h5=data.getvalue())

    refused(
        file_with(lambda f: f.__setitem__("layers", h5py.ExternalLink("/etc/passwd", "/"))), "point to another file"
    )
    refused(file_with(lambda f: f.__setitem__("layers", h5py.SoftLink("/x"))), "point to another file")
    external = [(str(tmp_path / "secret"), 0, 8)]
    refused(file_with(lambda f: f.create_dataset("a", (2,), "f4", external=external)), "stored in another file")
    refused(file_with(lambda f: f.create_dataset("a", (10**6, 10**6), "f4", chunks=(10, 10))), "too large")
    refused(changed(good, model_weights_h5=b"no HDF5"), "weights are damaged")
    refused(file_with(lambda f: None), "weights do not fit")


def test_a_group_that_holds_itself(home, good):
    import h5py

    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        file["loop"] = file["/"]
    refused(changed(good, model_weights_h5=data.getvalue()), "under two names")


def test_weights_that_unpack_to_many_times_their_size(home, good):
    refused(changed(good, model_weights_h5=bytes(20 * 2**20)), "unpacks to 1,0.. times its size")


def test_more_layers_than_anybody_needs(home, good):
    config = config_of(good)
    config["config"]["layers"][1:1] = [config["config"]["layers"][1]] * keras_file.MAX_LAYERS
    refused(changed(good, config_json=json.dumps(config)), "2,007 layers; at most 2,000")


@pytest.mark.parametrize("module", [{}, ["keras"], 7])
def test_a_module_that_is_no_name(home, good, module):
    refused(with_layer(good, {"class_name": "Dense", "module": module, "config": {}}), "comes from “")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_in_what_is_compressed(home, good, method):
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for hit in ("config.json", "model.weights.h5"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
            start = archive.getinfo(hit).header_offset + 30 + len(hit) + 6
        data = bytearray(out.getvalue())
        data[start : start + 40] = b"\xff" * 40
        refused(bytes(data), "damaged|cannot be read")


def test_weights_of_another_network(home, good):
    import keras

    other = keras.Sequential([keras.layers.Input((SIZE, SIZE, 3)), keras.layers.Dense(7), keras.layers.Flatten()])
    with zipfile.ZipFile(io.BytesIO(saved(other))) as archive:
        refused(changed(good, model_weights_h5=archive.read("model.weights.h5")), "weights do not fit")


def test_weights_that_are_no_numbers(home):
    model = network()
    model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
    refused(saved(model), "not a number")


def test_the_shapes_that_are_expected_are_said(home):
    import keras

    dense = keras.layers.Dense
    refused(saved(network(channels=1)), r"input must be square color pictures.*received \(None, 12, 12, 1\)")
    refused(saved(network(head=dense(3, activation="softmax"))), r"two probabilities.*Received \(None, 3\)")
    refused(saved(network(head=dense(1, activation="sigmoid"))), r"Received \(None, 1\).*Dense\(2, softmax\)")
    refused(saved(network(head=dense(2, kernel_initializer="ones"))), "probabilities that sum to 1")
    anything = keras.Sequential(
        [keras.layers.Input((None, None, 3)), keras.layers.GlobalAveragePooling2D(), dense(2, activation="softmax")]
    )
    refused(saved(anything), "S fixed")
    oblong = keras.Sequential([keras.layers.Input((8, 9, 3)), keras.layers.Flatten(), dense(2, activation="softmax")])
    refused(saved(oblong), r"received \(None, 8, 9, 3\)")


@pytest.mark.parametrize("name", ["two words", "<img src=x>", "[a](b)", "", 7])
def test_a_layers_name_that_tensorflow_takes_for_no_name(home, good, name):
    config = config_of(good)
    config["config"]["layers"][2]["config"]["name"] = name
    refused(changed(good, config_json=json.dumps(config)), "layer named “")
