"""Check a ``.keras`` file before Keras opens it, then load it.

Keras builds whatever ``config.json`` names, from anywhere in its package. Here only the layers in `allowed_layers` are
accepted. The network is then built once without memory for its weights, so that a small file that declares a huge
network is refused. Only then is it loaded.
"""

import json
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.engine import loading
from cnn_core.model_io import ModelError, weights_check
from cnn_core.model_io.allowed_layers import LAYERS, check_object, objects
from cnn_core.setup import installed
from cnn_core.storage import archives
from cnn_core.storage.files import remembered

MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
MAX_CONFIG = 4 * 2**20
"""The maximum size of ``config.json``, bytes; ResNet152's has 0.4 MB."""
MAX_WEIGHTS = 512 * 2**20
"""The maximum size of the weights, bytes; the article's network has 15 MB."""
SMALL, MAX_RATIO = 8 * 2**20, 50
"""A member that unpacks to more than `SMALL` bytes must not unpack to more than `MAX_RATIO` times what is stored."""
MAX_LAYERS = 2000
"""EfficientNetB7 has 813."""
MAX_PARAMETERS = MAX_WEIGHTS // 4
MAX_MAP = 2**26
"""The maximum number of values in one feature map of one photo."""


@remembered
def input_size(path: Path) -> int | None:
    """Return the width of the model's input in pixels, without Keras; None when it is unknown."""
    try:
        shapes = (node["config"].get("batch_shape") for node in objects(_read_config(path)) if "config" in node)
        return next((int(shape[1]) for shape in shapes if isinstance(shape, list) and len(shape) == 4), None)
    except (ModelError, AttributeError, TypeError, ValueError):
        return None


@remembered
def is_half(path: Path) -> bool:
    """Return whether any layer of the model in this file computes in half precision. The app computes in float32.

    Raises
    ------
    ModelError
        When the file is no Keras file.
    """
    return "float16" in json.dumps(_read_config(path))  # also in "bfloat16" and "mixed_float16"


@remembered
def tells_neither(path: Path) -> bool:
    """Return whether the model in this file has a second output, without Keras; False when that is unknown."""
    try:
        outputs = _read_config(path)["config"]["output_layers"]
        return len(outputs) == 2 and all(isinstance(output, list) for output in outputs)
    except (ModelError, KeyError, TypeError):
        return False


def check(path: Path) -> dict[str, Any]:
    """Check all of the file that can be checked without Keras, and return the description of its layers.

    Raises
    ------
    ModelError
        When it is no Keras file, names anything but plain layers, or its weights are damaged, elsewhere or too many.
    """
    config = _read_config(path)
    count = 0
    for node in objects(config):
        check_object(node)
        count += node["class_name"] in LAYERS
    if count > MAX_LAYERS:
        raise ModelError(f"The model has {count:,} layers; at most {MAX_LAYERS:,} are opened here.")
    try:
        weights = _read(path, "model.weights.h5")
    except (OSError, archives.ArchiveError, *archives.DAMAGED) as error:
        raise ModelError(
            "The model's weights are damaged and cannot be read. Save or upload the model again."
        ) from error
    weights_check.check(weights, MAX_WEIGHTS)
    return config


def load(path: Path) -> tuple[Any, int, tuple[str, ...]]:
    """Check the file and load its model.

    Returns
    -------
    model : keras.Model
        Computes in float32, even if it was saved in another precision.
    largest_map : int
        Numbers in its largest feature map, for one photo.
    warnings : tuple of str
        Sentences about possible causes of wrong answers.

    Raises
    ------
    ModelError
        When any check fails; the message names the check.
    MissingError
        When TensorFlow is not installed.
    """
    config = check(path)
    installed.need_tensorflow()
    loading.import_tensorflow(alone=threading.current_thread() is threading.main_thread())  # pages run in others
    largest_map = _measure(config)

    import keras

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        if any(layer.compute_dtype != "float32" for layer in model.layers):  # half precision is slow on a CPU
            half, model = model, _build(_in_float32(config))
            model.set_weights(half.get_weights())
        given = model(_probes(model.input_shape[1]), training=False)
        probabilities, *score = [np.asarray(output) for output in (given if isinstance(given, list) else [given])]
    except Exception as error:  # Keras raises many types of errors
        raise ModelError(f"The model's weights do not fit its layers: {_first_line(error)} Save it again.") from error
    if not all(np.isfinite(output).all() for output in (probabilities, *score)):
        raise ModelError("The model's output is “not a number”: its weights are damaged. Train or export it again.")
    if probabilities.min() < -1e-3 or abs(probabilities.sum(axis=1) - 1).max() > 1e-2:
        received = ", ".join(f"{value:.2f}" for value in probabilities[0])
        raise ModelError(
            "The model's two outputs must be probabilities that sum to 1 (its last layer: Dense(2, softmax)); "
            f"for a black picture it gave {received}."
        )
    return model, largest_map, _warnings(config)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        with archives.opened(path) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)) or not MEMBERS.issubset(names):
                raise ModelError(
                    "This zip is not a Keras model: it must contain config.json, metadata.json and model.weights.h5, "
                    f"once each. Received {', '.join(names[:5]) or 'nothing'}. Write it with model.save('name.keras')."
                )
            if extra := sorted(set(names) - MEMBERS):
                raise ModelError(
                    f"The model file also contains “{extra[0][:80]}”. Only layers and weights are accepted; "
                    "layers with their own files cannot be opened here."
                )
            limits = {"config.json": MAX_CONFIG, "metadata.json": MAX_CONFIG, "model.weights.h5": MAX_WEIGHTS}
            for name, limit in limits.items():
                if (size := archive.getinfo(name).file_size) > limit:
                    raise ModelError(
                        f"The model is too large: its {name} unpacks to {size:,} bytes, at most {limit:,} are accepted."
                    )
        text = _read(path, "config.json")
    except OSError as error:
        raise ModelError(f"The model file cannot be read: {error.strerror or error}.") from error
    except (archives.ArchiveError, *archives.DAMAGED) as error:
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
        raise ModelError("The model's config.json does not describe a model. Save the model again.")
    config.pop("compile_config", None)  # the optimizer and loss are for training on; they are never built here
    return config


def _read(path: Path, member: str) -> bytes:
    """Return a member of the file, which must not be much larger than what is stored of it."""
    with archives.opened(path) as archive:
        stored, size = archive.getinfo(member).compress_size, archive.getinfo(member).file_size
        if size > SMALL and size > MAX_RATIO * stored:
            raise ModelError(
                f"The model's {member} unpacks to {size / max(stored, 1):,.0f} times its size, which weights never "
                "do. Save the model again."
            )
        return archive.read(member)


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
            f"The model's input must be square color pictures, (None, S, S, 3) with S fixed; received {taken}."
        )
    if given not in ((None, 2), [(None, 2), (None, 1)]):
        hint = " One sigmoid output is not enough: end with Dense(2, softmax)." if tuple(given) == (None, 1) else ""
        raise ModelError(
            "The model's output must be two probabilities, cat and dog, (None, 2); a second output, (None, 1), may be "
            f"the probability that there is one of them. Received {given}.{hint}"
        )
    largest: int = max(math.prod(size or 1 for size in shape[1:]) for shape in [*found["shapes"], taken])
    if found["parameters"] > MAX_PARAMETERS or largest > MAX_MAP:
        raise ModelError(
            f"The network is too large to open here: {found['parameters']:,} parameters (at most {MAX_PARAMETERS:,}) "
            f"and {largest:,} numbers in its largest feature map (at most {MAX_MAP:,})."
        )
    return largest


def _build(config: dict[str, Any]) -> Any:
    import keras

    return keras.saving.deserialize_keras_object(_copy(config), safe_mode=True)  # Keras empties its argument


def _copy(config: dict[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(config))
    return copy


def _in_float32(config: dict[str, Any]) -> dict[str, Any]:
    config = _copy(config)
    for node in objects(config):
        if node["class_name"] == "DTypePolicy":
            node["config"]["name"] = "float32"
        elif isinstance(node.get("config"), dict) and isinstance(node["config"].get("dtype"), str):
            node["config"]["dtype"] = "float32"
    return config


def _probes(size: int) -> NDArray[np.float32]:
    """Return a black image and one of noise."""
    probes = np.zeros((2, size, size, 3), np.float32)
    probes[1] = np.random.default_rng(0).uniform(0, 255, (size, size, 3))
    return probes


def _warnings(config: dict[str, Any]) -> tuple[str, ...]:
    scales = {"Rescaling", "Normalization"}
    if scales & {node["class_name"] for node in objects(config)}:
        return ()
    return (
        "This model has no Rescaling layer, so it receives pixel values from 0 to 255. If it was trained on values "
        "from 0 to 1, its answers here are wrong: add keras.layers.Rescaling(1/255) as its first layer, save it again.",
    )


def _first_line(error: Exception) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return text if text.endswith(".") else text + "."
