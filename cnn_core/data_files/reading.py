"""Going through the files of a dataset: listing them, doing something with each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Progress = Callable[[int, int, str], None]
"""Called as ``progress(done, total, what)`` while something takes long; a total of 0 is not known yet."""


def listed(folder: Path, progress: Progress | None) -> list[str]:
    """List all files below a folder: their paths inside it, with "/" between the parts, in the order of the parts."""
    found: list[str] = []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(folder / inside) as entries:
                for entry in entries:
                    if not entry.is_dir():
                        found.append(inside + entry.name)
                        if progress and len(found) % 1000 == 0:
                            progress(len(found), 0, "Looking for pictures")
                    elif not entry.is_symlink():
                        waiting.append(f"{inside}{entry.name}/")
        except OSError:  # a folder that nobody may open holds nothing for us
            continue
    if progress:
        progress(len(found), 0, "Looking for pictures")
    return sorted(found, key=lambda name: name.replace("/", "\0"))  # "\0" comes before all that names can hold


def in_threads(do: Callable[[Path], T], files: list[Path], progress: Progress | None, what: str) -> Iterator[T]:
    """Yield ``do(file)`` for every file, in order; Pillow decodes outside Python's lock, so threads help."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(files), 500):  # in slices, so that results do not pile up in memory
            yield from pool.map(do, files[start : start + 500])
            if progress:
                progress(min(start + 500, len(files)), len(files), what)
