"""Charts of an image's numbers: pixels as numbered cells, a histogram of brightness, a layer's numbers as bars."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnn_core.figures.colors import BLACKENED, MARK, NEGATIVE, POSITIVE, WHITENED, text_colors
from cnn_core.figures.layout import plain_layout
from cnn_core.wording import number


def numbered_cells(
    values: NDArray[Any], colors: NDArray[np.uint8], top: int = 0, left: int = 0, height: int = 420
) -> go.Figure:
    """Draw a few pixels as large cells and write their numbers into them.

    Parameters
    ----------
    values : ndarray, shape (h, w) or (h, w, 3)
        The numbers to write, one or three per cell.
    colors : ndarray of uint8, shape (h, w, 3)
        The color of each cell.
    top, left : int
        Row and column of the first cell in the whole image, shown on the axes.
    height : int
        Height of the figure, in pixels.

    Examples
    --------
    >>> figure = numbered_cells(np.array([[7, 250]]), np.zeros((1, 2, 3), np.uint8), top=100)
    >>> figure.data[1].text, figure.data[1].y.tolist()
    (('7', '250'), [100, 100])
    """
    rows, columns = (axis.ravel() for axis in np.mgrid[: values.shape[0], : values.shape[1]])
    pixels = values.reshape(len(rows), -1)
    texts = go.Scatter(
        x=columns + left,
        y=rows + top,
        mode="text",
        text=["<br>".join(number(value) for value in cell) for cell in pixels],
        textfont={
            "color": text_colors(colors),
            "size": (0.28 if pixels.shape[1] == 1 else 0.17) * height / max(values.shape[:2]),
        },
        customdata=[", ".join(number(value) for value in cell) for cell in pixels],
        hovertemplate="row %{y}, column %{x}<br>%{customdata}<extra></extra>",
    )
    cells = go.Image(z=colors, x0=left, y0=top, hoverinfo="skip")
    return (
        plain_layout(go.Figure([cells, texts]), height)
        .update_xaxes(dtick=1, tickangle=0, title="column", showgrid=False, zeroline=False)
        .update_yaxes(dtick=1, title="row", showgrid=False, zeroline=False)
    )


def histogram(channel: NDArray[np.uint8], threshold: int, height: int = 260) -> go.Figure:
    """Draw how often each brightness occurs, and the threshold between black and white.

    Parameters
    ----------
    channel : ndarray of uint8, shape (H, W)
    threshold : int
        The first brightness that becomes white.
    height : int
        Height of the figure, in pixels.

    Examples
    --------
    >>> figure = histogram(np.array([[7, 7, 200]], np.uint8), threshold=200)
    >>> [int(bars.y.sum()) for bars in figure.data], figure.layout.shapes[0].x0
    ([2, 1], 199.5)
    """
    counts = np.bincount(channel.ravel(), minlength=256)
    values = np.arange(256)
    sides = ("becomes black", values < threshold, BLACKENED), ("becomes white", values >= threshold, WHITENED)
    figure = go.Figure(
        [
            go.Bar(
                x=values[side],
                y=counts[side],
                name=name,
                marker={"color": color, "line": {"width": 0}},
                hovertemplate="brightness %{x}: %{y} pixels<extra></extra>",
            )
            for name, side, color in sides
        ]
    )
    figure.add_vline(threshold - 0.5, line={"color": MARK, "width": 3})
    figure.update_layout(bargap=0, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_xaxes(title="brightness", range=[-1, 256]).update_yaxes(title="pixels")
    return plain_layout(figure, height).update_layout(margin={"t": 40})


def number_bars(names: list[str], values: list[float], height: int = 320) -> go.Figure:
    """Draw a few of a layer's numbers as bars, the first at the top: red above zero, blue below, as in a feature map.

    Examples
    --------
    >>> number_bars(["number 3", "number 1"], [0.5, -0.25]).data[0].x
    (0.5, -0.25)
    """
    colors = [POSITIVE if value > 0 else NEGATIVE for value in values]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker={"color": colors},
            customdata=[number(value) for value in values],
            hovertemplate="%{y}: %{customdata}",
        )
    )
    figure.update_yaxes(autorange="reversed", type="category").update_xaxes(zeroline=True)
    return plain_layout(figure, height)
