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

STYLE = """<style>
.stMainBlockContainer {padding-top: 4rem}
[data-testid=stCaptionContainer] {opacity: .8}
[data-testid=stBaseButton-primary], [data-testid=stBaseButton-primary]:is(:hover, :focus, :active),
.stMultiSelect [data-tag] {color: light-dark(#FFFFFF, #0B1016)}
.stElementToolbar:focus-within {opacity: 1}
.stSidebar[data-collapsed=true] {visibility: hidden}
:is([data-testid=stSidebarNavLink], .stPageLink a, .stElementToolbar button):focus-visible,
:is(.stRadio, .stCheckbox) label:has(input:focus-visible) {outline: 3px solid light-dark(#0072B2, #3B97DE)}
.stCode pre .token:is(.comment, .punctuation) {color: light-dark(#59636E, #9AA3AF)}
.stCode pre .token.keyword {color: light-dark(#0064A8, #5FB2F5)}
.stCode pre .token.string {color: light-dark(#0B7038, #4FCB85)}
.stCode pre .token:is(.number, .boolean) {color: light-dark(#00707A, #4CC9BD)}
.stCode pre .token.operator {color: light-dark(#A84300, #F58A45)}
</style>"""
"""Less space above the page, which Streamlit reserves for a toolbar that this app does not show. Captions, code, and
what stands on the primary color, that can be read: Streamlit's own have contrasts of 4.2, 2.4 and, in the dark, 3.2.
WCAG asks for 4.5. A frame around what the keyboard has reached, where Streamlit shows only a pale color or nothing.
The Tab key passes over a sidebar that is folded away.
"""
