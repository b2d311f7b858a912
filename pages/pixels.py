"""Lesson 1: a picture is numbers."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from cnn_core.pixels import CHANNELS, ImageError, fit, split_channels, tint_channel, to_binary, to_grayscale
from cnn_core.scripts import lessons
from cnn_core.wording import plain
from pages.widgets import code_panel, controls, picture
from pages.widgets.kernel_lab import in_place, mount
from pages.widgets.pixels import bench, ordinary

# A larger picture is shrunk for the whole page, and the page says so: all its numbers are in the browser,
# and whatever Python prints and the code computes are numbers of that same picture.
LONGEST = 1024
LONGEST_CHANNEL = 640  # of the pictures of the channels


def main() -> None:
    """Show the picture, the numbers it consists of, its channels, and the picture in black and white."""
    image, name = picture.current(LONGEST)
    height, width = image.shape[:2]
    note = picture.shrunk(image)
    shrunk = (height, width) if note else None

    st.markdown(
        f"To a computer this picture is a table of **{height} rows × {width} columns**. Each cell has three numbers: "
        "how much **red**, **green** and **blue** light the pixel gives, each from 0 (none) to 255 (most)."
    )
    if note:
        st.info(f"{note} All numbers below are those of the smaller picture.")
    bench.read_address()
    _zoom(image, name, shrunk)
    st.header("Three channels", divider="gray")
    _channels(image, name)
    st.header("Black and white", divider="gray")
    _black_and_white(to_grayscale(image), name, shrunk)


@st.fragment
def _zoom(image: np.ndarray, name: str, shrunk: tuple[int, int] | None) -> None:
    """Let the visitor look at every pixel, and print the numbers of the chosen window."""
    _lab(
        "pixel_lab",
        bench.WINDOW,
        lambda take: mount.pixels(image, name, bench.for_lab(image), take),
        lambda: ordinary.window(image, name),
    )
    top, left, values = bench.window(image)
    settings = bench.current()
    numbers, _ = bench.numbers(values)
    array = "image" if settings["numbers"] == "all" else settings["numbers"]
    place = f"{top}:{top + values.shape[0]}, {left}:{left + values.shape[1]}"
    whole = f">>> image.shape, image.dtype\n({image.shape}, {image.dtype})\n>>> print(image)\n{image}"
    code_panel.show_printed(f"{whole}\n>>> print({array}[{place}])\n{numbers}", "printed")
    code_panel.show(lessons.pixels(top, left, settings["size"], shrunk))


def _channels(image: np.ndarray, name: str) -> None:
    st.markdown(
        "Each channel is itself a picture. In color, it shows the light that it adds. In gray, it shows how "
        "strong this light is: white is 255, black is 0. Where all three channels are bright, the picture is white."
    )
    for place, channel, full, color in zip(
        st.columns(3), split_channels(fit(image, LONGEST_CHANNEL)), split_channels(image), CHANNELS, strict=True
    ):
        with place, st.container(key=f"channel_{color}"):
            st.subheader(color.capitalize())
            st.image(tint_channel(channel, color), width="stretch", alt=f"{name}, {color} light only")
            st.image(channel, width="stretch", alt=f"{name}, its {color} channel in gray")
            st.caption(f"From {full.min()} to {full.max()}, on average {full.mean():.1f}")


@st.fragment
def _black_and_white(gray: np.ndarray, name: str, shrunk: tuple[int, int] | None) -> None:
    """Let the visitor move the threshold, and print the bits that are left."""
    st.markdown(
        "Converted to brightness, each pixel keeps one number. If it is at least the threshold, the pixel becomes "
        "1 (white), otherwise 0 (black): one bit per pixel."
    )
    _lab(
        "threshold_lab",
        bench.BLACK_AND_WHITE,
        lambda take: mount.threshold(gray, name, {"threshold": bench.current()["threshold"]}, take),
        lambda: ordinary.black_and_white(gray, name),
    )
    threshold = bench.current()["threshold"]
    code_panel.show_printed(
        f">>> print((gray >= {threshold}).astype('uint8'))\n{to_binary(gray, threshold)}", "printed_black_and_white"
    )
    code_panel.show(lessons.black_and_white(threshold, shrunk), "code_black_and_white")


def _lab(
    name: str,
    part: Mapping[str, controls.Control],
    show: Callable[[Callable[[dict[str, Any]], None]], None],
    show_ordinary: Callable[[], None],
) -> None:
    """Show the lab of that name, or without it ordinary controls, and keep its part of the bench in the address."""

    def take(settings: dict[str, Any]) -> None:
        try:
            bench.from_lab(settings, part)
        except ImageError as error:
            st.toast(plain(error))

    in_place.show(name, lambda: show(take), show_ordinary, bench.warning() if part is bench.WINDOW else None)
    bench.write_address()


main()
