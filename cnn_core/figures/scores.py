"""A model's scores become Plotly figures: the confusion matrix, and the curves of `cnn_core.curves`."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import plotly.graph_objects as go

from cnn_core.dataset import LABELS
from cnn_core.figures.colors import CAT, MARK, TEST, TRAINING
from cnn_core.figures.layout import GUIDE_LINE, MAX_POINTS, plain_layout
from cnn_core.wording import percent


def confusion_matrix(counts: list[list[int]], chosen: tuple[str, str] | None = None, height: int = 320) -> go.Figure:
    """Draw the confusion matrix: a row per true class, a column per predicted class.

    Parameters
    ----------
    counts : list of list of int
        ``[[cat→cat, cat→dog], [dog→cat, dog→dog]]``.
    chosen : tuple of str, optional
        The truth and the prediction of the cell to frame. With it the cells can be clicked: each holds an invisible
        point, because Plotly lets people select points but no cells.
    height : int
        In pixels.

    Examples
    --------
    >>> confusion_matrix([[9, 1], [0, 10]]).data[0].text[0]
    ['<b>9</b><br>90\\xa0% of the cats', '<b>1</b><br>10\\xa0% of the cats']
    >>> confusion_matrix([[9, 1], [0, 10]], ("cat", "dog")).data[1].customdata[1]
    ['cat', 'dog']
    """
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    texts = [
        [
            f"<b>{count:,}</b><br>{percent(share, 0, counted=True)} of the {name}"
            for count, share in zip(row, part, strict=True)
        ]
        for row, part, name in zip(counts, shares, ("cats", "dogs"), strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=LABELS, y=LABELS, zmin=0, zmax=1, xgap=4, ygap=4, hoverinfo="skip",
            colorscale=[[0, "#EAF3FB"], [1, "#6AAED6"]], showscale=False,  # on all of it dark text is easy to read
            text=texts, texttemplate="%{text}", textfont={"size": 16, "color": "#10202E"},
        )
    )  # fmt: skip
    if chosen:
        cells = [[label, predicted] for label in LABELS for predicted in LABELS]
        invisible = {"marker": {"opacity": 0}}
        figure.add_scatter(
            x=[predicted for _, predicted in cells], y=[label for label, _ in cells], customdata=cells,
            mode="markers", marker={"size": 60, "opacity": 0}, selected=invisible, unselected=invisible,
            hovertemplate="show these pictures<extra></extra>", showlegend=False,
        )  # fmt: skip
        row, column = (LABELS.index(label) for label in chosen)
        figure.add_shape(
            type="rect", x0=column - 0.48, x1=column + 0.48, y0=row - 0.47, y1=row + 0.47,
            line={"color": MARK, "width": 4},
        )  # fmt: skip
        figure.update_layout(clickmode="event+select", hovermode="closest", hoverdistance=-1, dragmode=False)
    figure.update_xaxes(title="the model says", side="top", showgrid=False, fixedrange=True, range=[-0.5, 1.5])
    figure.update_yaxes(title="the picture shows", showgrid=False, fixedrange=True, range=[1.5, -0.5])
    return plain_layout(figure, height).update_layout(margin={"t": 60})


def roc(curve: pd.DataFrame, here: tuple[float, float] | None = None, height: int = 320) -> go.Figure:
    """Draw the ROC curve, the line of guessing, and the point of the chosen threshold.

    Parameters
    ----------
    curve : pandas.DataFrame
        As `curves.roc` returns it.
    here : tuple of float, optional
        The share of cats called dogs and the share of dogs found at the threshold that is set.
    height : int
        In pixels.

    Examples
    --------
    >>> curve = pd.DataFrame({"threshold": [1, 0.5], "false_positive_rate": [0, 1], "true_positive_rate": [0, 1]})
    >>> [line.name for line in roc(curve, (0.5, 0.5)).data]
    ['the model', 'guessing', 'your threshold']
    """
    last = curve.iloc[-1:]
    shown = pd.concat([curve.iloc[:: -(-max(len(curve), 1) // MAX_POINTS)], last]).drop_duplicates()
    says = "%{customdata[0]} of the dogs found, %{customdata[1]} of the cats called dogs<extra></extra>"
    figure = go.Figure()
    figure.add_scatter(
        x=shown["false_positive_rate"], y=shown["true_positive_rate"], name="the model", mode="lines",
        line={"color": TRAINING, "width": 2.5}, hovertemplate=says,
        customdata=_counted(shown["true_positive_rate"], shown["false_positive_rate"]),
    )  # fmt: skip
    figure.add_scatter(x=[0, 1], y=[0, 1], name="guessing", mode="lines", line=GUIDE_LINE, hoverinfo="skip")
    if here:
        figure.add_scatter(
            x=here[:1], y=here[1:], name="your threshold", mode="markers",
            marker={"color": MARK, "size": 13, "symbol": "diamond"}, hovertemplate=says,
            customdata=_counted(here[1:], here[:1]),
        )  # fmt: skip
    return _percents(figure, "false positive rate: cats called dogs", "true positive rate: dogs found", height)


def calibration(rows: pd.DataFrame, height: int = 320) -> go.Figure:
    """Draw the reliability diagram: the model's probability against the share of its answers that were right.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `curves.calibration` returns it.
    height : int
        In pixels.

    Examples
    --------
    >>> rows = pd.DataFrame({"low": [0.9], "high": [0.95], "images": [7], "confidence": [0.93], "accuracy": [1.0]})
    >>> calibration(rows).data[0].customdata
    (['7', '100\\xa0%'],)
    """
    figure = go.Figure()
    figure.add_bar(
        x=(rows["low"] + rows["high"]) / 2, y=rows["accuracy"], width=0.9 * (rows["high"] - rows["low"]),
        name="share right", marker={"color": CAT},
        customdata=[
            [f"{images:,.0f}", *right]
            for images, right in zip(rows["images"], _counted(rows["accuracy"]), strict=True)
        ],
        hovertemplate="%{customdata[0]} answers, right in %{customdata[1]}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=rows["confidence"], y=rows["confidence"], name="mean probability", mode="markers",
        marker={"color": MARK, "size": 9, "symbol": "diamond", "line": {"color": "white", "width": 1}},
        customdata=[percent(share) for share in rows["confidence"]],
        hovertemplate="mean probability %{customdata}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[0.5, 1], y=[0.5, 1], name="perfect calibration", mode="lines", line=GUIDE_LINE, hoverinfo="skip"
    )
    figure = _percents(figure, "probability of the answer", "share right", height)
    return figure.update_xaxes(range=[0.49, 1.02], tickvals=[0.5, 0.6, 0.7, 0.8, 0.9, 1])


def thresholds(rows: pd.DataFrame, threshold: float, height: int = 320) -> go.Figure:
    """Draw accuracy, precision and recall against the threshold, and mark the one that is set.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `curves.thresholds` returns it.
    threshold : float
        0 to 1.
    height : int
        In pixels.

    Examples
    --------
    >>> rows = pd.DataFrame({"threshold": [0.5], "accuracy": [1], "precision": [1], "recall": [1]})
    >>> [line.name for line in thresholds(rows, 0.5).data]
    ['accuracy', 'precision', 'recall']
    """
    figure = go.Figure()
    for name, color, dash in (("accuracy", TRAINING, "solid"), ("precision", CAT, "dash"), ("recall", TEST, "dot")):
        figure.add_scatter(
            x=rows["threshold"], y=rows[name], name=name, mode="lines",
            line={"color": color, "width": 2.5, "dash": dash}, customdata=_counted(rows[name]),
            hovertemplate=f"{name} %{{customdata[0]}}<extra></extra>",
        )  # fmt: skip
    figure.add_vline(threshold, line={"color": MARK, "width": 2})
    figure.update_layout(hovermode="x unified")
    return _percents(figure, "threshold", "", height)


def _counted(*columns: Iterable[float]) -> list[list[str]]:
    """Write shares of counted images for the pointer, a list for each point: Plotly's own format rounds up to 100 %."""
    return [[percent(share, counted=True) for share in point] for point in zip(*columns, strict=True)]


def _percents(figure: go.Figure, across: str, up: str, height: int) -> go.Figure:
    """Give a chart of shares its axes, 0 to 100 %, and its legend."""
    figure.update_xaxes(title=across, tickformat=".0%", range=[-0.01, 1.03], zeroline=False, fixedrange=True)
    figure.update_xaxes(tickvals=[0, 0.25, 0.5, 0.75, 1], tickangle=0)
    figure.update_yaxes(title=up, tickformat=".0%", range=[-0.01, 1.02], zeroline=False, fixedrange=True)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    return plain_layout(figure, height).update_layout(margin={"l": 0, "r": 8, "t": 50, "b": 0}, dragmode=False)
