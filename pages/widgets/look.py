"""What makes the app look like CNN Lab; its colours are in .streamlit/config.toml."""

import numpy as np
from PIL import Image, ImageColor

_GRID = (("#56B4E9", "#2382C8", "#56B4E9"), ("#2382C8", "#D55E00", "#2382C8"), ("#56B4E9", "#2382C8", "#56B4E9"))
"""A 3×3 kernel in colours that read on light and on dark."""

_CELLS = "".join(
    f'<rect x="{8 * column}" y="{8 * row}" width="7" height="7" rx="1.5" fill="{colour}"/>'
    for row, colours in enumerate(_GRID)
    for column, colour in enumerate(colours)
)

LOGO = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 124 24" width="248" height="48">{_CELLS}<g fill="none" '
    'stroke="#2382C8" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">'
    '<circle cx="103.5" cy="14.8" r="4.2"/><circle cx="118.2" cy="14.8" r="4.2"/>'
    '<path d="M44 7.8A7 7 0 1 0 44 16.2M50.5 19V5L60 19V5M66.5 19V5L76 19V5M88 5V19H95.5M107.7 10.6V19M114 5V19"/>'
    "</g></svg>"
)
"""The kernel and the app's name, drawn: an SVG cannot use the page's font."""

_COLOURS = [[ImageColor.getrgb(colour) for colour in row] for row in _GRID]
ICON = Image.fromarray(np.kron(_COLOURS, np.ones((16, 16, 1))).astype(np.uint8))
"""The kernel alone, for the browser's tab. As pixels: Streamlit would fetch a named icon from the network."""

STYLE = "<style>.stMainBlockContainer {padding-top: 4rem}</style>"
"""Streamlit leaves room for a toolbar that this app does not show."""
