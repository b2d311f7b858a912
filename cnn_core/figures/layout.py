"""What all of the app's charts share."""

from typing import Any

import plotly.graph_objects as go

from cnn_core.figures.colors import GUIDE

MAX_POINTS = 800
"""The most points in a line: more than a screen has columns only cost time."""

GUIDE_LINE = {"color": GUIDE, "width": 1, "dash": "dot"}
"""A line that only helps to read a chart."""

NO_BUTTONS = {"displayModeBar": False}
"""Plotly's configuration of a chart without a toolbar."""


def app_look(height: int) -> dict[str, Any]:
    """Return the look of this app's charts: no margins, transparent background, `height` in pixels."""
    return {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 24, "b": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


def plain_layout(figure: go.Figure, height: int) -> go.Figure:
    """Give `figure` that look."""
    return figure.update_layout(app_look(height))
