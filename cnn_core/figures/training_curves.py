"""Training curves: accuracy and loss over the epochs or steps, of one run or of several side by side."""

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from cnn_core.curves import GUESSING
from cnn_core.figures.colors import GUIDE, RUNS, TEST, TRAINING
from cnn_core.figures.layout import GUIDE_LINE, MAX_POINTS, app_look
from cnn_core.wording import percent, visible

FAINT = 0.25
"""The opacity of a line behind the smoothed one."""


def smoothed(values: pd.Series, smoothing: float) -> pd.Series:
    """Smooth a line as TensorBoard does: an exponential moving average, corrected for its start.

    Parameters
    ----------
    values : pandas.Series
    smoothing : float
        The share of the old average in the new one: 0 (the values themselves) to below 1.

    References
    ----------
    D. Kingma and J. Ba, "Adam", 2014, section 3, for the correction: without it, the average would begin near 0.

    Examples
    --------
    >>> smoothed(pd.Series([1.0, 0.0, 0.0]), 0.5).round(3).tolist()
    [1.0, 0.333, 0.143]
    """
    return values.ewm(alpha=1 - smoothing).mean()


def each_step(steps: pd.DataFrame, quantity: str) -> pd.Series:
    """Return the accuracy or loss of each single batch; a run notes the mean of the epoch up to it.

    Parameters
    ----------
    steps : pandas.DataFrame
        One row per step: ``epoch`` and `quantity`, as `runs.Run.steps` reads them.
    quantity : {"accuracy", "loss"}

    Examples
    --------
    >>> each_step(pd.DataFrame({"epoch": [1, 1, 2], "loss": [0.8, 0.7, 0.5]}), "loss").round(3).tolist()
    [0.8, 0.6, 0.5]
    """
    sums = steps[quantity] * (steps.groupby("epoch").cumcount() + 1)
    return sums - sums.groupby(steps["epoch"]).shift(fill_value=0.0)


def training_curve(
    history: pd.DataFrame,
    quantity: str,
    steps: pd.DataFrame | None = None,
    steps_per_epoch: int = 0,
    height: int = 270,
    best_epoch: int | None = None,
    held_out: str = "test",
    smoothing: float = 0.0,
    axis: str = "epoch",
) -> go.Figure:
    """Draw the accuracy or loss of one run, epoch by epoch: on the training set and on the held-out set.

    Parameters
    ----------
    history : pandas.DataFrame
        One row per finished epoch: ``epoch``, `quantity`, ``val_<quantity>``.
    quantity : {"accuracy", "loss"}
    steps : pandas.DataFrame, optional
        One row per step: ``step`` (from 1, over all epochs), ``epoch``, `quantity` (the mean of its epoch up to that
        step). `each_step` is drawn.
    steps_per_epoch : int
        Needed to place the steps between the epochs; without it they are left out.
    height : int
        In pixels.
    best_epoch : int, optional
        Is marked as the one with the lowest loss on the held-out set.
    held_out : {"test", "validation"}
        The set that ``val_<quantity>`` was measured on.
    smoothing : float
        Of the steps, as in `smoothed`; the points after each epoch are means of many pictures anyway.
    axis : {"epoch", "step"}
        What the horizontal axis counts; steps only with `steps_per_epoch`.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.5], "val_loss": [0.6, 0.5]})
    >>> [line.name for line in training_curve(history, "loss").data]
    ['training', 'test']
    """
    drawn: list[dict[str, Any]] = []
    per_epoch = steps_per_epoch if axis == "step" and steps_per_epoch else 1
    if steps is not None and len(steps) and steps_per_epoch:
        values = each_step(steps, quantity)
        lines = [("training, step by step", values, 1.0, FAINT if smoothing else 0.6)]
        if smoothing:
            lines.append(("smoothed", smoothed(values, smoothing), 1.5, 0.9))
        for name, line, width, opacity in lines:
            shown = line.iloc[:: -(-len(steps) // MAX_POINTS)]
            drawn.append({
                "x": steps["step"][shown.index] / steps_per_epoch * per_epoch,
                "y": shown,
                "mode": "lines",
                "name": name,
                "showlegend": opacity > FAINT,
                "line": {"color": TRAINING, "width": width},
                "opacity": opacity,
                "customdata": _written(shown, quantity, 3),
                "hovertemplate": "epoch %{x:.2f}: %{customdata}" if per_epoch == 1 else "step %{x:.0f}: %{customdata}",
            })  # fmt: skip
    for column, name, color, dash, symbol in (
        (quantity, "training", TRAINING, "solid", "circle"),
        (f"val_{quantity}", held_out, TEST, "dash", "diamond"),
    ):
        drawn.append({
            "x": history["epoch"] * per_epoch,
            "y": history[column],
            "mode": "lines+markers",
            "name": name,
            "line": {"color": color, "width": 2.5, "dash": dash},
            "marker": {"size": 9, "symbol": symbol},
            "customdata": list(zip(_written(history[column], quantity), history["epoch"], strict=True)),
            "hovertemplate": "after epoch %{customdata[1]}: %{customdata[0]}",
        })  # fmt: skip
    guides: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    if best_epoch is not None:
        best, late = best_epoch * per_epoch, best_epoch > len(history) / 2
        guides.append({
            "type": "line", "x0": best, "x1": best, "yref": "y domain", "y0": 0, "y1": 1, "line": GUIDE_LINE
        })  # fmt: skip
        top = quantity == "loss"  # at the bottom is the label of the guessing line
        notes.append({
            "x": best, "y": int(top), "yref": "paper", "text": f"lowest {held_out} loss", "showarrow": False,
            "yanchor": "top" if top else "bottom", "xanchor": "right" if late else "left",
        })  # fmt: skip
    return _over_time(drawn, quantity, height, "epoch" if per_epoch == 1 else "step", guides, notes)


def compare_runs(
    histories: dict[str, pd.DataFrame],
    quantity: str,
    height: int = 320,
    smoothing: float = 0.0,
    steps_per_epoch: dict[str, int] | None = None,
) -> go.Figure:
    """Draw the accuracy or loss of several runs in one chart: solid on the held-out set (test or
    validation set), dotted on the training set.

    Parameters
    ----------
    histories : dict of str to pandas.DataFrame
        A run's name → its history, as `training_curve` takes it.
    quantity : {"accuracy", "loss"}
    height : int
        In pixels.
    smoothing : float
        As in `smoothed`; the points themselves are then faint.
    steps_per_epoch : dict of str to int, optional
        A run's name → steps of one epoch. With it, the horizontal axis counts steps.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1], "loss": [0.7], "val_loss": [0.6]})
    >>> [line.name for line in compare_runs({"first": history}, "loss").data]
    ['first', 'first, training']
    """
    drawn: list[dict[str, Any]] = []
    for number, (run, history) in enumerate(histories.items()):
        name, color = escape(visible(run)), RUNS[number % len(RUNS)]  # Plotly knows some HTML
        for column, what, dash in ((f"val_{quantity}", "held out", "solid"), (quantity, "training", "dot")):
            held_out = what == "held out"
            line = {
                "x": history["epoch"] * (steps_per_epoch[run] if steps_per_epoch else 1),
                "legendgroup": name,
                "line": {"color": color, "width": 2.5 if held_out else 1.5, "dash": dash},
                "marker": {"size": 8 if held_out else 5, "symbol": number % 8},
            }
            if smoothing:
                faint = {"mode": "lines", "showlegend": False, "hoverinfo": "skip", "opacity": FAINT}
                drawn.append({"y": history[column], **line, **faint})
            values = smoothed(history[column], smoothing)
            drawn.append({
                "y": values,
                **line,
                "mode": "lines" if smoothing else "lines+markers",
                "name": name if held_out else f"{name}, training",
                "showlegend": held_out,
                "customdata": list(zip(_written(values, quantity), history["epoch"], strict=True)),
                "hovertemplate": f"{name}, {what}, after epoch %{{customdata[1]}}: %{{customdata[0]}}<extra></extra>",
            })  # fmt: skip
    return _over_time(drawn, quantity, height, "step" if steps_per_epoch else "epoch")


def _written(values: pd.Series, quantity: str, digits: int = 4) -> list[str]:
    """Write values for the pointer: losses with `digits`, accuracies as percentages never rounded to 100 %."""
    return [percent(value) if quantity == "accuracy" else f"{value:.{digits}f}" for value in values]


def _over_time(
    drawn: list[dict[str, Any]],
    quantity: str,
    height: int,
    axis: str,
    guides: Sequence[dict[str, Any]] = (),
    notes: Sequence[dict[str, Any]] = (),
) -> go.Figure:
    """Make the chart of lines over epochs or steps: axes, legend, and a line at the score of guessing.

    The page draws it every second. Plotly takes a chart as a whole in a tenth of the time of one call for each part.
    """
    guessing = GUESSING[quantity]
    longest = max((float(x) for line in drawn for x in line["x"]), default=1.0)
    layout = {
        "xaxis": {
            "title": {"text": axis},
            "range": [0, 1.05 * max(longest, 1.0)],
            "tickformat": ",d",
            "dtick": 1 if longest <= 12 else None,
            "zeroline": False,
        },
        "yaxis": {
            "title": {"text": quantity},
            "tickformat": ".0%" if quantity == "accuracy" else ".2f",
            "zeroline": False,
        },
        "shapes": [
            {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": guessing, "y1": guessing, "line": GUIDE_LINE},
            *guides,
        ],
        "annotations": [
            {
                "x": 1, "y": guessing, "xref": "paper", "text": "guessing", "showarrow": False, "yanchor": "bottom",
                "xanchor": "right",
            },
            *notes,
        ],
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "uirevision": axis,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GUIDE, "activecolor": GUIDE},
        **app_look(height),
        "margin": {"l": 0, "r": 8, "t": 40, "b": 0},
    }  # fmt: skip
    return go.Figure([{"type": "scatter", **line} for line in drawn], layout)
