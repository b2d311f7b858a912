"""A weighted sum, what convolution and dense layers have in common: window × kernel, the bias, the activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnn_core.layers.way_back import Index
from cnn_core.pixels import CHANNELS
from cnn_core.sliding.operands import SLIDE

SUMS = ("Conv2D", "DepthwiseConv2D", "Dense")
"""The kinds of layers whose numbers are sums of products and a bias."""

PHOTO = ""
"""Stands for the photo where a layer is named."""

Cell = tuple[int, int, int]
"""One product of a sum: row and column in the window, and which input map, counted from 0."""


class Place(NamedTuple):
    """One number of a layer's output, or of the photo."""

    layer: str
    """Its name in the walk, or `PHOTO`."""
    at: Index
    """(row, column, map), or (number,), from 0."""


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """How one number is made: window × kernel, added up map by map, plus the bias, then the activation.

    A dense layer that receives maps through Flatten has one window, the whole maps; one that receives plain numbers
    has a window of one cell and as many maps as numbers.

    Examples
    --------
    >>> window = np.array([[[1, 2], [3, 4]]], np.float32)  # a window of one row and two columns over two maps
    >>> kernel = np.array([[[1, -1], [0, -2]]], np.float32)
    >>> inside, maps = np.ones((1, 2), bool), (0, 1)
    >>> one = WeightedSum(
    ...     Place("conv", (0, 0, 0)), "Conv2D", 0.0, window, kernel, inside, 0, 0, maps, 0.5, "relu", "pool",
    ...     has_maps=True, of_photo=False,
    ... )
    >>> one.products.tolist(), one.partial_sums.tolist(), one.total
    ([[[1.0, -2.0], [0.0, -8.0]]], [1.0, -10.0], -8.5)
    >>> one.order.tolist(), one.largest(1), one.rest(1)
    ([1, 0], [(0, 1, 1), (0, 0, 1)], 1.0)
    """

    place: Place
    kind: str
    """The layer's class in Keras, one of `SUMS`."""
    value: float
    """The number itself, as the network computed it."""
    window: NDArray[np.float32]
    """(h, w, n): the numbers it is made of; padding is 0."""
    kernel: NDArray[np.float32]
    """(h, w, n): what each of them is multiplied by."""
    inside: NDArray[np.bool_]
    """(h, w): False where the window reaches over the maps' edge, into the padding."""
    top: int
    left: int
    """Row and column of the window's first cell in the input maps; below 0 in the padding."""
    maps: tuple[int, ...]
    """The n input maps, or plain numbers, counted from 0."""
    bias: float
    activation: str
    source: str
    """The layer that gave the input maps or numbers, or `PHOTO`."""
    has_maps: bool
    """Whether the input is feature maps, and not plain numbers."""
    of_photo: bool
    """Whether the input maps are red, green and blue of the photo, at most rescaled."""
    scores: tuple[float, ...] = ()
    """For the activation softmax the sums of all numbers of the layer, which it needs; else empty."""
    apart: tuple[int, int] = (1, 1)
    """How many rows and columns of the input maps lie between neighboring cells: the layer's dilation rate."""

    @property
    def products(self) -> NDArray[np.float64]:
        """(h, w, n): each cell of the window times its cell of the kernel."""
        return self.window.astype(np.float64) * self.kernel

    @property
    def partial_sums(self) -> NDArray[np.float64]:
        """(n,): the sum of the products over the window, for each input map."""
        return np.asarray(self.products.sum(axis=(0, 1)))

    @property
    def total(self) -> float:
        """The partial sums and the bias, added: what the activation receives."""
        return float(self.partial_sums.sum() + self.bias)

    @property
    def order(self) -> NDArray[np.intp]:
        """(n,): which partial sum is the largest in size, which the second, and so on."""
        return np.argsort(-np.abs(self.partial_sums), kind="stable")

    def rest(self, count: int) -> float:
        """Return what all partial sums but the `count` largest add up to."""
        return float(self.partial_sums[self.order[count:]].sum())

    def name(self, which: int) -> str:
        """Return what people call an input: red, map 12, number 5."""
        at = self.maps[which]
        return CHANNELS[at] if self.of_photo else f"{'map' if self.has_maps else 'number'} {at + 1}"

    def source_at(self, cell: Cell) -> Index:
        """Return row, column and map of a cell's number in the input maps; (number,) for plain numbers."""
        row, column, which = cell
        if not self.has_maps:
            return (self.maps[which],)
        return (self.top + self.apart[0] * row, self.left + self.apart[1] * column, self.maps[which])

    def largest(self, which: int, count: int = 8) -> list[Cell]:
        """Return the cells of one input map whose products are the largest in size, padding left out."""
        sizes = np.where(self.inside, np.abs(self.products[..., which]), -1)
        order = np.argsort(-sizes.ravel(), kind="stable")[: min(count, int(self.inside.sum()))]
        return [(int(at) // sizes.shape[1], int(at) % sizes.shape[1], which) for at in order]


def cut(
    layer: Any, maps: NDArray[np.float32], sides: tuple[int, ...], index: Index
) -> tuple[NDArray[np.float32], NDArray[np.bool_], int, int]:
    """Lay a kernel over feature maps, where a layer puts it for one of its numbers.

    Parameters
    ----------
    layer : keras.Layer
        A convolution.
    maps : (H, W, n) float32
        Those that the kernel is applied to.
    sides : (int, int)
        Height and width of the kernel.
    index : tuple of int
        The number of the layer's output, (row, column, map).

    Returns
    -------
    window : (h, w, n) float32
        Padding is 0.
    inside : (h, w) bool
        False in the padding.
    top, left : int
        Row and column of the window's first cell in the maps.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(strides=(2, 2), dilation_rate=(1, 1), padding="same")
    >>> maps = np.arange(9, dtype=np.float32).reshape(3, 3, 1)
    >>> window, inside, top, left = cut(layer, maps, (3, 3), (0, 1, 0))
    >>> print(window[..., 0], inside[0].any(), inside[:, 2].any(), top, left)
    [[0. 0. 0.]
     [1. 2. 0.]
     [4. 5. 0.]] False False -1 1
    """
    places, begins = [], []
    for size, side, stride, apart, at in zip(
        maps.shape, sides, layer.strides, layer.dilation_rate, index, strict=False
    ):
        before, _ = SLIDE.pads(size, (side - 1) * apart + 1, stride, layer.padding)
        begins.append(at * stride - before)
        places.append(begins[-1] + apart * np.arange(side))
    rows, columns = np.meshgrid(*places, indexing="ij")
    inside = (rows >= 0) & (rows < maps.shape[0]) & (columns >= 0) & (columns < maps.shape[1])
    window = np.zeros((*rows.shape, maps.shape[2]), np.float32)
    window[inside] = maps[rows[inside], columns[inside]]
    return window, inside, begins[0], begins[1]
