"""The photos of a dataset at one size, in any number: each is decoded when it is first needed, then kept on the disk.

The file in the cache has a row for each photo: its pixels and a checksum over them and over the state of the photo's
file. A row that was never written, only half written, or made of a file that has changed since has another checksum,
and its photo is decoded anew. So nothing else needs to be noted, and two runs may write to the file at the same time.
"""

from __future__ import annotations

import hashlib
import os
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnn_core.data_files.reading import Progress
from cnn_core.pixels import ImageError, open_image, resize
from cnn_core.storage.cache import MAX_BYTES, cached, prune

VERSION = 1
"""Raise it when a photo gives other pixels than before."""

CHECKSUM = 4  # bytes

PRUNE_BYTES = 2**26
"""After so many new bytes, older results make room: what is in the cache was empty when it was stored."""

Draw = Callable[[str], NDArray[np.uint8]]
"""Called with a path."""


class Images:
    """The photos in some files, at one size. Those that cannot be read are left out, and noted in `broken`.

    Parameters
    ----------
    files : sequence of str
        Absolute paths.
    size : int
        Height and width, in pixels.
    draw : callable, optional
        Draws the image of a file that is not there, uint8 (H, W, 3).

    Attributes
    ----------
    files : list of str
    shape : tuple of int
        (N, size, size, 3), as if no photo were broken.
    broken : dict of int to str
        The photos that could not be read so far: the place in `files` → the file.
    """

    def __init__(self, files: Sequence[str], size: int, draw: Draw | None = None) -> None:
        self.files = list(files)
        self.draw = draw
        self.shape = (len(self.files), size, size, 3)
        self.broken: dict[int, str] = {}
        self._row = size * size * 3 + CHECKSUM
        # The training set and the test set have a file each. Photos for which there is no room are decoded every time.
        self._rows = MAX_BYTES["images"] // 2 // self._row
        self._checked = np.zeros(len(self.files), bool)  # rows that this process has found right
        self._turn = threading.Lock()
        self._new = 0  # bytes, since others have made room
        self._disk = self._open()
        self._threads = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1))  # Pillow works outside the GIL

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def read(self, places: Iterable[int]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return photos, without those that are broken.

        Parameters
        ----------
        places : iterable of int
            Which, by their places in `files`.

        Returns
        -------
        images : ndarray of uint8, shape (n, size, size, 3)
            RGB, 0 to 255.
        found : ndarray of int64, shape (n,)
            Their places, in the order that was asked for.
        """
        wanted = np.fromiter(places, np.int64)
        images = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        there = np.fromiter(map(self._fetch, wanted.tolist(), images), bool)
        missing = np.flatnonzero(~there)
        decoded = self._threads.map(self._decode, wanted[missing].tolist(), [images[one] for one in missing])
        there[missing] = list(decoded)
        return (images, wanted) if there.all() else (images[there], wanted[there])

    def first(self, places: Iterable[int], progress: Progress | None = None) -> int | None:
        """Return the first of these places whose photo can be read; None when none can."""
        for tried, place in enumerate(places):
            if len(self.read([place])[1]):
                return int(place)
            if progress and tried % 100 == 99:
                progress(tried + 1, 0, "Looking for a picture that can be read")
        return None

    def _open(self) -> BinaryIO | None:
        """Open the file with the rows, which grows as they are written; None where there can be no such file."""
        names = hashlib.sha256(os.fsencode("\0".join(self.files))).hexdigest()
        try:
            kept = cached("images", [VERSION, names, self.shape[1]], Path.touch, ".rows", map(Path, self.files))
            return kept.open("r+b", buffering=0)
        except OSError:
            return None

    def _fetch(self, place: int, image: NDArray[np.uint8]) -> bool:
        """Fill in a photo that is kept, and tell whether it is."""
        if self._disk is None or place >= self._rows:
            return False
        try:
            with self._turn:
                self._disk.seek(place * self._row)
                row = self._disk.read(self._row)
            pixels = row[:-CHECKSUM]
            if not self._checked[place]:
                self._checked[place] = row == _row(pixels, _state(self.files[place]))
        except OSError:
            return False
        if self._checked[place]:
            image[:] = np.frombuffer(pixels, np.uint8).reshape(image.shape)
        return bool(self._checked[place])

    def _decode(self, place: int, image: NDArray[np.uint8]) -> bool:
        """Fill in a photo from its file, keep it, and tell whether it could be read."""
        if place in self.broken:
            return False
        file = self.files[place]
        if self.draw and not Path(file).exists():
            drawn = self.draw(file)
            image[:] = resize(drawn, *self.shape[1:3])
            self._make_room(Path(file).parent, drawn.nbytes)
            return True
        try:
            state = _state(file)
            image[:] = resize(open_image(Path(file)), *self.shape[1:3])
        except (ImageError, OSError):
            self.broken[place] = file
            return False
        if self._disk is not None and place < self._rows:
            with suppress(OSError), self._turn:  # on a full disk, photos are decoded every time
                self._disk.seek(place * self._row)
                self._disk.write(_row(image.tobytes(), state))
            self._make_room(Path(self._disk.name), self._row)
        return True

    def _make_room(self, kept: Path, size: int) -> None:
        """Count what has been added to a result of the cache."""
        with self._turn:
            self._new += size
            due = self._new >= PRUNE_BYTES
            if due:
                self._new = 0
        if due:
            prune(kept)


def _state(file: str) -> int:
    """Return a number for the state of a file, which changes with its size and its time of change."""
    facts = Path(file).stat()
    return zlib.crc32(f"{facts.st_size}|{facts.st_mtime_ns}".encode())


def _row(pixels: bytes, state: int) -> bytes:
    """Return pixels with their checksum, which depends on the state of the photo's file, too."""
    return pixels + zlib.crc32(pixels, state).to_bytes(CHECKSUM, "little")
