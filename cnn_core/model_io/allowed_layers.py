"""The allow-list: the layers, functions and modules of Keras that a ``.keras`` file may name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cnn_core.model_io import ModelError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


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

_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
"""The names of layers that TensorFlow takes; Keras lets others pass until the network is run."""


def objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a model's config that names a class, at any depth."""
    todo = [config]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if "class_name" in node:
                yield node
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)


def check_object(node: dict[str, Any]) -> None:
    """Check that a part of the config is a plain layer or function of Keras itself.

    Parameters
    ----------
    node : dict
        One of :func:`objects`.

    Raises
    ------
    ModelError
        When it is not; the message names it.
    """
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
            f"The model contains its own code ({name}), which is not run here. Build it from plain Keras layers."
        )
    if name not in allowed:
        raise ModelError(
            f"The model contains a “{name[:80]}”, which is not among the plain Keras layers that are opened here "
            "(Conv2D, MaxPooling2D, Dense, BatchNormalization and the like)."
        )
    known = isinstance(module, str) and module in MODULES
    if not known or registered not in (None, name):
        owner = registered if known else module
        raise ModelError(
            f"The model's “{name}” is not part of Keras: it comes from “{str(owner)[:80]}”. Foreign code is not run "
            "here; build the model from plain Keras layers."
        )
    own = node.get("config")
    called = own.get("name") if isinstance(own, dict) and allowed is not FUNCTIONS else None
    if called is not None and not (isinstance(called, str) and _NAME.fullmatch(called)):
        raise ModelError(
            f"The model has a layer named “{str(called)[:80]}”. Give it a name of letters, digits, “_” and “-”, which "
            "begins with a letter, and save the model again."
        )
