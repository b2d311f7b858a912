"""Why max pooling and not average pooling: on numbers where it is true, and where it is not."""

import numpy as np
import streamlit as st

from cnn_core.chain import Pooling, run
from pages.widgets import number_grid

FOUND = np.zeros((8, 8))
FOUND[2, 5] = FOUND[3, 2] = FOUND[6, 6] = 80


def show() -> None:
    """Pool the same small map twice, by both rules."""
    st.header("Why the largest number, and not the mean?", divider="gray")
    st.markdown(
        "After ReLU most of a map is 0: the kernel has found nothing there. Here it has found something in three "
        "places. Max pooling keeps each **80**: the next layer still sees how strong the match was. Average "
        "pooling takes the mean with the zeros around it, so the number shrinks: **20**, then **5**."
    )
    for rule, pooling in (("Max pooling", Pooling("max")), ("Average pooling", Pooling("average"))):
        maps = run(FOUND, [pooling, pooling])
        st.html(number_grid.maps(maps, [f"{rule}: before", "after one pooling", "after two"]))
    with st.expander("When is the mean better?"):
        st.markdown(
            "When all values of the window matter, not only the strongest: for brightness, or to reduce noise. Many "
            "networks end with a mean over the whole map (*global average pooling*). \n\n"
            "Max pooling before ReLU would lose negative values: the largest of −80 and 0 is 0. That is why the "
            "order is convolution, ReLU, pooling. A kernel with the opposite signs finds the negative edges."
        )
