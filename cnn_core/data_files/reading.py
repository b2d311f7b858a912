"""Going through the files of a dataset: listing them, doing something with each, decoding all to one size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from cnn_core.pixels import open_image, resize

T = TypeVar("T")
Progress = Callable[[int, int, str], None]
"""Called as ``progress(done, total, what)`` while something takes long; a total of 0 is not known yet."""


def listed(folder: Path, progress: Progress | None) -> list[str]:
    """List all files below a folder: their paths inside it, with "/" between the parts, in the order of the parts."""
    found: list[str] = []
    for root, _, names in os.walk(folder):
        inside = Path(root).relative_to(folder).as_posix()
        found += names if inside == "." else [f"{inside}/{name}" for name in names]
        if progress:
            progress(len(found), 0, "Looking for pictures")
    return sorted(found, key=lambda name: name.split("/"))


def decode(files: list[Path], size: int, target: Path, progress: Progress | None) -> None:
    """Write all images as one ``.npy`` file: uint8 (N, size, size, 3).

    Raises
    ------
    ImageError
        When one of them cannot be read.
    OSError
        When the disk is full.
    """
    shape = (len(files), size, size, 3)
    with target.open("wb") as raw:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(raw, header)

        def read(file: Path) -> bytes:
            return resize(open_image(file), size, size).tobytes()

        for image in in_threads(read, files, progress, "Reading the pictures"):
            raw.write(image)


def in_threads(do: Callable[[Path], T], files: list[Path], progress: Progress | None, what: str) -> Iterator[T]:
    """Yield ``do(file)`` for every file, in order; Pillow decodes outside Python's lock, so threads help."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(files), 500):  # in slices, so that results do not pile up in memory
            yield from pool.map(do, files[start : start + 500])
            if progress:
                progress(min(start + 500, len(files)), len(files), what)
