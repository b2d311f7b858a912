"""Follow one number back: take any number of a convolution or dense layer back to the pixels of the photo.

Such a number is a sum of products and a bias, then the activation. Each product takes one number of the layer before.
Choose one, and `cnn_core.layers.way_back` leads to the next sum, until the path ends at the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnn_core.layers.way_back import Index, is_list_of_maps, step_back
from cnn_core.layers.weighted_sum import PHOTO as PHOTO
from cnn_core.layers.weighted_sum import SUMS, Cell, WeightedSum, cut
from cnn_core.layers.weighted_sum import Place as Place
from cnn_core.models import PetModel
from cnn_core.pixels import CHANNELS
from cnn_core.walk import Strongest, Visit, WalkError, as_input, kernel_values, run


class Passage(NamedTuple):
    """A layer between two sums, on the way back."""

    place: Place
    value: float
    says: str
    """What the layer does with the number."""


@dataclass(frozen=True, eq=False)
class WayBack:
    """Where one number of a sum's window came from."""

    cell: Cell
    place: Place
    """The number itself."""
    value: float
    passages: tuple[Passage, ...]
    """The layers on the way, the last one first."""
    end: Place | None
    """The number to go on with: of another sum, or of the photo. None where the way ends before."""
    pixel: NDArray[np.uint8] | None
    """(3,): red, green and blue where the end is the photo."""
    source_map: NDArray[np.float32] | None
    """(H, W): the input map with the number in it; None for plain numbers."""


@dataclass(frozen=True, eq=False)
class Knot:
    """One stop of a thread: a number, how it is made, and where one number of its window came from."""

    sum: WeightedSum
    way: WayBack
    output_map: NDArray[np.float32] | None
    """(H, W): the map that the number belongs to; None for plain numbers."""
    shape: Index
    """Of the layer's output: (H, W, C) or (N,)."""
    photo: NDArray[np.uint8]
    """(S, S, 3): the photo at the size that the network takes."""
    pixels: NDArray[np.uint8] | None
    """(h, w, 3): where the window looks at the photo itself, its pixels; padding is 0. Else None."""


def starts(kind: str) -> bool:
    """Tell whether a thread can start in a layer of this class of Keras.

    Examples
    --------
    >>> starts("Conv2D"), starts("MaxPooling2D")
    (True, False)
    """
    return kind in SUMS


def first_place(found: Strongest, at: int) -> Place:
    """Return the largest number of the map `found.numbers[at]`, or that number itself where there are no maps.

    Examples
    --------
    >>> maps = np.array([[[0, 1], [3, -5]]], np.float32)
    >>> first_place(Strongest("conv", 8, (6,), np.ones(1, np.float32), maps, (None,)), 0)
    Place(layer='conv', at=(1, 0, 6))
    """
    values = found.values[at]
    if values.ndim != 2:
        return Place(found.layer, (found.numbers[at],))
    row, column = (int(side) for side in np.unravel_index(int(values.argmax()), values.shape))
    return Place(found.layer, (row, column, found.numbers[at]))


def follow(
    model: PetModel,
    image: NDArray[np.uint8],
    place: Place,
    which: int | None = None,
    cell: tuple[int, int] | None = None,
) -> Knot:
    """Take one number of a convolution or dense layer apart, and follow one number of its window back.

    Parameters
    ----------
    model : PetModel
    image : (H, W, 3) uint8
    place : Place
        A number of a layer of one of the kinds `SUMS`.
    which : int, optional
        Which input map to follow, counted in `WeightedSum.maps`. By default the one with the largest partial sum.
    cell : (int, int), optional
        Row and column in its window. By default where the product is largest.

    Returns
    -------
    Knot
        Its numbers are the network's own.

    Raises
    ------
    WalkError
        When the network has no such number, or a layer of that kind makes no plain sums.
    """
    return Trail(model, image).knot(place, which, cell)


class Trail:
    """What a network makes of a photo, layer by layer: computed once for all the numbers that are followed.

    Parameters
    ----------
    model : PetModel
    image : (H, W, 3) uint8
    """

    def __init__(self, model: PetModel, image: NDArray[np.uint8]) -> None:
        x = as_input(model, image)
        visits = run(model.keras, x)[1]
        self.visits = {visit.name: visit for visit in visits}
        self.pixels = x[0]
        # A layer that does nothing here, such as Dropout, returns its input itself: it gave nothing.
        self.before = {
            id(visit.output): visit
            for visit in reversed(visits)
            if all(visit.output is not tensor for tensor in visit.inputs)
        }

    def knot(self, place: Place, which: int | None = None, cell: tuple[int, int] | None = None) -> Knot:
        """Take one number apart, and follow one number of its window back, as `follow` does."""
        visit = self._sum_at(place)
        one = self._weighted_sum(visit, place)
        which = int(one.order[0]) if which is None else which
        if not 0 <= which < len(one.maps):
            raise WalkError(
                f"This sum has {len(one.maps):,} inputs, counted from 0; there is no {which}. Choose another."
            )
        at = one.largest(which, 1)[0] if cell is None else (*cell, which)
        height, width = one.inside.shape
        if not (0 <= at[0] < height and 0 <= at[1] < width and one.inside[at[:2]]):
            raise WalkError(f"The window has no number at row {at[0]}, column {at[1]}. Choose another cell.")
        output = _values(visit.output)
        output_map = output[..., place.at[-1]] if output.ndim == 3 else None
        pixels = None
        if one.of_photo:
            pixels = cut(visit.layer, self.pixels, one.inside.shape, place.at)[0].astype(np.uint8)
        photo = self.pixels.astype(np.uint8)
        return Knot(one, self._way_back(visit, one, at), output_map, output.shape, photo, pixels)

    def _sum_at(self, place: Place) -> Visit:
        visit = self.visits.get(place.layer)
        if visit is None:
            raise WalkError(
                f"The network has no layer called “{place.layer}”. Choose one of: {', '.join(self.visits)}."
            )
        if type(visit.layer).__name__ not in SUMS:
            raise WalkError(
                f"“{place.layer}” is a {type(visit.layer).__name__} layer, whose numbers are not sums of products. "
                f"Choose a layer of one of these kinds: {', '.join(SUMS)}."
            )
        shape = _values(visit.output).shape
        if len(shape) != len(place.at) or not all(0 <= at < side for at, side in zip(place.at, shape, strict=True)):
            raise WalkError(
                f"The output of “{place.layer}” has the shape {shape}, so none of its numbers is at {place.at}."
            )
        return visit

    def _weighted_sum(self, visit: Visit, place: Place) -> WeightedSum:
        layer, kind, values = visit.layer, type(visit.layer).__name__, _values(visit.inputs[0])
        given = self.before.get(id(visit.inputs[0]))
        number, has_maps, top, left, apart = place.at[-1], values.ndim == 3, 0, 0, (1, 1)
        scores: tuple[float, ...] = ()
        if kind == "Dense":
            weights = np.asarray(layer.kernel, np.float32)
            window, kernel, shape = values[place.at[:-1]], weights[:, number], (1, 1, weights.shape[0])
            if layer.activation.__name__ == "softmax":
                biases = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(weights.shape[1])
                scores = tuple(map(float, window.astype(np.float64) @ weights + biases))
            if has_maps:
                top, left = place.at[:2]
            elif given is not None and is_list_of_maps(given.layer, _values(given.inputs[0]), values):
                has_maps, shape = True, given.inputs[0].shape[1:]
                given = self.before.get(id(given.inputs[0]))
            window, kernel = window.reshape(shape), kernel.reshape(shape)
            inside, maps = np.ones(window.shape[:2], np.bool_), tuple(range(window.shape[2]))
        else:
            kernel, maps = kernel_values(layer, number, values.shape[-1])
            window, inside, top, left = cut(layer, values[..., list(maps)], kernel.shape[:2], place.at)
            apart = tuple(layer.dilation_rate)
        return WeightedSum(
            place, kind, float(_values(visit.output)[place.at]), window, kernel, inside, top, left, maps,
            float(layer.bias[number]) if layer.use_bias else 0.0, layer.activation.__name__,
            PHOTO if given is None else given.name, has_maps,
            kind != "Dense" and len(maps) == len(CHANNELS) == values.shape[-1] and self._is_photo(given), scores, apart,
        )  # fmt: skip

    def _is_photo(self, visit: Visit | None) -> bool:
        """Tell whether the output of a layer is the photo's own channels, at most rescaled."""
        while visit is not None:
            if type(visit.layer).__name__ != "Rescaling":
                return False
            visit = self.before.get(id(visit.inputs[0]))
        return True

    def _way_back(self, visit: Visit, one: WeightedSum, cell: Cell) -> WayBack:
        tensor, index, source_map = visit.inputs[0], one.source_at(cell), None
        start = Place(one.source, index)
        if len(tensor.shape) == 4:
            source_map = _values(tensor)[..., index[-1]]
        elif one.has_maps:  # they came as one list
            source_map = one.window[..., cell[-1]]
            index = (int(np.ravel_multi_index(cell, one.window.shape)),)
        passages: list[Passage] = []
        while (given := self.before.get(id(tensor))) is not None and type(given.layer).__name__ not in SUMS:
            output = _values(given.output)
            back = step_back(given.layer, index, [_values(tensor) for tensor in given.inputs], output)
            passages.append(Passage(Place(given.name, index), float(output[index]), back.says))
            if back.at is None:
                return WayBack(cell, start, float(one.window[cell]), tuple(passages), None, None, source_map)
            tensor, index = given.inputs[back.which], back.at
        end = Place(PHOTO if given is None else given.name, index)
        pixel = self.pixels[index[:2]].astype(np.uint8) if given is None and len(index) == 3 else None
        return WayBack(cell, start, float(one.window[cell]), tuple(passages), end, pixel, source_map)


def _values(tensor: Any) -> NDArray[np.float32]:
    """Return what a layer gave for the one photo, (H, W, C) or (N,)."""
    values: NDArray[np.float32] = np.asarray(tensor, np.float32)[0]
    return values
