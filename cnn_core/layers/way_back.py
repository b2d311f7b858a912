"""The way back through the layers between two sums: which number of a layer's input a number of its output came from.

Each kind of layer has its rule. A rule says in one sentence what the layer does there, with the numbers themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnn_core.pooling import windows
from cnn_core.wording import number

Index = tuple[int, ...]
"""(row, column, map) of a feature map, (number,) of plain numbers, all counted from 0."""

FEW = 16
"""Up to so many numbers of a window are written out."""

END = (
    "{} computes this number from several others, but not as a simple sum of products. So the path cannot be written "
    "as one line of arithmetic, and ends here."
)


class StepBack(NamedTuple):
    """One layer on the way back."""

    says: str
    """What the layer does with the number, in one or two sentences."""
    at: Index | None
    """The number of its input to go on with; None where the way ends."""
    which: int = 0
    """Which of the layer's inputs it is, where it has several."""


def step_back(layer: Any, index: Index, inputs: list[NDArray[np.float32]], output: NDArray[np.float32]) -> StepBack:
    """Go back through one layer.

    Parameters
    ----------
    layer : keras.Layer
        Any but a convolution and a dense layer, whose numbers are sums of products.
    index : tuple of int
        A number of its output.
    inputs : list of ndarray of float32
        What it received, each (H, W, C) or (N,).
    output : ndarray of float32
        What it made of that.

    Returns
    -------
    StepBack

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> Flatten = type("Flatten", (SimpleNamespace,), {})
    >>> values = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    >>> step_back(Flatten(), (7,), [values], values.ravel())
    StepBack(says='Flatten writes all maps as one list. Number 8 of the list is row 1, column 0 of map 2.',
             at=(1, 0, 1), which=0)
    """
    kind = type(layer).__name__
    if len(inputs) == 1:
        if kind in _RULES:
            return _RULES[kind](layer, index, inputs[0], output)
        if inputs[0].shape == output.shape and np.array_equal(inputs[0], output):
            return StepBack(f"{kind} changes nothing here: it is only active during training.", index)
    elif kind == "Add" and all(one.shape == output.shape for one in inputs):
        return _add(index, inputs, output)
    return StepBack(END.format(kind), None)


def place(index: Index) -> str:
    """Say where a number is: rows and columns counted from 0, maps and plain numbers from 1, as on all pages.

    Examples
    --------
    >>> place((30, 17, 11)), place((4,))
    ('row 30, column 17 of map 12', 'number 5')
    """
    return f"number {index[0] + 1}" if len(index) == 1 else f"row {index[0]}, column {index[1]} of map {index[2] + 1}"


def signed(value: float) -> str:
    """Write a number that is added.

    Examples
    --------
    >>> signed(2.5), signed(-0.25)
    ('+ 2.5', '− 0.25')
    """
    return f"{'−' if value < 0 else '+'} {number(abs(value))}"


def _pointwise(layer: Any, index: Index, before: NDArray[np.float32], after: NDArray[np.float32]) -> StepBack:
    kind = type(layer).__name__
    name = getattr(getattr(layer, "activation", None), "__name__", kind) if kind == "Activation" else kind
    if name.lower() == "softmax":
        says = (
            f"The softmax turns all scores together into shares whose sum is 1. This number had the score "
            f"{number(before[index])}."
        )
        return StepBack(says, index)
    return StepBack(f"{name} makes {number(after[index])} of {number(before[index])}, at the same place.", index)


def _affine(
    title: str, factor: NDArray[np.float64], shift: NDArray[np.float64], index: Index, before: Any, after: Any
) -> StepBack:
    by, plus = (
        float(np.broadcast_to(values, before.shape[-1:] if values.ndim < 2 else before.shape)[index[-1:]])
        for values in (factor, shift)
    )
    added = f" {signed(plus)}" if plus else ""
    adds = " and adds another" if plus else ""
    return StepBack(
        f"{title} multiplies by a fixed number{adds}: {number(before[index])} × {number(by)}{added} = "
        f"{number(after[index])}.",
        index,
    )


def _rescaling(layer: Any, index: Index, before: NDArray[np.float32], after: NDArray[np.float32]) -> StepBack:
    scale, offset = np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64)
    return _affine("Rescaling", scale, offset, index, before, after)


def _batch_normalization(layer: Any, index: Index, before: NDArray[np.float32], after: NDArray[np.float32]) -> StepBack:
    channels = before.shape[-1]
    if layer.axis not in (-1, before.ndim):
        return StepBack(END.format("BatchNormalization"), None)
    gamma = np.asarray(layer.gamma, np.float64) if layer.scale else np.ones(channels)
    beta = np.asarray(layer.beta, np.float64) if layer.center else np.zeros(channels)
    factor = gamma / np.sqrt(np.asarray(layer.moving_variance, np.float64) + layer.epsilon)
    shift = beta - factor * np.asarray(layer.moving_mean, np.float64)
    title = "Batch normalization"
    return _affine(title, factor, shift, index, before, after)


def _window(layer: Any, index: Index, before: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """Return top, left, bottom, right of the part of the map that a pooling layer looks at, without padding."""
    height, width = before.shape[:2]
    if type(layer).__name__.startswith("Global"):
        return 0, 0, height, width
    edges = windows(height, width, tuple(layer.pool_size), tuple(layer.strides), layer.padding)[index[:2]]
    top, left, bottom, right = (int(edge) for edge in edges)
    return top, left, bottom, right


def _pooling(layer: Any, index: Index, before: NDArray[np.float32], after: NDArray[np.float32]) -> StepBack:
    top, left, bottom, right = _window(layer, index, before)
    values = before[top:bottom, left:right, index[-1]]
    row, column = (int(at) for at in np.unravel_index(int(values.argmax()), values.shape))
    found = (top + row, left + column, index[-1])
    all_of_them = f"the {values.size} numbers of its window"
    if values.size <= FEW:
        all_of_them += f" ({', '.join(number(float(value)) for value in values.ravel())})"
    largest = number(before[found])
    if "Max" in type(layer).__name__:
        says = f"Max pooling keeps the largest of {all_of_them}: {largest}, at {place(found)}."
    else:
        says = (
            f"Average pooling takes the mean of {all_of_them}: {number(after[index])}. Continue with the largest of "
            f"them, {largest}, at {place(found)}."
        )
    return StepBack(says, found)


def _flatten(layer: Any, index: Index, before: NDArray[np.float32], after: NDArray[np.float32]) -> StepBack:
    at = int(np.ravel_multi_index(index, after.shape))
    found = tuple(int(side) for side in np.unravel_index(at, before.shape))
    if len(index) != 1:
        return StepBack(f"Reshape writes the same numbers in another order: this one is {place(found)}.", found)
    return StepBack(
        f"{type(layer).__name__} writes all maps as one list. Number {at + 1:,} of the list is {place(found)}.", found
    )


def _zero_padding(layer: Any, index: Index, before: NDArray[np.float32], _: NDArray[np.float32]) -> StepBack:
    (top, _bottom), (left, _right) = layer.padding
    row, column = index[0] - top, index[1] - left
    if not (0 <= row < before.shape[0] and 0 <= column < before.shape[1]):
        return StepBack("This is one of the zeros that the padding puts around the map. The path ends here.", None)
    found = (row, column, index[2])
    return StepBack(f"Zero padding puts zeros around the map. Without them this is {place(found)}.", found)


def _cropping(layer: Any, index: Index, _before: NDArray[np.float32], _: NDArray[np.float32]) -> StepBack:
    (top, _bottom), (left, _right) = layer.cropping
    found = (index[0] + top, index[1] + left, index[2])
    return StepBack(f"Cropping cuts off the map's edge. Before it this was {place(found)}.", found)


def _add(index: Index, inputs: list[NDArray[np.float32]], output: NDArray[np.float32]) -> StepBack:
    values = [float(one[index]) for one in inputs]
    which = int(np.argmax(np.abs(values)))
    written = " ".join([number(values[0]), *map(signed, values[1:])])
    says = (
        f"Add takes the numbers at the same place of {len(inputs)} layers: {written} = {number(output[index])}. "
        f"Continue with {number(values[which])}."
    )
    return StepBack(says, index, which)


_Rule = Callable[[Any, Index, NDArray[np.float32], NDArray[np.float32]], StepBack]
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"), _pointwise),
    **dict.fromkeys(("MaxPooling2D", "GlobalMaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D"), _pooling),
    **dict.fromkeys(("Flatten", "Reshape"), _flatten),
    "Rescaling": _rescaling,
    "BatchNormalization": _batch_normalization,
    "ZeroPadding2D": _zero_padding,
    "Cropping2D": _cropping,
}


def is_list_of_maps(layer: Any, before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Return whether a layer writes feature maps, (H, W, C), as one list of numbers."""
    return type(layer).__name__ in ("Flatten", "Reshape") and before.ndim == 3 and after.ndim == 1
