"""The door of :mod:`cnn_core.models`: what a ``.keras`` file must look like before Keras may open it.

Keras builds whatever ``config.json`` names, and it would look the names up anywhere in its package. Here only plain
layers pass. The network is then built once without memory for its weights, so that a small file that asks for a
large network is refused, and only then loaded.
"""

import io
import json
import math
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cnn_core import CnnLabError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
MAX_CONFIG = 4 * 2**20
"""The longest ``config.json`` that is read, bytes; ResNet152's has 0.4 MB."""
MAX_WEIGHTS = 512 * 2**20
"""The most bytes of weights; the article's network has 15 MB."""
MAX_PARAMETERS = MAX_WEIGHTS // 4
MAX_MAP = 2**26
"""The most numbers in one feature map of one photo."""

LAYERS = _names(
    "InputLayer Sequential Functional Model Rescaling Normalization Resizing CenterCrop "
    "Conv2D SeparableConv2D DepthwiseConv2D MaxPooling2D AveragePooling2D ZeroPadding2D Cropping2D UpSampling2D "
    "GlobalAveragePooling2D GlobalMaxPooling2D Flatten Reshape Permute Dense Dropout SpatialDropout2D AlphaDropout "
    "GaussianNoise GaussianDropout ActivityRegularization BatchNormalization LayerNormalization GroupNormalization "
    "UnitNormalization Activation ReLU LeakyReLU PReLU ELU Softmax Add Subtract Multiply Average Maximum Minimum "
    "Concatenate RandomFlip RandomRotation RandomZoom RandomTranslation RandomShear RandomContrast RandomBrightness "
    "RandomCrop"
)
PARTS = _names(
    "DTypePolicy L1 L2 L1L2 OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg UnitNorm Zeros Ones Constant Identity "
    "IdentityInitializer Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal VarianceScaling "
    "GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform"
)
FUNCTIONS = _names(
    "elu exponential gelu hard_sigmoid hard_swish leaky_relu linear log_softmax mish relu relu6 selu sigmoid silu "
    "softmax softplus softsign swish tanh"
)
MODULES = _names(
    "keras keras.layers keras.models keras.initializers keras.regularizers keras.constraints keras.activations "
    "keras.dtype_policies keras.src.models.functional keras.src.engine.functional keras.src.models.sequential "
    "keras.src.engine.sequential"
)


class ModelError(CnnLabError):
    """A model cannot be found, or its file is not one that tells cats from dogs."""


def input_size(path: Path) -> int | None:
    """Return the side of the input of the model in this file, pixels, without Keras; None when it cannot be told."""
    try:
        shapes = (node["config"].get("batch_shape") for node in _objects(_read_config(path)) if "config" in node)
        return next((int(shape[1]) for shape in shapes if isinstance(shape, list) and len(shape) == 4), None)
    except (ModelError, AttributeError, TypeError, ValueError):
        return None


def is_half(path: Path) -> bool:
    """Tell whether any layer of the model in this file computes in half precision; the page lets all use float32.

    Raises
    ------
    ModelError
        When the file is no Keras file.
    """
    return "float16" in json.dumps(_read_config(path))  # also in "bfloat16" and "mixed_float16"


def tells_neither(path: Path) -> bool:
    """Say whether the model in this file has a second output, without Keras; False when it cannot be told."""
    try:
        outputs = _read_config(path)["config"]["output_layers"]
        return len(outputs) == 2 and all(isinstance(output, list) for output in outputs)
    except (ModelError, KeyError, TypeError):
        return False


def load(path: Path) -> tuple[Any, int, tuple[str, ...]]:
    """Check the file and load its model.

    Returns
    -------
    model : keras.Model
        Computes in float32, whatever precision it was saved in.
    largest_map : int
        Numbers in its largest feature map, for one photo.
    warnings : tuple of str
        Sentences about what may make its answers wrong.

    Raises
    ------
    ModelError
        When any check fails; the message names the check.
    """
    config = _read_config(path)
    for node in _objects(config):
        _check_object(node)
    _check_weights(path)
    largest_map = _measure(config)

    import keras

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        if any(layer.compute_dtype != "float32" for layer in model.layers):  # half precision is slow on a CPU
            half, model = model, _build(_in_float32(config))
            model.set_weights(half.get_weights())
        given = model(_probes(model.input_shape[1]), training=False)
        probabilities, *score = [np.asarray(output) for output in (given if isinstance(given, list) else [given])]
    except Exception as error:  # Keras raises whatever the broken part led to
        raise ModelError(f"The model's weights do not fit its layers: {_first_line(error)} Save it again.") from error
    if not all(np.isfinite(output).all() for output in (probabilities, *score)):
        raise ModelError("The model answers with “not a number”: its weights are damaged. Train or export it again.")
    if probabilities.min() < -1e-3 or abs(probabilities.sum(axis=1) - 1).max() > 1e-2:
        received = ", ".join(f"{value:.2f}" for value in probabilities[0])
        raise ModelError(
            "The model's two outputs must be probabilities that sum to 1 (its last layer: Dense(2, softmax)); "
            f"for a black picture it gave {received}."
        )
    return model, largest_map, _warnings(config)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)) or not MEMBERS.issubset(names):
                raise ModelError(
                    "This zip is not a Keras model: it must hold config.json, metadata.json and model.weights.h5, once "
                    f"each. Received {', '.join(names[:5]) or 'nothing'}. Write it with model.save('name.keras')."
                )
            if extra := sorted(set(names) - MEMBERS):
                raise ModelError(
                    f"The model file also holds “{extra[0][:80]}”. Only layers and weights are accepted; "
                    "layers that bring their own files cannot be opened here."
                )
            limits = {"config.json": MAX_CONFIG, "metadata.json": MAX_CONFIG, "model.weights.h5": MAX_WEIGHTS}
            for name, limit in limits.items():
                if (size := archive.getinfo(name).file_size) > limit:
                    raise ModelError(
                        f"The model is too large: its {name} unpacks to {size:,} bytes, at most {limit:,} are accepted."
                    )
            text = archive.read("config.json")
    except OSError as error:
        raise ModelError(f"The model file cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ModelError(
            "This is not a .keras file, or it is damaged. Write one with model.save('name.keras') in Keras 3 "
            "(an .h5 file: open it in Keras and save it again)."
        ) from error
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            "The model's config.json cannot be read. The file is damaged; save the model again."
        ) from error
    if not isinstance(config, dict):
        raise ModelError("The model's config.json describes no model. Save the model again.")
    config.pop("compile_config", None)  # the optimizer and loss are for training on; they are never built here
    return config


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of the config that names a class, at any depth."""
    todo = [config]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if "class_name" in node:
                yield node
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)


def _check_object(node: dict[str, Any]) -> None:
    name, module, registered = node["class_name"], node.get("module"), node.get("registered_name")
    if name == "__keras_tensor__":
        return
    if name == "function":
        name, allowed = node.get("config"), FUNCTIONS
        registered = None if registered == name else registered
        module = "keras" if module == "builtins" else module
    else:
        allowed = LAYERS | PARTS
    if not isinstance(name, str) or name in ("__lambda__", "Lambda", "TFSMLayer"):
        raise ModelError(
            f"The model carries code of its own ({name}), which is not run here. Build it from plain Keras layers."
        )
    if name not in allowed:
        raise ModelError(
            f"The model holds a “{name[:80]}”, which is not among the plain Keras layers that are opened here "
            "(Conv2D, MaxPooling2D, Dense, BatchNormalization and the like)."
        )
    if module not in MODULES or registered not in (None, name):
        owner = registered if module in MODULES else module
        raise ModelError(
            f"The model's “{name}” is not Keras's own: it comes from “{str(owner)[:80]}”. Code of others is not run "
            "here; build the model from plain Keras layers."
        )


def _check_weights(path: Path) -> None:
    """HDF5 can point to other files and declare arrays far larger than what it stores: neither passes."""
    import h5py

    try:
        with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
            declared, todo = 0, [file["/"]]
            while todo:
                group = todo.pop()
                for name in group:
                    if type(group.get(name, getlink=True)) is not h5py.HardLink:
                        raise ModelError("The model's weights point to another file. Save the model again.")
                    item = group[name]
                    if isinstance(item, h5py.Group):
                        todo.append(item)
                        continue
                    if item.external or item.is_virtual:
                        raise ModelError("The model's weights lie in another file. Save the model again.")
                    declared += math.prod(item.shape or ()) * item.dtype.itemsize
                    if declared > MAX_WEIGHTS:
                        raise ModelError(
                            f"The model is too large: at most {MAX_WEIGHTS:,} bytes of weights are accepted."
                        )
    except ModelError:
        raise
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError, …
        raise ModelError(
            "The model's weights are damaged and cannot be read. Save or upload the model again."
        ) from error


def _measure(config: dict[str, Any]) -> int:
    """Build the network without memory for its weights, check its size and shapes, return its largest map."""
    found: dict[str, Any] = {}

    def build() -> None:
        import keras

        try:
            with keras.StatelessScope(initialize_variables=False):
                model = _build(config)
                outputs = [layer.output for layer in model.layers]
                found["shapes"] = [tuple(tensor.shape) for tensor in outputs if hasattr(tensor, "shape")]
                found["parameters"] = sum(math.prod(weight.shape) for weight in model.weights)
                found["input"], found["output"] = model.input_shape, model.output_shape
        except Exception as error:
            found["error"] = error

    # Keras keeps a list of variables it still owes memory to, one per thread: it must end with this thread.
    thread = threading.Thread(target=build)
    thread.start()
    thread.join()
    if "error" in found:
        error = found["error"]
        raise ModelError(
            f"Keras cannot build this model: {_first_line(error)} Save it with Keras 3.12 or newer."
        ) from error
    taken, given = found["input"], found["output"]
    square = (
        isinstance(taken, tuple) and len(taken) == 4 and taken[0] is None and taken[1] == taken[2] and taken[3] == 3
    )
    if not square or not taken[1]:
        raise ModelError(
            f"The model's input must be square colour pictures, (None, S, S, 3) with S fixed; received {taken}."
        )
    if given not in ((None, 2), [(None, 2), (None, 1)]):
        hint = " One sigmoid output is not enough: end with Dense(2, softmax)." if tuple(given) == (None, 1) else ""
        raise ModelError(
            "The model's output must be two probabilities, cat and dog, (None, 2); a second output, (None, 1), may say "
            f"how sure it is that there is one of them. Received {given}.{hint}"
        )
    largest = max(math.prod(size or 1 for size in shape[1:]) for shape in [*found["shapes"], taken])
    if found["parameters"] > MAX_PARAMETERS or largest > MAX_MAP:
        raise ModelError(
            f"The network is too large to open here: {found['parameters']:,} parameters (at most {MAX_PARAMETERS:,}) "
            f"and {largest:,} numbers in its largest feature map (at most {MAX_MAP:,})."
        )
    return largest


def _build(config: dict[str, Any]) -> Any:
    import keras

    return keras.saving.deserialize_keras_object(_copy(config), safe_mode=True)  # Keras empties what it is given


def _copy(config: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(config))


def _in_float32(config: dict[str, Any]) -> dict[str, Any]:
    config = _copy(config)
    for node in _objects(config):
        if node["class_name"] == "DTypePolicy":
            node["config"]["name"] = "float32"
        elif isinstance(node.get("config"), dict) and isinstance(node["config"].get("dtype"), str):
            node["config"]["dtype"] = "float32"
    return config


def _probes(size: int) -> np.ndarray:
    """Return a black picture and one of noise."""
    probes = np.zeros((2, size, size, 3), np.float32)
    probes[1] = np.random.default_rng(0).uniform(0, 255, (size, size, 3))
    return probes


def _warnings(config: dict[str, Any]) -> tuple[str, ...]:
    scales = {"Rescaling", "Normalization"}
    if scales & {node["class_name"] for node in _objects(config)}:
        return ()
    return (
        "This model has no Rescaling layer, so it receives pixel values from 0 to 255. If it was trained on values "
        "from 0 to 1, its answers here are wrong: add keras.layers.Rescaling(1/255) as its first layer, save it again.",
    )


def _first_line(error: Exception) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return text if text.endswith(".") else text + "."
