"""The app's logo, icon and spacing. Its colors are in .streamlit/config.toml."""

import numpy as np
from PIL import Image, ImageColor

_GRID = (("#56B4E9", "#2382C8", "#56B4E9"), ("#2382C8", "#D55E00", "#2382C8"), ("#56B4E9", "#2382C8", "#56B4E9"))
"""A 3×3 kernel in colors that are visible on light and on dark backgrounds."""

_CELLS = "".join(
    f'<rect x="{8 * column}" y="{8 * row}" width="7" height="7" rx="1.5" fill="{color}"/>'
    for row, colors in enumerate(_GRID)
    for column, color in enumerate(colors)
)

LOGO = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 124 24" width="248" height="48">{_CELLS}<g fill="none" '
    'stroke="#2382C8" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">'
    '<circle cx="103.5" cy="14.8" r="4.2"/><circle cx="118.2" cy="14.8" r="4.2"/>'
    '<path d="M44 7.8A7 7 0 1 0 44 16.2M50.5 19V5L60 19V5M66.5 19V5L76 19V5M88 5V19H95.5M107.7 10.6V19M114 5V19"/>'
    "</g></svg>"
)
"""The kernel and the app's name. The letters are paths because an SVG image cannot use the page's font."""

_COLORS = [[ImageColor.getrgb(color) for color in row] for row in _GRID]
ICON = Image.fromarray(np.kron(_COLORS, np.ones((16, 16, 1))).astype(np.uint8))
"""The kernel, for the browser tab. An image, because Streamlit would download a named icon from the network."""

STYLE = "<style>.stMainBlockContainer {padding-top: 4rem}</style>"
"""Less space above the page: Streamlit reserves it for a toolbar that this app does not show."""
