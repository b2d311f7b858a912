"""The app's colors, and numbers turned into colors. Safe for color-blind eyes; nothing here needs Plotly.

A signed map (a kernel, a feature map) is always shown on a scale whose middle is zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CAT, DOG = "#0072B2", "#D55E00"
"""Okabe and Ito's blue and vermilion: the two classes, on every page."""

TRAINING, TEST = "#009E73", "#CC79A7"
"""Okabe and Ito's green and purple: the two sets that a training curve compares."""

RUNS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#999999")
"""One color per run: Okabe and Ito's palette, with brown for their yellow, which is hard to see on white."""

LAYERS = {
    "Rescaling": "#999999",
    "Conv2D": "#0072B2",
    "MaxPooling2D": "#D55E00",
    "Flatten": "#CC79A7",
    "Dense": "#009E73",
}
"""One of Okabe and Ito's colors per type of layer."""

NEGATIVE, POSITIVE = "#2166AC", "#B2182B"
"""A blue and a red of `RED_BLUE`, for the bars of a chart."""

BLACKENED, WHITENED = "#595959", "#A6A6A6"
"""Two grays: what a threshold makes black, and what it makes white."""

GUIDE = "#888888"
"""Lines that only help to read a chart."""

MARK = DOG
"""What is chosen, followed or set: the threshold in a chart, the frame around a window."""

RED_BLUE = (
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247),
    (253, 219, 199), (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
)  # fmt: skip
"""ColorBrewer's RdBu from blue to red: negative is blue, zero is white, positive is red."""

INFERNO = (
    (0, 0, 4), (27, 12, 65), (74, 12, 107), (120, 28, 109), (165, 44, 96),
    (207, 68, 70), (237, 105, 37), (251, 155, 6), (247, 209, 61), (252, 255, 164),
)  # fmt: skip
"""Matplotlib's Inferno: dark is 0, bright yellow is 1. Its lightness grows evenly, so it also reads in gray."""


def color_scale(places: NDArray[Any], anchors: tuple[tuple[int, int, int], ...]) -> NDArray[np.float64]:
    """Return the colors at places between 0 and 1 on a scale of evenly spaced colors, by linear interpolation.

    Parameters
    ----------
    places : ndarray of float, any shape
        0 to 1; what lies beyond gets the color of the nearer end.
    anchors : tuple of (red, green, blue)
        0 to 255: `RED_BLUE` or `INFERNO`.

    Returns
    -------
    ndarray of float64, shape (..., 3)
        0 to 255, not rounded.

    Examples
    --------
    >>> color_scale(np.array([0, 0.25, 1]), ((0, 0, 0), (100, 200, 40))).tolist()
    [[0.0, 0.0, 0.0], [25.0, 50.0, 10.0], [100.0, 200.0, 40.0]]
    """
    at = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(places, at, channel) for channel in zip(*anchors, strict=True)], axis=-1)


HEAT_COLORS = np.rint(color_scale(np.linspace(0, 1, 256), INFERNO)).astype(np.uint8)
"""`INFERNO` in 256 steps, uint8 (256, 3)."""

_PALETTE = np.rint(color_scale(np.linspace(0, 1, 255), RED_BLUE)).astype(np.uint8)
"""`RED_BLUE` in 255 colors; the middle one is zero."""


def zero_centered(values: NDArray[Any], limit: float | None = None) -> tuple[NDArray[np.uint8], float]:
    """Color signed numbers: below zero blue, zero white, above zero red.

    Parameters
    ----------
    values : ndarray of float, any shape
    limit : float, optional
        The absolute value that gets the strongest color; larger ones look the same. By default the 99.5th percentile
        of the absolute values, so that a few extremes do not make all the rest pale.

    Returns
    -------
    colors : ndarray of uint8, shape (..., 3)
    limit : float

    Examples
    --------
    >>> colors, limit = zero_centered(np.array([[-8.0, 0.0, 8.0]]))
    >>> colors.tolist(), limit
    ([[[5, 48, 97], [247, 247, 247], [103, 0, 31]]], 8.0)
    """
    if limit is None:
        sizes = np.abs(values[::2, ::2] if min(values.shape, default=0) > 64 else values)
        limit = float(np.percentile(sizes, 99.5)) or float(np.abs(values).max()) or 1.0
    limit = max(limit, 1e-30)  # 127 / limit must fit into float32
    places = np.clip(values * np.float32(127 / limit), -127, 127) + np.float32(127.5)
    return _PALETTE.take(places.astype(np.uint8), axis=0), limit


def as_photo(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Round numbers to the 256 brightnesses of a photo: below 0 becomes black, above 255 white.

    Examples
    --------
    >>> as_photo(np.array([[-3.0, 99.6, 300.0]])).tolist()
    [[0, 100, 255]]
    """
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def signed_photo(values: NDArray[Any], limit: float) -> NDArray[np.uint8]:
    """Show signed numbers of three channels as one color photo, in which middle gray is zero.

    Parameters
    ----------
    values : ndarray of float, any shape
    limit : float
        The absolute value that becomes black (below zero) or full light (above).

    Returns
    -------
    ndarray of uint8, of the same shape

    Examples
    --------
    >>> signed_photo(np.array([-8.0, 0.0, 4.0, 99.0]), 8).tolist()
    [0, 128, 191, 255]
    """
    return as_photo(127.5 + values * (127.5 / limit))


def text_colors(background: NDArray[np.uint8]) -> list[str]:
    """Return the color of text that reads best on each background color, black or white.

    Parameters
    ----------
    background : ndarray of uint8, shape (..., 3)

    Returns
    -------
    list of str
        In row-major order.

    References
    ----------
    W3C, Web Content Accessibility Guidelines 2.2, "relative luminance" and "contrast ratio": on a luminance above
    0.179 black has the higher contrast, and never less than 4.5.

    Examples
    --------
    >>> text_colors(np.array([[[0, 0, 90], [213, 94, 76], [250, 250, 250]]], np.uint8))
    ['white', 'black', 'black']
    """
    share = background.reshape(-1, 3) / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    luminance = light @ np.array([0.2126, 0.7152, 0.0722])
    return ["black" if value > 0.179 else "white" for value in luminance]
