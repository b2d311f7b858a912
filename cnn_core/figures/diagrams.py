"""Drawings of a network: its layers as boxes, its first kernels as small images, its windows on a map."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnn_core.figures.colors import LAYERS, MARK, text_colors, zero_centered
from cnn_core.figures.layout import plain_layout
from cnn_core.wording import number

_DESCRIPTIONS = {
    "Rescaling": "picture, 0–255 → 0–1",
    "Conv2D": "convolution",
    "MaxPooling2D": "max pooling",
    "Flatten": "flatten",
    "Dense": "dense",
}


def network_drawing(table: pd.DataFrame, missing: str = "", height: int = 330) -> go.Figure:
    """Draw a network as a row of boxes: the larger a layer's maps, the taller; the more maps, the deeper.

    Height and depth are logarithmic, so that 128 and 1 can both be seen.

    Parameters
    ----------
    table : pandas.DataFrame
        As `network.NetworkSpec.table` returns it, or the rows that `layers_that_fit` returns.
    missing : str
        Name of the layer that did not fit; it is drawn as an empty frame with a cross.
    height : int
        In pixels.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> from cnn_core.network import NetworkSpec
    >>> len(network_drawing(NetworkSpec().table()).data)
    8
    """
    shapes: list[dict[str, Any]] = []
    words: list[go.Scatter] = []
    x, low, high = 0.0, 0.0, 0.0
    for row in table.to_dict("records"):
        shape: tuple[int, ...] = row["output_shape"]
        side = 0.4 + math.log2(shape[0]) if len(shape) == 3 else 0.5 + 0.6 * math.log2(shape[0])
        depth = 0.25 + 0.22 * math.log2(shape[-1]) if len(shape) == 3 else 0.3
        shapes += _box(x, side, depth, len(shape) == 3, LAYERS[row["type"]])
        words.append(_under_box(x + depth / 2, -side / 2, row))
        low, high = max(low, side / 2), max(high, 0.8 * side if len(shape) == 3 else side / 2)
        x += depth + (0.45 * side + 1.5 if len(shape) == 3 else 2.2)
    if missing:
        shapes += _frame(x)
        words.append(_under_frame(x + 0.7, missing))
        x += 2.6
    layout = {
        "shapes": shapes,  # all at once: with one call for each, Plotly would check all of those before it again
        "xaxis": {"visible": False, "range": [-2.1, x + 1]},
        "yaxis": {"visible": False, "range": [-low - 2.9, high + 0.3]},
        "showlegend": False,
        "hovermode": "closest",
    }
    return plain_layout(go.Figure(words, layout), height).update_layout(margin={"t": 0})


def kernel_images(kernels: NDArray[Any], columns: int = 8, zoom: int = 12) -> NDArray[np.uint8]:
    """Lay out a color layer's kernels as small images: gray is zero, brighter is positive, darker negative.

    Parameters
    ----------
    kernels : ndarray of float, shape (kernel height, kernel width, 3, filters)
    columns : int
        Kernels per row.
    zoom : int
        Pixels per weight.

    Returns
    -------
    ndarray of uint8, shape (H, W, 4)
        RGB and opacity: the gaps between kernels are transparent.

    Examples
    --------
    >>> kernel_images(np.zeros((3, 3, 3, 64)), columns=8, zoom=10).shape
    (254, 254, 4)
    """
    height, width, _, filters = kernels.shape
    gap = max(1, zoom // 4)
    tall, wide = height * zoom + gap, width * zoom + gap
    sheet = np.zeros((-(-filters // columns) * tall - gap, columns * wide - gap, 4), np.uint8)
    for place in range(filters):
        kernel = kernels[..., place]
        shade = np.clip(127.5 + 127.5 * kernel / (np.abs(kernel).max() or 1.0), 0, 255)
        image = np.kron(shade, np.ones((zoom, zoom, 1))).round().astype(np.uint8)
        top, left = place // columns * tall, place % columns * wide
        cell = sheet[top : top + height * zoom, left : left + width * zoom]
        cell[..., :3], cell[..., 3] = image, 255
    return sheet


def depth_chart(sizes: list[int], height: int = 260) -> go.Figure:
    """Draw how the image's side shrinks from block to block.

    Parameters
    ----------
    sizes : list of int
        As `network.sizes_by_depth` returns it.
    height : int
        In pixels.

    Examples
    --------
    >>> depth_chart([128, 63, 30]).data[0].text
    ('128', '63', '30')
    """
    figure = go.Figure(
        go.Bar(
            x=list(range(len(sizes))),
            y=sizes,
            text=[str(size) if len(sizes) <= 20 else "" for size in sizes],
            textposition="outside",
            cliponaxis=False,
            marker_color=LAYERS["Conv2D"],
            hovertemplate="after %{x} blocks: %{y} × %{y} pixels<extra></extra>",
        )
    )
    figure.update_xaxes(title="blocks", dtick=1 if len(sizes) < 20 else 10).update_yaxes(title="pixels a side")
    return plain_layout(figure, height)


def windowed_cells(values: NDArray[Any], windows: NDArray[Any], followed: int = 0, height: int = 400) -> go.Figure:
    """Draw numbers as colored cells, zero in the middle of the colors, with windows framed and one of them marked.

    Parameters
    ----------
    values : ndarray of float, shape (h, w)
    windows : ndarray of int, shape (N, 4)
        Top, left, bottom, right of each, as `pooling.windows` gives them.
    followed : int
        Which window has the thick frame.
    height : int
        In pixels.

    Examples
    --------
    >>> figure = windowed_cells(np.array([[-1.0, 2.0]]), np.array([[0, 0, 1, 2]]))
    >>> figure.data[1].text, len(figure.layout.shapes)
    (('−1', '2'), 1)
    """
    colors, _ = zero_centered(values, float(np.abs(values).max()) or 1.0)
    rows, columns = (axis.ravel() for axis in np.mgrid[: values.shape[0], : values.shape[1]])
    side = max(values.shape)
    texts = [number(value) for value in values.ravel()]
    widest = max(map(len, texts))
    numbers = go.Scatter(
        x=columns,
        y=rows,
        mode="text",
        text=texts,
        # A digit is about 0.56 times as wide as its font is high; the cells are square.
        textfont={"color": text_colors(colors), "size": min(18, 150 / side, 1.65 * height / (side * widest))},
        hovertemplate="row %{y}, column %{x}: %{text}<extra></extra>",
    )
    figure = go.Figure([go.Image(z=colors, hoverinfo="skip"), numbers])
    order = [window for window in range(len(windows)) if window != followed] + [followed]
    shapes = []
    for window in order:  # the marked one last, so that no other frame covers it
        top, left, bottom, right = (float(edge) - 0.5 for edge in windows[window])
        line = {"color": MARK, "width": 5} if window == followed else {"color": "#666", "width": 1.5}
        shapes.append({"type": "rect", "x0": left, "x1": right, "y0": top, "y1": bottom, "line": line})
    figure.update_layout(shapes=shapes)  # all at once: `add_shape` copies those before it each time
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return plain_layout(figure, height).update_layout(margin={"t": 4, "b": 4})


def _box(x: float, side: float, depth: float, solid: bool, color: str) -> list[dict[str, Any]]:
    """Return the faces of a box: its front, and of a solid one, seen slantwise, also its top and its flank."""
    slant, rise = (0.45 * side, 0.3 * side) if solid else (0.0, 0.0)
    low, high, edge = -side / 2, side / 2, x + depth
    front = [(x, low), (edge, low), (edge, high), (x, high)]
    top = [(x, high), (x + slant, high + rise), (edge + slant, high + rise), (edge, high)]
    flank = [(edge, low), (edge + slant, low + rise), (edge + slant, high + rise), (edge, high)]
    return [
        {
            "type": "path",
            "path": "M" + "L".join(f"{a:.3f},{b:.3f}" for a, b in corners) + "Z",
            "fillcolor": color,
            "opacity": opacity,
            "line": {"color": color, "width": 1},
        }
        for corners, opacity in ((front, 0.95), (top, 0.65), (flank, 0.4))
    ]


def _under_box(x: float, low: float, row: dict[str, Any]) -> go.Scatter:
    """Return the words under a box: the layer's name and the shape of its output; more under the pointer."""
    sizes = [f"{size:,}" for size in row["output_shape"]]
    under = "×".join(sizes[:2]) + "".join(f"<br>×{maps}" for maps in sizes[2:])  # on a phone the boxes are close
    shape = " × ".join(sizes)
    return go.Scatter(
        x=[x],
        y=[low - 0.45],
        mode="text",
        text=[f"<b>{row['layer']}</b><br>{under}"],
        textposition="bottom center",
        textfont={"size": 11},
        customdata=[[_DESCRIPTIONS[row["type"]], shape, row["parameters"]]],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{customdata[2]:,} parameters<extra></extra>",
    )


def _frame(x: float) -> list[dict[str, Any]]:
    """Return the place of a layer that does not fit: a dashed frame with a cross in it."""
    line = {"color": MARK, "width": 2, "dash": "dash"}
    return [
        {"type": "path", "path": path.format(x, x + 1.4), "line": line}
        for path in ("M{0},-1.2L{1},-1.2L{1},1.2L{0},1.2Z", "M{0},-1.2L{1},1.2M{0},1.2L{1},-1.2")
    ]


def _under_frame(x: float, name: str) -> go.Scatter:
    return go.Scatter(
        x=[x], y=[-1.65], mode="text", text=[f"<b>{name}</b><br>does not fit"], textposition="bottom center",
        textfont={"size": 11}, hoverinfo="skip",
    )  # fmt: skip
