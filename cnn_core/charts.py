"""Arrays and tables become Plotly figures. Colours are safe for colour-blind eyes and read on light and dark.

A signed map (a kernel, a feature map) is always shown on a scale whose middle is zero.
"""

import plotly.graph_objects as go

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
