"""Lesson 3: pooling keeps one number of each window, so that the map becomes smaller."""

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.chain import Pooling, receptive_field, run
from cnn_core.pixels import to_grayscale
from cnn_core.scripts import chain_script
from cnn_core.wording import number, percent, plain
from pages.widgets import code_panel, picture
from pages.widgets.kernel_lab import in_place, mount
from pages.widgets.pooling import ordinary, stages, why_max

LONGEST = 384
LAB = "chain_lab"


def main() -> None:
    """Explain the idea, then draw the part that answers every control."""
    st.markdown(
        "A window slides over the feature map and keeps **one number** at each stop: the largest (max pooling) or the "
        "mean (average pooling). The map still shows what was found, but **where** it was found becomes less exact. "
        "The next layer has less to compute: a quarter, if the window is 2×2 and moves by 2."
    )
    stages.read_address()
    image, name = picture.current(LONGEST)
    if note := picture.shrunk(image):
        st.caption(note)
    _lesson(image, name)
    why_max.show()


@st.fragment
def _lesson(image: np.ndarray, name: str) -> None:
    """Show the lab, or without it ordinary controls; then what Python says about the same chain."""
    gray = to_grayscale(image)
    in_place.show(
        LAB,
        lambda: mount.chain(image, name, stages.for_lab(), _take),
        lambda: ordinary.show(gray, name),
        stages.warning(),
    )
    stages.write_address()
    _facts(gray)
    code_panel.show(chain_script.chain(stages.current()))


def _take(settings: dict) -> None:
    try:
        stages.from_lab(settings)
    except CnnLabError as error:
        st.toast(plain(error))


def _facts(gray: np.ndarray) -> None:
    """Say how much smaller the pooling makes its map, and what one value of the last map depends on."""
    chain = stages.current()
    try:
        maps = run(gray, chain)
    except CnnLabError as error:
        if mount.ready(LAB):
            st.error(plain(error))
        return
    for place, stage in enumerate(chain):
        if isinstance(stage, Pooling):
            before, after = maps[place], maps[place + 1]
            st.markdown(
                f"From {before.shape[0]} × {before.shape[1]} to **{after.shape[0]} × {after.shape[1]}** numbers: "
                f"**{percent(1 - after.size / before.size, 0, counted=True)}** fewer. "
                "Pooling has no weights: there is nothing to learn in it."
            )
            break
    last = maps[-1]
    row, column = last.shape[0] // 2, last.shape[1] // 2
    top, left, bottom, right = receptive_field([values.shape for values in maps[:-1]], chain, row, column)
    st.markdown(
        f"Each value of the last map depends on **{bottom - top} × {right - left} pixels** of the picture, its "
        f"**receptive field**. Computed in Python with `chain.run`: the last map has values from {number(last.min())} "
        f"to {number(last.max())}."
    )


main()
