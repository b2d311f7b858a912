"""Arrays and tables become Plotly figures. Colours are safe for colour-blind eyes and read on light and dark.

A signed map (a kernel, a feature map) is always shown on a scale whose middle is zero.
"""

import math
from functools import lru_cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

CAT, DOG = "#0072B2", "#D55E00"
"""Okabe and Ito's blue and vermilion: the two classes everywhere."""

DIVERGING = "RdBu_r"
"""ColorBrewer's red-blue scale: negative is blue, zero is white, positive is red."""


def bare(figure: go.Figure, height: int) -> go.Figure:
    """Give `figure` the house's look: no margins, transparent ground, `height` in pixels."""
    return figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 24, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )


TRAINING, TEST = "#009E73", "#CC79A7"
"""Okabe and Ito's green and purple: the two sets that a training curve compares."""

RUNS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#999999")
"""Okabe and Ito's palette (brown for their yellow, which is lost on white): one colour a run."""

GUESSING = {"accuracy": 0.5, "loss": math.log(2)}
"""What a network that always says "50 % cat, 50 % dog" scores."""

MOST_POINTS = 800
"""A line of more points than a screen has columns only costs time."""


def training_curve(
    history: pd.DataFrame, quantity: str, steps: pd.DataFrame | None = None, steps_per_epoch: int = 0, height: int = 270
) -> go.Figure:
    """Draw how accuracy or loss went on in one run: on the training set and on the test set.

    Parameters
    ----------
    history : pandas.DataFrame
        A row a finished epoch: ``epoch``, `quantity`, ``val_<quantity>``.
    quantity : {"accuracy", "loss"}
    steps : pandas.DataFrame, optional
        A row a step: ``step`` (from 1, over all epochs), `quantity` (the epoch's mean up to that step).
    steps_per_epoch : int
        Places the steps between the epochs; without it they are left out.
    height : int
        In pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        Its horizontal axis counts epochs.

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.5], "val_loss": [0.6, 0.5]})
    >>> [line.name for line in training_curve(history, "loss").data]
    ['training', 'test']
    """
    figure = go.Figure()
    if steps is not None and len(steps) and steps_per_epoch:
        shown = steps.iloc[:: -(-len(steps) // MOST_POINTS)]
        figure.add_scatter(
            x=shown["step"] / steps_per_epoch,
            y=shown[quantity],
            mode="lines",
            name="training, step by step",
            line={"color": TRAINING, "width": 1},
            opacity=0.6,
            hovertemplate="epoch %{x:.2f}: %{y:.3f}",
        )
    for column, name, colour, dash, symbol in (
        (quantity, "training", TRAINING, "solid", "circle"),
        (f"val_{quantity}", "test", TEST, "dash", "diamond"),
    ):
        figure.add_scatter(
            x=history["epoch"],
            y=history[column],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2.5, "dash": dash},
            marker={"size": 9, "symbol": symbol},
            hovertemplate="after epoch %{x}: %{y:.4f}",
        )
    return _epochs(figure, quantity, height)


def compare_runs(histories: dict[str, pd.DataFrame], quantity: str, height: int = 320) -> go.Figure:
    """Draw accuracy or loss of several runs in one chart: on the test set solid, on the training set dotted.

    Parameters
    ----------
    histories : dict of str to pandas.DataFrame
        A run's name → its history, as `training_curve` takes it.
    quantity : {"accuracy", "loss"}
    height : int
        In pixels.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1], "loss": [0.7], "val_loss": [0.6]})
    >>> [line.name for line in compare_runs({"first": history}, "loss").data]
    ['first', 'first, training']
    """
    figure = go.Figure()
    for number, (name, history) in enumerate(histories.items()):
        colour = RUNS[number % len(RUNS)]
        for column, what, dash in ((f"val_{quantity}", "test", "solid"), (quantity, "training", "dot")):
            figure.add_scatter(
                x=history["epoch"],
                y=history[column],
                mode="lines+markers",
                name=name if what == "test" else f"{name}, training",
                legendgroup=name,
                showlegend=what == "test",
                line={"color": colour, "width": 2.5 if what == "test" else 1.5, "dash": dash},
                marker={"size": 8 if what == "test" else 5, "symbol": number % 8},
                hovertemplate=f"{name}, {what}, after epoch %{{x}}: %{{y:.4f}}<extra></extra>",
            )
    return _epochs(figure, quantity, height)


def _epochs(figure: go.Figure, quantity: str, height: int) -> go.Figure:
    """Give a chart over epochs its axes, its legend and the line of mere guessing."""
    percent = ".0%" if quantity == "accuracy" else ".2f"
    figure.add_hline(GUESSING[quantity], line={"color": "#888888", "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=1, y=GUESSING[quantity], xref="paper", text="guessing", showarrow=False, yanchor="bottom", xanchor="right"
    )
    longest = max((float(x) for line in figure.data for x in line.x), default=1.0)
    figure.update_xaxes(
        title="epoch",
        range=[0, 1.05 * max(longest, 1.0)],
        tickformat="d",
        dtick=1 if longest <= 12 else None,
        zeroline=False,
    )
    figure.update_yaxes(title=quantity, tickformat=percent, zeroline=False)
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, uirevision="kept"
    )
    return bare(figure, height).update_layout(margin={"l": 0, "r": 8, "t": 40, "b": 0})


def numbered_cells(
    values: np.ndarray, colours: np.ndarray, top: int = 0, left: int = 0, height: int = 420
) -> go.Figure:
    """Draw a few pixels as large cells and write their numbers into them.

    Parameters
    ----------
    values : ndarray, shape (h, w) or (h, w, 3)
        The numbers to write, one or three a cell.
    colours : ndarray of uint8, shape (h, w, 3)
        How each cell is filled.
    top, left : int
        Row and column of the first cell in the whole picture, for the axes.
    height : int
        Height of the figure, in pixels.

    Examples
    --------
    >>> figure = numbered_cells(np.array([[7, 250]]), np.zeros((1, 2, 3), np.uint8), top=100)
    >>> figure.data[1].text, figure.data[1].y.tolist()
    (('7', '250'), [100, 100])
    """
    rows, columns = (axis.ravel() for axis in np.mgrid[: values.shape[0], : values.shape[1]])
    numbers = values.reshape(len(rows), -1)
    bright = colours.reshape(-1, 3) @ (0.299, 0.587, 0.114) >= 128
    texts = go.Scatter(
        x=columns + left,
        y=rows + top,
        mode="text",
        text=["<br>".join(f"{number:g}" for number in cell) for cell in numbers],
        textfont={
            "color": np.where(bright, "black", "white").tolist(),
            "size": (0.28 if numbers.shape[1] == 1 else 0.17) * height / max(values.shape[:2]),
        },
        customdata=[", ".join(f"{number:g}" for number in cell) for cell in numbers],
        hovertemplate="row %{y}, column %{x}<br>%{customdata}<extra></extra>",
    )
    cells = go.Image(z=colours, x0=left, y0=top, hoverinfo="skip")
    return (
        bare(go.Figure([cells, texts]), height)
        .update_xaxes(dtick=1, tickangle=0, title="column", showgrid=False, zeroline=False)
        .update_yaxes(dtick=1, title="row", showgrid=False, zeroline=False)
    )


def histogram(channel: np.ndarray, threshold: int, height: int = 260) -> go.Figure:
    """Draw how often each brightness occurs, and the threshold that parts black from white.

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
    sides = ("becomes black", values < threshold, "#595959"), ("becomes white", values >= threshold, "#A6A6A6")
    figure = go.Figure(
        [
            go.Bar(
                x=values[side],
                y=counts[side],
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate="brightness %{x}: %{y} pixels<extra></extra>",
            )
            for name, side, colour in sides
        ]
    )
    figure.add_vline(threshold - 0.5, line={"color": DOG, "width": 3})
    figure.update_layout(bargap=0, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_xaxes(title="brightness", range=[-1, 256]).update_yaxes(title="pixels")
    return bare(figure, height).update_layout(margin={"t": 40})


@lru_cache
def _zero_centred_palette() -> np.ndarray:
    """Return `DIVERGING` as 255 colours, uint8 (255, 3); the middle one stands for zero."""
    colours = sample_colorscale(DIVERGING, [place / 254 for place in range(255)], colortype="tuple")
    return np.round(np.array(colours) * 255).astype(np.uint8)


def zero_centred(values: np.ndarray, limit: float | None = None) -> tuple[np.ndarray, float]:
    """Colour signed numbers: below zero blue, zero white, above zero red.

    Parameters
    ----------
    values : ndarray of float, any shape
    limit : float, optional
        The size of the value with the strongest colour; what lies beyond looks the same. Without it the size that one
        value in two hundred exceeds, so that a few extremes do not make all the rest pale.

    Returns
    -------
    colours : ndarray of uint8, shape (..., 3)
    limit : float

    Examples
    --------
    >>> colours, limit = zero_centred(np.array([[-8.0, 0.0, 8.0]]))
    >>> colours.tolist(), limit
    ([[[5, 48, 97], [247, 247, 247], [103, 0, 31]]], 8.0)
    """
    if limit is None:
        sizes = np.abs(values[::2, ::2] if min(values.shape, default=0) > 64 else values)
        limit = float(np.percentile(sizes, 99.5)) or float(np.abs(values).max()) or 1.0
    places = np.clip(values * np.float32(127 / limit), -127, 127) + np.float32(127.5)
    return _zero_centred_palette().take(places.astype(np.uint8), axis=0), limit


def as_photo(values: np.ndarray) -> np.ndarray:
    """Return numbers as a picture sees them: rounded, below 0 black and above 255 white.

    Examples
    --------
    >>> as_photo(np.array([[-3.0, 99.6, 300.0]])).tolist()
    [[0, 100, 255]]
    """
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def numbers(names: list[str], values: list[float], height: int = 320) -> go.Figure:
    """Draw a few of a layer's numbers as bars, the first at the top: above zero red, below blue, as in a map.

    Examples
    --------
    >>> numbers(["number 3", "number 1"], [0.5, -0.25]).data[0].x
    (0.5, -0.25)
    """
    colours = ["#B2182B" if value > 0 else "#2166AC" for value in values]
    figure = go.Figure(
        go.Bar(x=values, y=names, orientation="h", marker={"color": colours}, hovertemplate="%{y}: %{x:.4g}")
    )
    figure.update_yaxes(autorange="reversed", type="category").update_xaxes(zeroline=True)
    return bare(figure, height)
