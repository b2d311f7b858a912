"""The frames of a replayed training as pictures: the photo with its heat map, the kernels with their maps, a GIF."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cnn_core.explain import overlay
from cnn_core.figures.colors import CAT, DOG, signed_photo, zero_centered
from cnn_core.pixels import resize
from cnn_core.replay import Frame, most_changed

TILE = 72
"""The side of a kernel and of a map in a picture, in pixels."""

GAP = 4

FRAME_SECONDS, LAST_SECONDS = 0.7, 2.5
"""How long a replay shows a frame, on the page and in the GIF, and how long the GIF shows the last one."""

WIDTH, HEIGHT = 640, 440
"""Of the GIF, in pixels."""


def photo(frame: Frame, image: NDArray[np.uint8], label: str, side: int = 256) -> NDArray[np.uint8]:
    """Return the photo as the network sees it, with the heat map of a class over it, (side, side, 3) uint8."""
    heat = frame.heat[label]
    return resize(overlay(resize(image, *heat.shape), heat, 0.55), side, side)


def tiles(frames: Sequence[Frame], at: int, chosen: Sequence[int]) -> list[NDArray[np.uint8]]:
    """Return a picture for each chosen kernel of a frame: the kernel in color, and below it the map that it makes.

    Parameters
    ----------
    frames : sequence of Frame
        Of the whole replay: all of them share one scale of colors, so that what changes is the network.
    at : int
        Which frame.
    chosen : sequence of int
        Numbers of kernels.

    Returns
    -------
    list of ndarray of uint8, shape (2 `TILE` + `GAP`, `TILE`, 3)
        In a kernel middle gray is zero; one of a single channel is gray. In a map white is zero, red above it, and
        blue below.
    """
    strongest = max(float(np.abs(frame.kernels).max()) for frame in frames)
    pictures = []
    for number in chosen:
        limit = max(float(np.abs(frame.maps[..., number]).max()) for frame in frames)
        kernel = signed_photo(frames[at].kernels[..., number], strongest or 1.0)
        kernel = np.broadcast_to(kernel, (*kernel.shape[:2], 3))  # one channel becomes gray
        colors, _ = zero_centered(frames[at].maps[..., number], limit or 1.0)
        gap = np.full((GAP, TILE, 3), 128, np.uint8)
        pictures.append(np.concatenate([_squares(kernel), gap, _squares(colors)]))
    return pictures


def gif(frames: Sequence[Frame], image: NDArray[np.uint8], label: str, moments: Sequence[str]) -> bytes:
    """Return a replay as an animated GIF that repeats.

    Parameters
    ----------
    frames : sequence of Frame
    image : (H, W, 3) uint8
        The photo that the frames are about.
    label : {"cat", "dog"}
        The class whose heat map is shown.
    moments : sequence of str
        The name of each frame's moment.
    """
    chosen = most_changed(frames)
    pages = [_page(frames, at, image, label, moments[at], chosen) for at in range(len(frames))]
    times = [int(1000 * FRAME_SECONDS)] * (len(pages) - 1) + [int(1000 * LAST_SECONDS)]
    file = io.BytesIO()
    pages[0].save(file, "GIF", save_all=True, append_images=pages[1:], duration=times, loop=0)
    return file.getvalue()


def _page(
    frames: Sequence[Frame], at: int, image: NDArray[np.uint8], label: str, moment: str, chosen: Sequence[int]
) -> Image.Image:
    frame, side = frames[at], 240
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    page.paste(Image.fromarray(photo(frame, image, label, side)), (16, 16))
    pen, left, right = ImageDraw.Draw(page), side + 40, WIDTH - 16
    for top, size, text in (
        (20, 26, moment.capitalize()),
        (64, 34, frame.prediction.sentence),
        (196, 15, f"Bright: raises the score for {label}"),
        (220, 15, f"Below: kernels of {frame.layer}, and their maps"),
    ):
        pen.text((left, top), text, "black", ImageFont.load_default(size))
    share = frame.prediction.probabilities["cat"]
    pen.rectangle((left, 124, right, 148), DOG)
    pen.rectangle((left, 124, left + round((right - left) * share), 148), CAT)
    pen.text((left, 154), "cat", CAT, ImageFont.load_default(16))
    pen.text((right, 154), "dog", DOG, ImageFont.load_default(16), anchor="ra")
    for number, tile in enumerate(tiles(frames, at, chosen)):
        page.paste(Image.fromarray(tile), (16 + number * (TILE + 5), side + 36))
    return page


def _squares(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge or shrink a picture to a tile in which each number stays a square."""
    return np.asarray(Image.fromarray(colors).resize((TILE, TILE), Image.Resampling.NEAREST))
