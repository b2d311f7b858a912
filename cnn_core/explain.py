"""Why a network says what it says: what each layer sees, and where in the photo the verdict comes from."""

from typing import Any

import numpy as np
from PIL import Image
from plotly.colors import sequential, unlabel_rgb

from cnn_core import CnnLabError
from cnn_core.models import LABELS, PetModel
from cnn_core.pixels import resize


class ExplainError(CnnLabError):
    """A layer or class that the model does not have."""


def layers(model: PetModel) -> list[str]:
    """Return the names of the layers that give feature maps, (None, H, W, C), in order."""
    return [layer.name for layer, tensor in _outputs(model) if len(tensor.shape) == 4]


def feature_maps(model: PetModel, image: np.ndarray, layer: str) -> np.ndarray:
    """Return what `layer` makes of a photo.

    Parameters
    ----------
    model : PetModel
    image : (H, W, 3) uint8
    layer : str
        One of :func:`layers`.

    Returns
    -------
    (H', W', C) float32
        One map for each of the layer's C channels.

    Raises
    ------
    ExplainError
        When the model has no such layer.
    """
    import keras

    maps = {found.name: tensor for found, tensor in _outputs(model) if len(tensor.shape) == 4}
    if layer not in maps:
        raise ExplainError(f"The model {model.name} has no feature maps called “{layer}”. It has: {', '.join(maps)}.")
    part = keras.Model(model.keras.inputs[0], maps[layer])
    return np.asarray(part(_input(model, image), training=False), np.float32)[0]


def heat_map(model: PetModel, image: np.ndarray, label: str) -> np.ndarray:
    """Return where in a photo the evidence for `label` lies: its gradient-weighted class activation map, Grad-CAM.

    With A^k the feature maps of the last convolution and y the score of `label` before the softmax, the weight of map
    k is the mean of ∂y/∂A^k over all positions, and the heat is ReLU(Σ_k weight_k A^k), here scaled to a maximum of 1.

    Parameters
    ----------
    model : PetModel
    image : (H, W, 3) uint8
    label : {"cat", "dog"}

    Returns
    -------
    (H, W) float32
        0 to 1, at the photo's own size (bilinear). All 0 where nothing speaks for `label`.

    Raises
    ------
    ExplainError
        For an unknown label, or a model without a convolution.

    References
    ----------
    R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017,
    arXiv:1610.02391, equations 1 and 2.
    """
    import keras
    import tensorflow as tf

    if label not in LABELS:
        raise ExplainError(f"The classes are cat and dog; received “{label}”.")
    outputs = _outputs(model)
    convolutions = [tensor for layer, tensor in outputs if "Conv2D" in type(layer).__name__]
    if not convolutions:
        raise ExplainError(f"The model {model.name} has no convolution of its own, so there is no heat map of it.")
    before_scores, to_scores = _scores(*outputs[-1])
    part = keras.Model(model.keras.inputs[0], [convolutions[-1], before_scores])
    with tf.GradientTape() as tape:
        maps, before = part(_input(model, image), training=False)
        y = to_scores(before)[0, LABELS.index(label)]
    weights = tf.reduce_mean(tape.gradient(y, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1))[0].numpy()
    if heat.max() > 0:
        heat = heat / heat.max()
    height, width = image.shape[:2]
    return np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR)).clip(0, 1)


def overlay(image: np.ndarray, heat: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Lay a heat map over its photo, in matplotlib's Inferno: dark is 0, bright yellow is 1.

    Inferno's lightness grows evenly with the value, so it reads the same for colour-blind eyes and in grey.

    Parameters
    ----------
    image : (H, W, 3) uint8
    heat : (H, W) float, 0 to 1
    opacity : float
        0 shows only the photo, 1 only the heat.

    Returns
    -------
    (H, W, 3) uint8

    Examples
    --------
    >>> photo = np.full((1, 2, 3), 200, np.uint8)
    >>> overlay(photo, np.array([[0.0, 1.0]]), opacity=0).tolist()
    [[[200, 200, 200], [200, 200, 200]]]
    >>> overlay(photo, np.array([[0.0, 1.0]]), opacity=1).tolist()
    [[[0, 0, 4], [252, 255, 164]]]
    """
    steps = np.array([_rgb(colour) for colour in sequential.Inferno], np.float32)
    at = np.linspace(0, 1, len(steps))
    colours = np.stack([np.interp(heat, at, steps[:, channel]) for channel in range(3)], axis=-1)
    return np.rint((1 - opacity) * image + opacity * colours).astype(np.uint8)


def _rgb(colour: str) -> tuple[float, ...]:
    if colour.startswith("#"):
        return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return unlabel_rgb(colour)


def _input(model: PetModel, image: np.ndarray) -> np.ndarray:
    return resize(image, model.input_size, model.input_size)[None].astype(np.float32)


def _outputs(model: PetModel) -> list[tuple[Any, Any]]:
    """Return each layer and its output, from the first layer to the last, on the way from the input to the verdict.

    A Sequential model calls its layers several times while it is built, so ``layer.output`` may belong to another call.
    """
    found, todo = {}, [model.keras.outputs[0]]
    while todo:
        tensor = todo.pop()
        layer, node, _ = tensor._keras_history
        if layer.name not in found:
            found[layer.name] = (layer, tensor)
            todo.extend(layer._inbound_nodes[node].input_tensors)
    return [
        found[layer.name]
        for layer in model.keras.layers
        if layer.name in found and type(layer).__name__ != "InputLayer"
    ]


def _scores(last: Any, output: Any) -> tuple[Any, Any]:
    """Return a tensor of the network, and the function that turns it into the scores before the softmax."""
    import tensorflow as tf

    softmax = getattr(getattr(last, "activation", None), "__name__", type(last).__name__).lower() == "softmax"
    if not softmax:
        return output, lambda p: tf.math.log(p + 1e-12)
    layer, node, _ = output._keras_history
    before = layer._inbound_nodes[node].input_tensors[0]
    if type(last).__name__ == "Dense":
        return before, lambda x: tf.matmul(x, last.kernel) + (last.bias if last.use_bias else 0.0)
    return before, tf.identity  # a Softmax or Activation layer of its own
