"""Small tables of numbers as HTML: the arithmetic of one stop of the window, and the scale of a colored map.

They are HTML because they are redrawn with every edit of a kernel: a Plotly chart would take longer than the rest of
the page.
"""

import html

import numpy as np

from cnn_core.convolution import Step
from cnn_core.figures.colors import as_photo, text_colors, zero_centered
from cnn_core.wording import number

_STYLE = """<style>
.step {display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; font-variant-numeric: tabular-nums}
.step figure {margin: 0} .step figcaption {font-size: .8rem; opacity: .75; margin-bottom: .2rem}
.step table {border-collapse: collapse; margin: 0}
.step td {border: 1px solid #8886; padding: 0 .35rem; min-width: 3.2rem; height: 2rem; text-align: center}
.step td.padding {border-style: dashed; border-color: #888}
.step .sign {font-size: 1.4rem} .step .result {font-size: 1.05rem; line-height: 1.7; flex-basis: 100%}
.scale {display: flex; align-items: center; gap: .5rem; font-size: .8rem; font-variant-numeric: tabular-nums}
.scale i {flex: 1; height: .7rem; border: 1px solid #8886; border-radius: .2rem}
@media (max-width: 640px) {
  .step {gap: .3rem} .step td {min-width: 1.9rem; padding: 0 .1rem; font-size: .8rem} .step .sign {font-size: 1rem}
}
</style>"""


def scale(limit: float, caption: str) -> str:
    """Return the legend of a zero-centered map as HTML."""
    places, _ = zero_centered(np.linspace(-1, 1, 9), 1)
    stops = ", ".join(_css(color) for color in places)
    low, high = number(-limit), number(limit)
    bar = f'<i style="background: linear-gradient(to right, {stops})"></i>'
    return (
        f'{_STYLE}<div class="scale" role="img" aria-label="Scale: {low} is blue, 0 is white, {high} is red">'
        f'<span>{low}</span>{bar}<span>{high}</span></div><div class="scale">{html.escape(caption)}</div>'
    )


def arithmetic(step: Step, channels: list[str], shape: tuple[int, ...], bias: float, relu: bool) -> str:
    """Return window × kernel = products as tables, one line per channel, and the sum down to the value, as HTML.

    `shape` is the picture's: cells of the window outside it are drawn as padding.
    """
    row, column = np.ogrid[: step.window.shape[0], : step.window.shape[1]]
    row, column = row + step.top, column + step.left
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    windows, kernels, products = (np.atleast_3d(values) for values in (step.window, step.kernel, step.products))
    lines = []
    for place, channel in enumerate(channels):
        window, kernel, product = windows[..., place], kernels[..., place], products[..., place]
        shade = np.repeat(as_photo(window)[..., None], 3, axis=2)
        lines += [
            _table(f"Window, {channel}", window, shade, inside),
            '<span class="sign">×</span>',
            _table("Kernel", kernel, zero_centered(kernel, float(abs(kernels).max()) or 1)[0]),
            '<span class="sign">=</span>',
            _table("Products", product, zero_centered(product, float(abs(products).max()) or 1)[0]),
        ]
        lines.append('<span style="flex-basis: 100%; height: 0"></span>')
    total, value = float(step.sum), float(step.value)
    parts = [f"Sum of the {products.size} products: <b>{number(total)}</b>"]
    if bias:
        parts[0] += f" {'+' if bias > 0 else '−'} bias {number(abs(bias))} = <b>{number(total + bias)}</b>"
    if relu:
        parts.append(f"through ReLU, max(0, {number(total + bias)}): <b>{number(value)}</b>")
    return f'{_STYLE}<div class="step">{"".join(lines)}<div class="result">{" → ".join(parts)}</div></div>'


def kernel(values: np.ndarray, captions: list[str]) -> str:
    """Return a kernel (height, width, channels) as tables, one per channel, each under its caption, as HTML."""
    colors, _ = zero_centered(values, float(abs(values).max()) or 1)
    tables = [_table(caption, values[..., at], colors[:, :, at]) for at, caption in enumerate(captions)]
    return f'{_STYLE}<div class="step">{"".join(tables)}</div>'


def multiplied(window: np.ndarray, kernel: np.ndarray, products: np.ndarray, inside: np.ndarray) -> str:
    """Return window × kernel = products, each (h, w), as three tables in signed colors, as HTML."""
    tables = [
        _table(caption, values, zero_centered(values, float(abs(values).max()) or 1)[0], cells)
        for caption, values, cells in (
            ("Window", window, inside), ("Kernel", kernel, None), ("Products", products, None),
        )
    ]  # fmt: skip
    signs = ('<span class="sign">×</span>', '<span class="sign">=</span>', "")
    lines = "".join(table + sign for table, sign in zip(tables, signs, strict=True))
    return f'{_STYLE}<div class="step">{lines}</div>'


def maps(values: list[np.ndarray], captions: list[str]) -> str:
    """Return small maps of one scale as tables, one after the other, as HTML."""
    limit = max(float(abs(one).max()) for one in values) or 1
    tables = [_table(caption, one, zero_centered(one, limit)[0]) for caption, one in zip(captions, values, strict=True)]
    arrow = '<span class="sign">→</span>'
    return f'{_STYLE}<div class="step">{arrow.join(tables)}</div>'


def _table(caption: str, values: np.ndarray, colors: np.ndarray, inside: np.ndarray | None = None) -> str:
    rows = []
    for i, row in enumerate(values):
        cells = []
        for j, value in enumerate(row):
            padding = inside is not None and not inside[i, j]
            (ink,) = text_colors(colors[i, j])
            look = (
                'class="padding" title="padding"'
                if padding
                else f'style="background: {_css(colors[i, j])}; color: {ink}"'
            )
            cells.append(f"<td {look}>{number(value)}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<figure><figcaption>{html.escape(caption)}</figcaption><table>{''.join(rows)}</table></figure>"


def _css(color: np.ndarray) -> str:
    return "#" + bytes(color).hex()
