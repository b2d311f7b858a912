"""Lesson 2: a kernel slides over the picture, and the numbers it gives are the feature map."""

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.convolution import ConvolutionError, conv2d, output_size
from cnn_core.scripts import lessons
from cnn_core.wording import number, percent, plain
from pages.widgets import code_panel, picture
from pages.widgets.convolution import bench, network_kernels, ordinary, questions
from pages.widgets.kernel_lab import in_place, mount

LONGEST = 1024  # pixels a side; the picture is shrunk to it, so that every edit shows its result at once
LAB = "convolution_lab"


def main() -> None:
    """Explain the idea, then draw the part that answers every edit."""
    st.markdown(
        "A **kernel**, a small table of numbers, slides over the picture. At each stop its numbers are multiplied by "
        "the pixels under them and the products are added up: that is one number of the **feature map**."
    )
    bench.read_address()
    image, name = picture.current(LONGEST)
    if note := picture.shrunk(image):
        st.caption(note)
    _lesson(image, name)


@st.fragment
def _lesson(image: np.ndarray, name: str) -> None:
    """Show the lab, or without it ordinary controls; then what Python says about the same kernel."""
    models, kernels = network_kernels.models(), network_kernels.kernels
    refused = in_place.show(
        LAB,
        lambda: mount.convolution(image, name, bench.for_lab(), _take, models, kernels),
        lambda: ordinary.show(image, name),
        bench.warning(),
    )
    bench.write_address()
    _facts(image)
    settings = bench.current()
    tables = settings["kernel"]
    code_panel.show(
        lessons.convolution(
            np.moveaxis(tables, 0, -1) if len(tables) > 1 and not bench.preset(tables) else tables[0],
            **{name: settings[name] for name in ("stride", "padding", "bias", "relu", "channel")},
        )
    )
    if refused or mount.ready(LAB):  # to load TensorFlow first would keep the lab waiting
        network_kernels.answer(image, name)
    questions.show(image)


def _take(settings: dict) -> None:
    try:
        bench.from_lab(settings)
    except ConvolutionError as error:
        st.toast(plain(error))


def _facts(image: np.ndarray) -> None:
    """Say how large the map is, by which formula, and which values Python finds in it."""
    settings = bench.current()
    try:
        source, kernel, options = bench.arguments(image)
        feature_map = conv2d(source, kernel, **options)
    except CnnLabError as error:
        if mount.ready(LAB):
            st.error(plain(error))
        return
    side, stride, same = kernel.shape[0], settings["stride"], settings["padding"] == "same"
    formula = "⌈size / stride⌉" if same else "⌊(size − kernel) / stride⌋ + 1"
    sides = [
        (f"⌈{size} / {stride}⌉" if same else f"⌊({size} − {side}) / {stride}⌋ + 1")
        + f" = **{output_size(size, side, stride=stride, padding=settings['padding'])}**"
        for size in image.shape[:2]
    ]
    st.markdown(
        f"Size of the map with “{settings['padding']}” padding: {formula}. Height {sides[0]}, width {sides[1]}: "
        f"from {image.shape[0]} × {image.shape[1]} pixels to "
        f"**{feature_map.shape[0]} × {feature_map.shape[1]}** numbers."
    )
    below = percent(np.count_nonzero(feature_map < 0) / feature_map.size, counted=True)
    st.markdown(
        f"Computed in Python with `conv2d`: values from {number(feature_map.min())} to {number(feature_map.max())}, "
        f"mean {number(feature_map.mean())}. {below} of the values are below 0."
    )


main()
