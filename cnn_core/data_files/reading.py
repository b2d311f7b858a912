"""Doing something with every image of a dataset: which can be read, and what they are at one size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from cnn_core.pixels import ImageError, open_image, resize
from cnn_core.storage.cache import cached, fingerprint

T = TypeVar("T")
Progress = Callable[[int, int, str], None]
"""Called as ``progress(done, total, what)`` while something takes long."""


def broken(files: list[Path], progress: Progress | None) -> list[Path]:
    """Return the files that are no readable images; kept in the cache while the files stay the same."""

    def is_broken(file: Path) -> bool:
        try:
            open_image(file)
        except (ImageError, OSError):
            return True
        return False

    def write(path: Path) -> None:
        flags = list(in_threads(is_broken, files, progress, "Checking the images"))
        names = [str(file) for file, flag in zip(files, flags, strict=True) if flag]
        path.write_text("\n".join(names), encoding="utf-8")

    known = cached("broken", [fingerprint(files)], write, ".txt")
    return [Path(name) for name in known.read_text(encoding="utf-8").splitlines()]


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
