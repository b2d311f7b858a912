"""What if? Change the photo or one kernel, and ask the network again. The model itself stays unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS
from cnn_core.models import PetModel
from cnn_core.walk import as_input, is_convolution, run

GRAY = 128
"""The brightness of a covered square: neither dark nor bright."""


class WhatIfError(CnnLabError):
    """A change that cannot be made. The message says why."""


@dataclass(frozen=True, eq=False)
class Answer:
    """A network's answer with one kernel of its first layer replaced."""

    probabilities: dict[str, float]
    feature_map: NDArray[np.float32]
    """(H, W): the feature map that this kernel gives."""


def cover_square(
    image: NDArray[np.uint8], down: float, right: float, size: float
) -> tuple[NDArray[np.uint8], int, int, int]:
    """Cover a square of a photo with gray.

    Parameters
    ----------
    image : (H, W, 3) uint8
    down, right : float
        The center of the square, 0 to 1 of the photo's height and width. The square stays inside the photo.
    size : float
        Its side, 0 to 1 of the photo's shorter side.

    Returns
    -------
    covered : (H, W, 3) uint8
        A copy.
    top, left, side : int
        The square, in pixels.

    References
    ----------
    M. D. Zeiler and R. Fergus, Visualizing and Understanding Convolutional Networks, 2013, arXiv:1311.2901, section
    4.2: cover a part with gray, and see how the probabilities change.

    Examples
    --------
    >>> covered, top, left, side = cover_square(np.zeros((4, 6, 3), np.uint8), down=0.5, right=1, size=0.5)
    >>> print(covered[..., 0], top, left, side)
    [[  0   0   0   0   0   0]
     [  0   0   0   0 128 128]
     [  0   0   0   0 128 128]
     [  0   0   0   0   0   0]] 1 4 2
    """
    height, width = image.shape[:2]
    side = max(1, round(size * min(height, width)))
    top = min(max(round(down * height - side / 2), 0), height - side)
    left = min(max(round(right * width - side / 2), 0), width - side)
    covered = image.copy()
    covered[top : top + side, left : left + side] = GRAY
    return covered, top, left, side


def hot_spot(heat: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return the center of the hottest part of a heat map, (H, W): all that reaches 90 % of its maximum.

    Returns
    -------
    down, right : float
        0 to 1 of the height and of the width. The middle, when the map is all 0.

    Examples
    --------
    >>> hot_spot(np.array([[0, 0, 0, 0, 1.0]]))
    (0.5, 0.9)
    """
    rows, columns = np.nonzero(heat >= max(0.9 * heat.max(), 1e-9)) if heat.any() else np.nonzero(heat == 0)
    return float((rows.mean() + 0.5) / heat.shape[0]), float((columns.mean() + 0.5) / heat.shape[1])


def first_kernels(model: PetModel) -> tuple[str, NDArray[np.float32]]:
    """Return the kernels that look at the photo itself.

    Returns
    -------
    layer : str
        The name of their layer.
    kernels : (height, width, 3, count) float32
        A copy.

    Raises
    ------
    WhatIfError
        When the network's first convolution does not look at three channels with kernels of its own.
    """
    layer = _first(model)
    return layer.name, np.asarray(layer.kernel, np.float32).copy()


def match_norm(values: NDArray[Any], learned: NDArray[Any]) -> NDArray[np.float64]:
    """Turn a kernel for gray images into one for color images, with the norm of a learned one.

    Parameters
    ----------
    values : (height, width) array of float
        Is copied to the three channels and multiplied by one factor.
    learned : (height, width, 3) array of float
        The result has this kernel's Euclidean norm: the root of the sum of the squares.

    Examples
    --------
    >>> match_norm(np.array([[0, 5]]), np.array([[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]])).round(6).tolist()
    [[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]
    """
    kernel = np.repeat(values[..., None].astype(np.float64), 3, axis=-1)
    size = np.linalg.norm(kernel)
    return kernel * (np.linalg.norm(learned) / size if size else 0.0)


def with_kernel(model: PetModel, image: NDArray[np.uint8], number: int, kernel: NDArray[Any] | None = None) -> Answer:
    """Ask a model about a photo with one kernel of its first layer replaced. The model itself stays unchanged.

    Parameters
    ----------
    model : PetModel
    image : (H, W, 3) uint8
    number : int
        Which of :func:`first_kernels`, from 0.
    kernel : (height, width, 3) array of float, optional
        The new numbers; by default the kernel stays as learned.

    Raises
    ------
    WhatIfError
        When there is no such kernel, or the new one has another shape or holds no finite number.
    """
    import keras

    layer = _first(model)
    changed = np.asarray(layer.kernel, np.float32).copy()
    if not 0 <= number < changed.shape[-1]:
        raise WhatIfError(f"The first layer has {changed.shape[-1]} kernels, counted from 0; there is no {number}.")
    if kernel is not None:
        kernel = np.asarray(kernel, np.float32)
        if kernel.shape != changed.shape[:3]:
            raise WhatIfError(f"A kernel of this layer has the shape {changed.shape[:3]}; received {kernel.shape}.")
        if not np.isfinite(kernel).all():
            raise WhatIfError("A cell of the kernel is empty or is not a number. Type one into it, such as 0.")
        changed[..., number] = kernel
    with keras.StatelessScope(state_mapping=[(layer.kernel, keras.ops.convert_to_tensor(changed))]):
        answer, steps = run(model.keras, as_input(model, image))
    probabilities = dict(zip(LABELS, map(float, np.asarray(answer)[0]), strict=True))
    made = next(visit.output for visit in steps if visit.layer is layer)
    return Answer(probabilities, np.asarray(made, np.float32)[0, ..., number])


def _first(model: PetModel) -> Any:
    todo = list(model.keras.layers)
    while todo:
        layer = todo.pop(0)
        if getattr(layer, "layers", None):
            todo = [*layer.layers, *todo]
        elif is_convolution(layer):
            if type(layer).__name__ == "Conv2D" and layer.kernel.shape[2] == 3:
                return layer
            break
    raise WhatIfError(
        f"The first layer of {model.name} has no kernels over the photo's three channels that could be edited. "
        "Choose another model."
    )
