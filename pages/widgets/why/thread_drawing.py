"""One stop of a thread as it is drawn: every text and number on screen, for the lab and for the page without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_core.dataset import LABELS
from cnn_core.figures.colors import zero_centered
from cnn_core.layers.way_back import place as where
from cnn_core.layers.way_back import signed
from cnn_core.layers.weighted_sum import PHOTO
from cnn_core.wording import number
from pages.widgets import screen_image

if TYPE_CHECKING:
    from cnn_core.layers.weighted_sum import Place, WeightedSum
    from cnn_core.thread import Knot

MOST_BARS = 64
MOST_TERMS = 9
"""Of a longer sum only some terms are written out."""

TABLE_SIDE = 7
"""A larger window is drawn as pictures, not as tables of numbers."""

_TITLES = {"relu": "ReLU", "relu6": "ReLU6", "elu": "ELU", "selu": "SELU", "gelu": "GELU"}


def drawing(knot: Knot, path: list[dict[str, Any]], classes: str = "") -> dict[str, Any]:
    """Describe the last of a thread's stops, and the way to it. The numbers of the layer `classes` are cat and dog."""
    one, way = knot.sum, knot.way
    return {
        "path": [*path[:-1], {**path[-1], "which": way.cell[-1], "cell": list(way.cell[:2])}],
        "crumbs": [_short(stop["layer"], stop["at"], classes) for stop in path],
        "photo_reached": way.pixel is not None,
        "title": f"{_title(one.place, classes)}: {number(one.value)}",
        "shape": list(knot.shape),
        "at": list(one.place.at),
        "total": total_line(one),
        "added": added(one),
        "heading": f"The {'partial sums' if one.has_maps else 'products'}, largest first" if len(one.maps) > 1 else "",
        "bars": [
            {"which": int(at), "name": one.name(at), "sum": float(one.partial_sums[at])} for at in one.order[:MOST_BARS]
        ],
        "rest": _rest(one),
        "map": _picture(knot.output_map),
        "part": _part(knot),
        "way": _way(knot),
    }


def _short(layer: str, at: list[int], classes: str) -> str:
    if len(at) == 3:
        return f"{layer}, map {at[2] + 1} ({at[0]}, {at[1]})"
    return f"{layer}, {LABELS[at[0]] if layer == classes else where(tuple(at))}"


def _title(place: Place, classes: str) -> str:
    return f"{place.layer}, {LABELS[place.at[0]] if place.layer == classes else where(place.at)}"


def _rest(one: WeightedSum) -> str:
    left = len(one.maps) - MOST_BARS
    return f"The other {left:,} partial sums add up to {number(one.rest(MOST_BARS))}." if left > 0 else ""


def added(one: WeightedSum) -> str:
    """Say what the sum is made of, in one or two sentences."""
    count = len(one.maps)
    if not one.has_maps:
        return f"These {count:,} products and the bias are added. Each is one number of {one.source} times its weight."
    if count == 1:
        return "There is one partial sum: this kernel reads one map only. The bias is added to it."
    text = f"These {count:,} partial sums and the bias are added."
    if one.kind == "Dense" and one.window.shape[:2] != (1, 1):
        text += f" Each is the sum over all {one.inside.size:,} places of one map."
    return text


def total_line(one: WeightedSum) -> str:
    """Write the sum out, the largest partial sums first: 0.31 (map 5) + … + bias 0.02 = 0.33 → ReLU 0.33."""
    shown = [int(at) for at in one.order[: len(one.maps) if len(one.maps) <= 4 else 3]]
    terms = [f"{signed(one.partial_sums[at])} ({one.name(at)})" for at in shown]
    if len(shown) < len(one.maps):
        terms.append(f"{signed(one.rest(len(shown)))} (the other {len(one.maps) - len(shown):,})")
    terms.append(f"{'−' if one.bias < 0 else '+'} bias {number(abs(one.bias))}")
    written = " ".join(terms).removeprefix("+ ").replace("− ", "−", 1 if terms[0].startswith("−") else 0)
    return f"{written} = {number(one.total)}{_after(one)}"


def _after(one: WeightedSum) -> str:
    """Write what the activation makes of the sum."""
    if one.activation == "linear":
        return ""
    if one.activation != "softmax":
        return f" → {_TITLES.get(one.activation, one.activation)} {number(one.value)}"
    from cnn_core.explain import softmax

    steps = softmax({str(at): score for at, score in enumerate(one.scores)})
    mine, powers = str(one.place.at[-1]), steps.powers
    written = " + ".join(f"e^({number(exponent)})" for exponent in steps.exponents.values())
    return (
        f", the score before the softmax → softmax e^({number(steps.exponents[mine])}) / ({written}) = "
        f"{number(powers[mine])} / {number(sum(powers.values()))} = {number(one.value)}"
    )


def _part(knot: Knot) -> dict[str, Any]:
    """Describe the partial sum that was chosen: window × kernel = products, as tables or as pictures."""
    one, (row, column, which) = knot.sum, knot.way.cell
    name, products = one.name(which), one.products[..., which]
    window, kernel, inside = one.window[..., which], one.kernel[..., which], one.inside
    height, width = inside.shape
    source = "" if one.of_photo else f" of {one.source}" if one.source else " of the photo"
    part: dict[str, Any] = {
        "which": which, "cell": [row, column],
        "title": f"{name.capitalize()}{source}: {number(one.partial_sums[which])}",
        "name": name + source, "captions": _captions(one, name + source),
        "line": _partial_line(one, which), "tables": max(height, width) <= TABLE_SIDE,
        "cells": [_cell(knot, cell) for cell in one.largest(which)],
    }  # fmt: skip
    if part["tables"]:
        part |= {
            "window": window.tolist(), "kernel": kernel.tolist(), "products": products.tolist(),
            "inside": inside.tolist(), "pixels": None if knot.pixels is None else knot.pixels[..., which].tolist(),
            "places": [[_where(one.source_at((i, j, which))) for j in range(width)] for i in range(height)],
        }  # fmt: skip
    else:
        part |= {"pictures": [_picture(values) for values in (window, kernel, products)], "size": [height, width]}
    return part


def _captions(one: WeightedSum, name: str) -> list[str]:
    if not one.has_maps:
        return [name[0].upper() + name[1:], "Weight", "Product"]
    if max(one.inside.shape) > TABLE_SIDE:
        return [name[0].upper() + name[1:], "Weights", "Products"]
    window = f"Window of {name}"
    return [
        "Rescaled: the window" if one.of_photo else window,
        "Kernel",
        "Products" if one.inside.size > 1 else "Product",
    ]


def _cell(knot: Knot, cell: tuple[int, int, int]) -> dict[str, Any]:
    one = knot.sum
    row, column, _ = cell
    text = (
        f"{number(float(one.window[cell]))} · {number(float(one.kernel[cell]))} = {number(float(one.products[cell]))}"
    )
    where = _where(one.source_at(cell))
    return {"cell": [row, column], "text": f"{where}: {text}" if where else text}


def _where(index: tuple[int, ...]) -> str:
    return f"row {index[0]}, column {index[1]}" if len(index) == 3 else ""


def _partial_line(one: WeightedSum, which: int) -> str:
    """Write a partial sum out, window · kernel: 0.31·0.12 − 0.2·0.4 + … = 0.21."""
    count = one.inside.size
    cells = [(i, j, which) for i, j in np.ndindex(one.inside.shape)] if count <= MOST_TERMS else one.largest(which, 4)
    terms = []
    for at, cell in enumerate(cells):
        value, weight = float(one.window[cell]), float(one.kernel[cell])
        sign = ("−" if weight < 0 else "") if at == 0 else ("− " if weight < 0 else "+ ")
        written = f"({number(value)})" if value < 0 else number(value)
        terms.append(f"{sign}{written}·{number(abs(weight))}")
    more = f" + … ({count - len(cells):,} more products)" if count > len(cells) else ""
    return f"{' '.join(terms)}{more} = {number(one.partial_sums[which])}"


def _way(knot: Knot) -> dict[str, Any]:
    """Describe where the chosen number came from, and what to go on with."""
    one, way = knot.sum, knot.way
    which = way.cell[-1]
    source = way.place.layer or "the photo"
    name = one.name(which) if one.of_photo else where(way.place.at)
    shown: dict[str, Any] = {
        "title": f"Where {number(way.value)} comes from",
        "begins": f"{number(way.value)} is {name} of {source}." if not one.of_photo
        else f"{number(way.value)} is the {name} value at {_where(way.place.at)} of {source}.",
        "says": [f"{passage.place.layer}: {passage.says}" for passage in way.passages],
        "source": None if one.has_maps and way.source_map is None else _picture(way.source_map),
        "source_name": f"{'The channel ' if one.of_photo else ''}{one.name(which)} of {source}",
        **_frame(knot), "go": None, "pixel": None,
    }  # fmt: skip
    if way.pixel is not None and way.end is not None:
        red, green, blue = way.pixel.tolist()
        shown["pixel"] = {"row": way.end.at[0], "column": way.end.at[1], "rgb": [red, green, blue]}
        shown["ends"] = (
            f"This is the photo, {knot.photo.shape[0]} × {knot.photo.shape[1]} pixels for the network. Its pixel in "
            f"{_where(way.end.at)} is red {red}, green {green}, blue {blue}, each from 0 to 255. The path ends here."
        )
    elif way.end is not None and way.end.layer != PHOTO:
        shown["go"] = {
            "text": f"Continue to {way.end.layer}, {where(way.end.at)}",
            "layer": way.end.layer,
            "at": list(way.end.at),
        }
    return shown


def _frame(knot: Knot) -> dict[str, Any]:
    """Return top, left, height and width of what is framed in the input map: the window, or in it the number."""
    one, way = knot.sum, knot.way
    if one.kind == "Dense":  # its window is the whole map
        return {"frame": [*way.place.at[:2], 1, 1], "framed": "number"}
    height, width = ((side - 1) * apart + 1 for side, apart in zip(one.inside.shape, one.apart, strict=True))
    return {"frame": [one.top, one.left, height, width], "framed": "window"}


def _picture(values: np.ndarray | None) -> dict[str, Any] | None:
    """Return a map as it is shown: a picture in base64, zero in the middle of the scale, and the scale's end."""
    if values is None:
        return None
    colors, limit = zero_centered(values, float(np.abs(values).max()) or 1.0)
    return {
        "file": screen_image.exact(colors), "height": values.shape[0], "width": values.shape[1],
        "limit": limit, "says": f"{number(float(values.min()))} to {number(float(values.max()))}",
    }  # fmt: skip
