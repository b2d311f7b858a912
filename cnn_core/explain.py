"""Why a network gives its answer: its layers' feature maps, the heat map of the photo (Grad-CAM), the two scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS
from cnn_core.figures.colors import HEAT_COLORS
from cnn_core.models import PetModel
from cnn_core.walk import Visit, as_input, is_convolution, run

PART_OF_CONVOLUTION = ("Activation", "BatchNormalization", "ELU", "LeakyReLU", "PReLU", "ReLU")
"""Layers whose output counts as the output of the convolution before them."""


class ExplainError(CnnLabError):
    """A layer or class that the model does not have."""


@dataclass(frozen=True)
class Softmax:
    """How two scores become two probabilities: p(cat) = e^cat / (e^cat + e^dog)."""

    scores: dict[str, float]
    """What the network gives for cat and for dog before the softmax: any numbers."""
    shift: float
    """Is subtracted from both scores first, which changes no share; 0 unless a power would be too large to write."""
    powers: dict[str, float]
    """e to each of `exponents`: positive numbers."""
    probabilities: dict[str, float]
    """Each power as a share of their sum."""
    network_ends_in_softmax: bool = True
    """Otherwise the scores are the logarithms of the probabilities, from which the softmax makes the same ones."""
    calibrated: bool = False
    """Whether the scores were divided by a temperature: `cnn_core.accurate.recipe` does so within its last layer."""

    @property
    def exponents(self) -> dict[str, float]:
        """The scores less `shift`."""
        return {label: score - self.shift for label, score in self.scores.items()}


LARGEST_SCORE = 30.0
"""Beyond it `softmax` subtracts the larger score from both."""

CALIBRATED = "accurate"
"""The name in Keras of the networks that `cnn_core.accurate.recipe` builds."""


def softmax(scores: dict[str, float]) -> Softmax:
    """Turn the scores of the classes into probabilities, with every number on the way.

    Examples
    --------
    >>> steps = softmax({"cat": 2.0, "dog": 0.0})
    >>> {label: round(power, 2) for label, power in steps.powers.items()}
    {'cat': 7.39, 'dog': 1.0}
    >>> {label: round(share, 3) for label, share in steps.probabilities.items()}
    {'cat': 0.881, 'dog': 0.119}
    """
    shift = max(scores.values()) if max(map(abs, scores.values())) > LARGEST_SCORE else 0.0
    powers = {label: math.exp(score - shift) for label, score in scores.items()}
    shares = {label: power / sum(powers.values()) for label, power in powers.items()}
    return Softmax(scores, shift, powers, shares)


def scores(model: PetModel, image: NDArray[np.uint8]) -> Softmax:
    """Return the scores that a network gives a photo before its softmax, and how they become its probabilities.

    Parameters
    ----------
    model : PetModel
    image : (H, W, 3) uint8

    Returns
    -------
    Softmax
        Its probabilities are those of `PetModel.classify`, but for rounding.
    """
    reasons = model.reasons(image)
    if reasons is not None:
        found, softmax_at_end = reasons.scores, True
    else:
        answer, visits = run(model.keras, as_input(model, image))
        found, softmax_at_end = np.asarray(before_softmax(answer, visits))[0], ends_in_softmax(answer, visits)
    return replace(
        softmax(dict(zip(LABELS, map(float, found), strict=True))),
        network_ends_in_softmax=softmax_at_end,
        calibrated=model.network == CALIBRATED,
    )


def layers(model: PetModel) -> list[str]:
    """Return the names of the layers that give feature maps, (H, W, C), in order."""
    black = np.zeros((1, model.input_size, model.input_size, 3), np.float32)
    return [visit.name for visit in run(model.keras, black)[1] if len(visit.output.shape) == 4]


def feature_maps(model: PetModel, image: NDArray[np.uint8], layer: str) -> NDArray[np.float32]:
    """Return the feature maps that `layer` computes from a photo.

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
    visits = run(model.keras, as_input(model, image))[1]
    maps = {visit.name: visit.output for visit in visits if len(visit.output.shape) == 4}
    if layer not in maps:
        raise ExplainError(f"The model {model.name} has no feature maps called “{layer}”. It has: {', '.join(maps)}.")
    return np.asarray(maps[layer][0], np.float32)


def heat_map(model: PetModel, image: NDArray[np.uint8], label: str) -> NDArray[np.float32]:
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
        0 to 1, at the photo's own size (bilinear). All 0 when nothing in the photo speaks for `label`.

    Raises
    ------
    ExplainError
        For an unknown label, or a model without a convolution.

    References
    ----------
    R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017,
    arXiv:1610.02391, equations 1 and 2.
    """
    return enlarged(evidence(model, image, label), *image.shape[:2])


def evidence(model: PetModel, image: NDArray[np.uint8], label: str) -> NDArray[np.float32]:
    """Return the heat map as the network gives it: a number for each place of its last maps, before `enlarged`.

    Parameters and errors as for `heat_map`.

    Returns
    -------
    (H', W') float32
        0 to 1.
    """
    if label not in LABELS:
        raise ExplainError(f"The classes are cat and dog; received “{label}”.")
    reasons = model.reasons(image)
    heat = grad_cam(model, image, [label])[0][0] if reasons is None else reasons.heat[..., LABELS.index(label)]
    return scaled(heat)


def scaled(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a heat map whose maximum is 1; one of zeros stays as it is.

    Examples
    --------
    >>> scaled(np.array([[0.0, 2.0]])).tolist(), scaled(np.zeros((1, 2))).tolist()
    ([[0.0, 1.0]], [[0.0, 0.0]])
    """
    return heat / heat.max() if heat.max() > 0 else heat


def enlarged(heat: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return a heat map, (H', W') float32 of 0 to 1, at the size of the photo it is laid over (bilinear).

    Examples
    --------
    >>> enlarged(np.array([[0.0, 1.0]], np.float32), 1, 4).tolist()
    [[0.0, 0.25, 0.75, 1.0]]
    """
    return np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR)).clip(0, 1)


def grad_cam(
    model: PetModel, image: NDArray[np.uint8], labels: Sequence[str]
) -> tuple[list[NDArray[np.float32]], Any, list[Visit]]:
    """Run a model's Keras network once, and look where the evidence for each label lies, with TensorFlow's gradients.

    Parameters and errors as for `heat_map`.

    Returns
    -------
    heat : list of (H', W') float32
        One for each label, at the size of the network's last maps, not scaled.
    answer, visits
        As `walk.run` returns them.
    """
    import tensorflow as tf

    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:

        def watch(visit: Visit) -> None:
            if is_convolution(visit.layer) or type(visit.layer).__name__ in PART_OF_CONVOLUTION:
                tape.watch(visit.output)

        answer, visits = run(model.keras, as_input(model, image), watch)
        scores = before_softmax(answer, visits)[0]
        asked = [scores[LABELS.index(label)] for label in labels]
    maps = last_maps(visits)
    if maps is None:
        raise ExplainError(f"The model {model.name} has no convolution layer, so there is no heat map for it.")
    weights = [tf.reduce_mean(tape.gradient(y, maps), axis=(1, 2), keepdims=True) for y in asked]
    heat = [np.asarray(tf.nn.relu(tf.reduce_sum(weight * maps, axis=-1))[0]) for weight in weights]
    return heat, answer, visits


def overlay(image: NDArray[np.uint8], heat: NDArray[np.floating[Any]], opacity: float = 0.5) -> NDArray[np.uint8]:
    """Lay a heat map over its photo, in matplotlib's Inferno: dark is 0, bright yellow is 1.

    Inferno's lightness grows evenly with the value, so color-blind people and gray prints show the same order.

    Parameters
    ----------
    image : (H, W, 3) uint8
    heat : (H', W') float, 0 to 1
        Of the photo's size, or smaller; then it is enlarged (bilinear).
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
    steps = Image.fromarray(np.rint(heat * 255).astype(np.uint8)).resize(image.shape[1::-1], Image.Resampling.BILINEAR)
    steps.putpalette(HEAT_COLORS.tobytes())
    return np.asarray(Image.blend(Image.fromarray(image), steps.convert("RGB"), opacity))


def last_maps(visits: list[Visit]) -> Any:
    """Return the maps of the last convolution, after the activation that follows it."""
    maps = None
    for visit in visits:
        follows = type(visit.layer).__name__ in PART_OF_CONVOLUTION and visit.inputs[0] is maps
        if is_convolution(visit.layer) or follows:
            maps = visit.output
    return maps


def before_softmax(answer: Any, visits: list[Visit]) -> Any:
    """Return the network's scores before the softmax, (1, 2), as a function of what its last layer received."""
    import tensorflow as tf

    last = _last(answer, visits)
    if not _is_softmax(last.layer):
        return tf.math.log(answer + 1e-12)
    if type(last.layer).__name__ == "Dense":
        return tf.matmul(last.inputs[0], last.layer.kernel) + (last.layer.bias if last.layer.use_bias else 0.0)
    return last.inputs[0]  # a Softmax or Activation layer of its own


def ends_in_softmax(answer: Any, visits: list[Visit]) -> bool:
    """Return whether a softmax gave the network's answer."""
    return _is_softmax(_last(answer, visits).layer)


def _last(answer: Any, visits: list[Visit]) -> Visit:
    return next((visit for visit in visits if visit.output is answer), visits[-1])


def _is_softmax(layer: Any) -> bool:
    name = getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__)
    return str(name).lower() == "softmax"
