"""Drawings of cats and dogs: a dataset that needs no download and is drawn from a seed.

Coat, markings, eyes, background, light, size, position, tilt and noise have the same distributions for both classes,
and the pink of a cat's ears covers about as much area as that of a dog's tongue, so color is almost no help. The
classes differ in shape: a cat has upright pointed ears, a short muzzle, slit pupils and whiskers; a dog has hanging
ears, a long muzzle, round pupils and often a tongue. A marking may be brighter or darker than its surroundings, so a
linear classifier of the pixels does much worse than a network with several layers.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnn_core.dataset import LABELS, DatasetError, Progress
from cnn_core.storage.cache import cached
from cnn_core.storage.files import replacing

SIZE = 128
"""Height and width of a drawing in pixels: the input size of the article's network."""

DEFAULT_COUNT = 800
"""How many are drawn by default: enough for a run of one minute."""

MAX_COUNT = 20_000
"""The maximum number of drawings in a dataset."""

COATS = ((60, 52, 48), (112, 80, 54), (168, 118, 70), (214, 160, 96), (226, 208, 178), (150, 150, 156), (90, 92, 104))
EYES = ((92, 122, 52), (196, 148, 40), (70, 112, 150), (84, 54, 34))
_SMOOTH = 2  # drawings are made this many times larger and then shrunk, which smooths their edges
_AROUND = np.linspace(0, 2 * np.pi, 28, endpoint=False)
_COSINES, _SINES = np.cos(_AROUND), np.sin(_AROUND)  # an ellipse has as many corners


def draw(label: str, rng: np.random.Generator, size: int = SIZE) -> NDArray[np.uint8]:
    """Draw one cat or dog.

    Parameters
    ----------
    label : {"cat", "dog"}
    rng : numpy.random.Generator
        Source of everything that varies: the same state gives the same drawing.
    size : int
        Height and width in pixels.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)

    Raises
    ------
    DatasetError
        When `label` is neither of the two.

    Examples
    --------
    >>> draw("cat", np.random.default_rng(0)).shape
    (128, 128, 3)
    """
    if label not in LABELS:
        raise DatasetError(f'Only "cat" and "dog" can be drawn, not {label!r}.')
    pet = _Pet(rng, size * _SMOOTH)
    (pet.cat if label == "cat" else pet.dog)()
    image = pet.image.resize((size, size), Image.Resampling.BOX)
    light = rng.uniform(0.85, 1.15)
    lit = np.asarray(image, np.float32) * light
    noisy = rng.normal(0, rng.uniform(2, 8), (size, size, 3))
    noisy += lit
    return np.rint(noisy, out=noisy).clip(0, 255, out=noisy).astype(np.uint8)


def folder(count: int = DEFAULT_COUNT, seed: int = 42, progress: Progress | None = None) -> Path:
    """Return the folder of a drawn dataset, ``cat.0.png`` …, half cats and half dogs. What is not there yet is drawn.

    Parameters
    ----------
    count : int
        Number of images, 4 to `MAX_COUNT`.
    seed : int
        The same seed gives the same images.
    progress : callable, optional
        Called as ``progress(done, total, what)``; what it raises ends the drawing, and what is drawn is kept.

    Raises
    ------
    DatasetError
        When `count` is out of range or the disk is full.
    """
    place = begun(count, seed)
    there = {file.name for file in place.iterdir()}
    try:
        for number, name in enumerate(names(count)):
            if name not in there:
                _save(_drawing(name, seed), place / name)
            if progress and (number % 20 == 19 or number == count - 1):
                progress(number + 1, count, "Drawing cats and dogs")
    except OSError as error:
        raise _unsaved(error) from error
    return place


def begun(count: int = DEFAULT_COUNT, seed: int = 42) -> Path:
    """Return the folder of a drawn dataset as it is now: `draw_file` draws what is missing, as long as it is wanted.

    Raises
    ------
    DatasetError
        As `folder`.
    """
    if not 4 <= count <= MAX_COUNT:
        raise DatasetError(f"From 4 to {MAX_COUNT:,} pictures can be drawn, not {count:,}.")
    try:
        return cached("sketches", [count, seed], Path.mkdir, about=[])
    except OSError as error:
        raise _unsaved(error) from error


def names(count: int) -> list[str]:
    """Return the names of the files in a drawn dataset of this size.

    Examples
    --------
    >>> names(5)
    ['cat.0.png', 'dog.0.png', 'cat.1.png', 'dog.1.png', 'cat.2.png']
    """
    return [f"{LABELS[number % 2]}.{number // 2}.png" for number in range(count)]


def draw_file(file: str | Path, seed: int) -> NDArray[np.uint8]:
    """Draw the image of one file in the folder of a drawn dataset, and keep it there if the disk has room.

    Parameters
    ----------
    file : str or Path
        Its name says which image.
    seed : int
        The dataset's.

    Returns
    -------
    ndarray of uint8, shape (SIZE, SIZE, 3)
    """
    image = _drawing(Path(file).name, seed)
    with suppress(OSError):
        _save(image, Path(file))
    return image


def _drawing(name: str, seed: int) -> NDArray[np.uint8]:
    label, number, _ = name.split(".")
    return draw(label, np.random.default_rng((seed, 2 * int(number) + LABELS.index(label))))


def _save(image: NDArray[np.uint8], file: Path) -> None:
    with replacing(file) as beside:
        Image.fromarray(image).save(beside, compress_type=zlib.Z_HUFFMAN_ONLY)  # nothing repeats itself in noise


def _unsaved(error: OSError) -> DatasetError:
    return DatasetError(f"The drawings could not be saved: {error.strerror}. Free some disk space.")


class _Pet:
    """One pet on its canvas. Coordinates are relative to its head, which is the unit circle, and tilted with it."""

    def __init__(self, rng: np.random.Generator, side: int) -> None:
        self.rng, self.side = rng, side
        self.image = _background(rng, side)
        self.pen = ImageDraw.Draw(self.image)
        self.radius = side * rng.uniform(0.22, 0.29)
        self.center = side * np.array([rng.uniform(0.44, 0.56), rng.uniform(0.41, 0.5)])
        tilt = rng.uniform(-0.22, 0.22)
        self.turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        coat = np.array(COATS[rng.integers(len(COATS))]) + rng.normal(0, 10, 3)
        self.coat = _color(coat)
        self.tones = [self.coat, _color(coat * rng.uniform(0.55, 0.8)), _color(coat * 0.4 + 150)]
        self.eye = EYES[rng.integers(len(EYES))]
        self.ink = _color(np.array([34, 26, 26]) + rng.normal(0, 5, 3))
        self.pink = _color(np.array([220, 114, 122]) + rng.normal(0, 8, 3))

    def tone(self) -> tuple[int, ...]:
        """Return the color of one marking, the same way for both pets: the coat's own, a darker or a brighter one."""
        return self.tones[self.rng.integers(3)]

    def polygon(self, points: list[tuple[float, float]] | NDArray[np.float64], fill: tuple[int, ...]) -> None:
        self.pen.polygon(self._place(points), fill=fill, outline=self.ink)

    def ellipse(self, x: float, y: float, width: float, height: float, fill: tuple[int, ...], lean: float = 0) -> None:
        across, down = width * _COSINES, height * _SINES
        self.polygon(
            np.stack(
                [x + across * np.cos(lean) - down * np.sin(lean), y + across * np.sin(lean) + down * np.cos(lean)], 1
            ),
            fill,
        )

    def line(self, points: list[tuple[float, float]], width: float, fill: tuple[int, ...]) -> None:
        self.pen.line(self._place(points), fill=fill, width=max(1, round(width * self.radius)))

    def body(self, bib: float) -> None:
        """Draw the body. A cat's bib is larger, to balance its smaller ears and muzzle, which are markings too."""
        lean = self.rng.uniform(-0.4, 0.4)
        self.ellipse(lean, 1.9, self.rng.uniform(0.8, 1.15), 1.3, self.coat)
        self.ellipse(lean * 0.8, 1.9, bib, 2 * bib, self.tone())

    def cat(self) -> None:
        self.body(bib=0.6)
        tall, wide = self.rng.uniform(1.45, 1.75), self.rng.uniform(0.75, 0.95)
        ear, inside = self.tone(), self.pink if self.rng.random() < 0.45 else self.tone()
        for side in (-1, 1):
            self.polygon([(side * 0.25, -0.8), (side * wide, -tall), (side * 0.98, -0.2)], ear)
            self.polygon([(side * 0.5, -0.85), (side * wide * 0.95, -tall * 0.85), (side * 0.82, -0.45)], inside)
        self.head()
        self.eyes(0.42, -0.1, 0.06, 0.18)
        muzzle = self.tone()
        for side in (-1, 1):
            self.ellipse(side * 0.17, 0.47, 0.24, 0.19, muzzle)
        self.polygon([(-0.15, 0.25), (0.15, 0.25), (0, 0.42)], self.ink)
        whiskers = self.tones[2] if self.rng.random() < 0.5 else self.ink
        for side in (-1, 1):
            for slope in (-0.14, 0.02, 0.18):
                self.line([(side * 0.3, 0.45), (side * self.rng.uniform(1.1, 1.35), 0.42 + slope)], 0.045, whiskers)

    def dog(self) -> None:
        self.body(bib=0.42)
        self.head()
        drop, lean, ear = self.rng.uniform(0.62, 0.85), self.rng.uniform(0.1, 0.35), self.tone()
        for side in (-1, 1):
            self.ellipse(side * 0.98, 0.12, 0.3, drop, ear, -side * lean)
        self.eyes(0.36, -0.2, 0.1, 0.11)
        if self.rng.random() < 0.8:
            self.ellipse(self.rng.uniform(-0.1, 0.1), 1.02, 0.19, 0.4, self.pink)
        self.ellipse(0, 0.52, 0.46, self.rng.uniform(0.46, 0.58), self.tone())
        self.ellipse(0, 0.28, 0.18, 0.12, self.ink)
        self.line([(-0.3, 0.68), (-0.14, 0.8), (0, 0.7), (0.14, 0.8), (0.3, 0.68)], 0.05, self.ink)
        self.line([(0, 0.4), (0, 0.7)], 0.05, self.ink)

    def eyes(self, apart: float, high: float, across: float, down: float) -> None:
        """Draw two eyes with pupils of half-width `across` and half-height `down`."""
        for side in (-1, 1):
            self.ellipse(side * apart, high, 0.2, 0.19, self.eye)
            self.ellipse(side * apart, high, across, down, self.ink)

    def head(self) -> None:
        self.ellipse(0, 0, 1, self.rng.uniform(0.88, 1.02), self.coat)
        pattern, color = self.rng.integers(3), self.tone()
        if pattern == 1:
            for x in (-0.25, 0, 0.25):
                self.line([(x, -0.85), (x * 0.8, -0.45)], 0.1, color)
        elif pattern == 2:
            self.ellipse(self.rng.choice([-0.42, 0.42]), -0.15, 0.36, 0.4, color)

    def _place(self, points: list[tuple[float, float]] | NDArray[np.float64]) -> list[float]:
        """Return where points lie on the canvas: x, y, x, y …"""
        placed: list[float] = (np.asarray(points, float) @ self.turn.T * self.radius + self.center).ravel().tolist()
        return placed


def _background(rng: np.random.Generator, side: int) -> Image.Image:
    top, bottom = rng.uniform(80, 210, 3), rng.uniform(80, 210, 3)
    mix = np.linspace(0, 1, side)[:, None, None]
    column = Image.fromarray((top * (1 - mix) + bottom * mix).astype(np.uint8))
    image = column.resize((side, side), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 5)):
        x, y = side * rng.uniform(-0.1, 0.9, 2)
        width, height = side * rng.uniform(1 / 32, 1 / 2, 2)
        shape = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        shape((x, y, x + width, y + height), fill=_color(rng.uniform(80, 210, 3)))
    return image


def _color(values: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(value) for value in np.clip(values, 0, 255))
