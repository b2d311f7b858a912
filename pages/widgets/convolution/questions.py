"""What people ask about a kernel: why its size is odd, what the bias is for, and why ReLU is needed. A fold each."""

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.convolution import conv2d
from cnn_core.figures.colors import signed_photo, zero_centered
from cnn_core.kernels import KERNELS
from cnn_core.layers.stacked import two_layers
from cnn_core.sliding.operands import SLIDE
from cnn_core.wording import decimal, number, percent, plain
from pages.widgets import number_grid
from pages.widgets.convolution import bench

SECOND = KERNELS["box_blur"]
"""The second of two layers. Its numbers add up to 1, so that the combined kernel is never too large."""

SIDES = range(2, 8)
BIASES = (100, 0, -100)

_ODD = """<style>
.odd-even {display: flex; flex-wrap: wrap; gap: .5rem 2.5rem} .odd-even figure {margin: 0}
.odd-even figcaption {font-size: .875rem; margin-top: .3rem}
.odd-even .cells {position: relative; display: grid; gap: 2px; width: max-content}
.odd-even .cells i {width: 2rem; height: 2rem; background: #8884; border-radius: .2rem}
.odd-even .cells i.middle {background: #D55E00}
.odd-even .cells b {position: absolute; left: 50%; top: 50%; width: .8rem; height: .8rem; margin: -.4rem;
  border-radius: 50%; background: #D55E00}
</style>"""


def show(image: np.ndarray) -> None:
    """Draw the folds. Only an open one is filled."""
    st.header("Three questions", divider="gray")
    for question, key, answer in (
        ("Why do kernels have odd sizes?", "why_odd", lambda _: _odd()),
        ("What is the bias for?", "why_bias", _bias),
        ("Why is ReLU needed?", "why_relu", _relu),
    ):
        fold = st.expander(question, key=key, on_change="rerun")
        if fold.open:
            with fold:
                answer(image)


def _odd() -> None:
    st.html(
        f'{_ODD}<div class="odd-even">{_cells(3, "3 × 3: the middle is a cell")}'
        f"{_cells(4, '4 × 4: the middle is a corner')}</div>"
    )
    st.markdown(
        "A kernel with an odd side has a **middle cell**. So its result belongs to one pixel, the one under that cell, "
        "with as many neighbors on the left as on the right. The middle of an even kernel lies between four pixels."
    )
    st.markdown(
        "“Same” padding puts zeros around the picture so that the map is as large as the picture. An odd kernel needs "
        "as many on one side as on the other. An even kernel needs one more on the right, and the map shifts by half a "
        "pixel."
    )
    added = [SLIDE.pads(100, side, 1, "same") for side in SIDES]
    st.table(
        {
            "Kernel": [f"{side} × {side}" for side in SIDES],
            "Zeros on the left": [left for left, _ in added],
            "Zeros on the right": [right for _, right in added],
        },
        hide_index=True,
        width="content",
    )


def _cells(side: int, caption: str) -> str:
    """Draw a kernel of side × side cells with its middle marked."""
    odd = side % 2
    cells = "".join(f"<i{' class=middle' * (odd and at == side * side // 2)}></i>" for at in range(side * side))
    point = "" if odd else "<b></b>"
    return (
        f'<figure><div class="cells" aria-hidden="true" style="grid-template-columns: repeat({side}, 2rem)">'
        f"{cells}{point}</div><figcaption>{caption}</figcaption></figure>"
    )


def _bias(image: np.ndarray) -> None:
    st.markdown(
        "The **bias** is one number that is added to every sum. It does not change what the kernel looks for. It "
        "sets how strong the result must be: with a bias of −100, ReLU keeps only sums above 100."
    )
    try:
        source, kernel, _ = bench.arguments(image)
        passed = [conv2d(source, kernel, bias=bias) > 0 for bias in BIASES]
    except CnnLabError as error:
        st.info(plain(error))
        return
    st.table(
        {
            "Bias": [number(bias) for bias in BIASES],
            "Values above 0 with this kernel": [percent(float(values.mean()), counted=True) for values in passed],
        },
        hide_index=True,
        width="content",
    )
    st.markdown(
        "In a network nobody chooses the bias: it is learned together with the kernel. Without a bias, a window of "
        "zeros would always give 0, with any kernel. Try it above: turn on ReLU and lower the bias. Only the strongest "
        "places stay."
    )


def _relu(image: np.ndarray) -> None:
    try:
        source, kernel, _ = bench.arguments(image)
        both = two_layers(source, kernel, SECOND.values)
    except CnnLabError as error:
        st.info(plain(error))
        return
    size, combined = " × ".join(map(str, SECOND.values.shape)), " × ".join(map(str, both.combined.shape[:2]))
    _, limit = zero_centered(both.one)
    for place, feature_map, title, distance in zip(
        st.columns(3, gap="medium"),
        (both.linear, both.one, both.relu),
        ("Two layers", "One layer", "Two layers with ReLU between them"),
        (both.linear_difference, None, both.relu_difference),
        strict=True,
    ):
        signed = feature_map.ndim == 3
        colors = signed_photo(feature_map, limit) if signed else zero_centered(feature_map, limit)[0]
        place.image(colors, width="stretch", alt=f"Feature map of this: {title.lower()}")
        place.markdown(f"**{title}**")
        if distance is None:
            place.markdown(f"One kernel of {combined}. Its largest value is {number(both.largest)}.")
        else:
            place.markdown(f"Largest difference from the one layer: **{decimal(distance)}**")
    st.html(number_grid.scale(limit, "The scale of all three maps"))
    if both.relu_matters:
        st.markdown(
            f"**Two layers**: the kernel above slides over the picture, and a second one ({SECOND.title}, {size}) over "
            f"its map. **One layer**: a single kernel of {combined} gives the same map, except for rounding. So two "
            "layers that only multiply and add are no better than one, and neither are a hundred. **ReLU** between "
            "them sets every value below 0 to 0. No single kernel can do that, so now the second layer is useful."
        )
    else:
        st.markdown(
            "The kernel above gives no value below 0 on this picture, so ReLU has nothing to change: all three maps "
            "are the same. Choose a kernel that finds edges, such as Sobel, to see the difference."
        )
    if both.combined.ndim == 2:
        with st.popover(f"The numbers of the {combined} kernel"):
            st.html(number_grid.kernel(both.combined[..., np.newaxis], [f"Combined, {combined}"]))
