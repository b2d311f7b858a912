"""Training curves: accuracy and loss over the epochs, of one run or of several side by side."""

import math

import pandas as pd
import plotly.graph_objects as go

from cnn_core.figures.colors import RUNS, TEST, TRAINING
from cnn_core.figures.layout import GUIDE_LINE, MAX_POINTS, plain_layout
from cnn_core.wording import percent

GUESSING = {"accuracy": 0.5, "loss": math.log(2)}
"""The scores of a network that always answers "50 % cat, 50 % dog"."""


def training_curve(
    history: pd.DataFrame,
    quantity: str,
    steps: pd.DataFrame | None = None,
    steps_per_epoch: int = 0,
    height: int = 270,
    best_epoch: int | None = None,
    held_out: str = "test",
) -> go.Figure:
    """Draw the accuracy or loss of one run, epoch by epoch: on the training set and on the held-out set.

    Parameters
    ----------
    history : pandas.DataFrame
        One row per finished epoch: ``epoch``, `quantity`, ``val_<quantity>``.
    quantity : {"accuracy", "loss"}
    steps : pandas.DataFrame, optional
        One row per step: ``step`` (from 1, over all epochs), `quantity` (the mean of its epoch up to that step).
    steps_per_epoch : int
        Needed to place the steps between the epochs; without it they are left out.
    height : int
        In pixels.
    best_epoch : int, optional
        Is marked as the one with the lowest loss on the held-out set.
    held_out : {"test", "validation"}
        The set that ``val_<quantity>`` was measured on.

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
        shown = steps.iloc[:: -(-len(steps) // MAX_POINTS)]
        figure.add_scatter(
            x=shown["step"] / steps_per_epoch,
            y=shown[quantity],
            mode="lines",
            name="training, step by step",
            line={"color": TRAINING, "width": 1},
            opacity=0.6,
            customdata=_written(shown[quantity], quantity, 3),
            hovertemplate="epoch %{x:.2f}: %{customdata}",
        )
    for column, name, color, dash, symbol in (
        (quantity, "training", TRAINING, "solid", "circle"),
        (f"val_{quantity}", held_out, TEST, "dash", "diamond"),
    ):
        figure.add_scatter(
            x=history["epoch"],
            y=history[column],
            mode="lines+markers",
            name=name,
            line={"color": color, "width": 2.5, "dash": dash},
            marker={"size": 9, "symbol": symbol},
            customdata=_written(history[column], quantity),
            hovertemplate="after epoch %{x}: %{customdata}",
        )
    if best_epoch is not None:
        figure.add_vline(best_epoch, line=GUIDE_LINE)
        figure.add_annotation(
            x=best_epoch, y=0, yref="paper", text=f"lowest {held_out} loss", showarrow=False, xanchor="left",
            yanchor="bottom",
        )  # fmt: skip
    return _over_epochs(figure, quantity, height)


def compare_runs(histories: dict[str, pd.DataFrame], quantity: str, height: int = 320) -> go.Figure:
    """Draw the accuracy or loss of several runs in one chart: solid on the held-out set (test or
    validation set), dotted on the training set.

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
        color = RUNS[number % len(RUNS)]
        for column, what, dash in ((f"val_{quantity}", "held out", "solid"), (quantity, "training", "dot")):
            figure.add_scatter(
                x=history["epoch"],
                y=history[column],
                mode="lines+markers",
                name=name if what == "held out" else f"{name}, training",
                legendgroup=name,
                showlegend=what == "held out",
                line={"color": color, "width": 2.5 if what == "held out" else 1.5, "dash": dash},
                marker={"size": 8 if what == "held out" else 5, "symbol": number % 8},
                customdata=_written(history[column], quantity),
                hovertemplate=f"{name}, {what}, after epoch %{{x}}: %{{customdata}}<extra></extra>",
            )
    return _over_epochs(figure, quantity, height)


def _written(values: pd.Series, quantity: str, digits: int = 4) -> list[str]:
    """Write values for the pointer: losses with `digits`, accuracies as percentages never rounded to 100 %."""
    return [percent(value) if quantity == "accuracy" else f"{value:.{digits}f}" for value in values]


def _over_epochs(figure: go.Figure, quantity: str, height: int) -> go.Figure:
    """Give a chart over epochs its axes, its legend and a line at the score of guessing."""
    tick_format = ".0%" if quantity == "accuracy" else ".2f"
    figure.add_hline(GUESSING[quantity], line=GUIDE_LINE)
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
    figure.update_yaxes(title=quantity, tickformat=tick_format, zeroline=False)
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, uirevision="kept"
    )
    return plain_layout(figure, height).update_layout(margin={"l": 0, "r": 8, "t": 40, "b": 0})
