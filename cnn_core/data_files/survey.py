"""One look at every photo of a dataset: its size, its content, and what it looks like from far away.

`difference_hash` makes 64 bits of an image that hardly change when it is resized or saved anew, so that two files with
the same photo can be found among thousands. `survey` does it for a whole dataset, once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core.data_files import corrections
from cnn_core.data_files.reading import Progress, in_threads
from cnn_core.pixels import ImageError, open_image, resize, to_grayscale
from cnn_core.storage.cache import cached, fingerprint

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
"""Raise it when a photo gives other facts than before."""

SMALL = (8, 9)
"""Height and width of the tiny version of a photo: 8 rows of 8 comparisons between neighbors."""

FACTS = np.dtype(
    [
        ("readable", "?"),
        ("height", "<i4"),
        ("width", "<i4"),
        ("bytes", "<i8"),
        ("content", "<u8"),
        ("hash", "<u8"),
        ("small", "u1", (*SMALL, 3)),
    ]
)
"""What `survey` notes of a photo: whether it can be read, and if so its height and width in pixels; the size of its
file and 64 bits of its SHA-256; the difference hash; and the photo at `SMALL`."""


def difference_hash(small: NDArray[np.uint8]) -> int:
    """Return 64 bits: for each pixel of a tiny version of an image, whether its right neighbor is brighter.

    Parameters
    ----------
    small : ndarray of uint8, shape (8, 9, 3)
        The image, resized to this.

    Returns
    -------
    int
        Two hashes of the same photo differ in few bits, those of two photos in about 32.

    References
    ----------
    N. Krawetz, "Kind of Like That", The Hacker Factor Blog, 2013: the algorithm dHash.

    Examples
    --------
    >>> rising = np.tile(np.arange(9, dtype=np.uint8)[:, None], (8, 1, 3))
    >>> hex(difference_hash(rising)), hex(difference_hash(rising[:, ::-1]))
    ('0xffffffffffffffff', '0x0')
    """
    gray = to_grayscale(small)
    return int.from_bytes(np.packbits(gray[:, 1:] > gray[:, :-1]).tobytes(), "big")


def survey(files: Iterable[str], progress: Progress | None = None) -> NDArray[np.void]:
    """Look at every photo; what was seen is kept in the cache while the files stay the same.

    Parameters
    ----------
    files : iterable of str
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    ndarray of `FACTS`, shape (N,)
        In the order of the files; read from the disk as it is needed.

    Raises
    ------
    OSError
        When a file has gone, or the disk is full.
    """
    paths = [Path(file) for file in files]

    def write(target: Path) -> None:
        with target.open("wb") as raw:
            header = {"descr": FACTS.descr, "fortran_order": False, "shape": (len(paths),)}
            np.lib.format.write_array_header_1_0(raw, header)
            for facts in in_threads(_look, paths, progress, "Looking at the pictures"):
                raw.write(np.array(facts, FACTS).tobytes())

    seen: NDArray[np.void] = np.load(
        cached("survey", [VERSION, fingerprint(paths)], write, ".npy", paths), mmap_mode="r"
    )
    return seen


def readable(table: pd.DataFrame, folder: str, progress: Progress | None = None) -> pd.DataFrame:
    """Return a table without the photos that cannot be read, for whoever needs every photo anyway.

    Parameters
    ----------
    table : pandas.DataFrame
        With the column ``file``.
    folder : str
        The dataset's folder: ``attrs["folder"]`` of what `dataset.open_dataset` returns.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    pandas.DataFrame
        ``attrs["broken"]`` lists those left out, by their paths inside the dataset.

    Raises
    ------
    OSError
        As `survey`.
    """
    whole = survey(table["file"], progress)["readable"]
    found = table[whole].reset_index(drop=True)
    found.attrs = {**table.attrs, "broken": sorted(corrections.names(table["file"][~whole], folder))}
    return found


def _look(file: Path) -> tuple[object, ...]:
    try:
        data = file.read_bytes()
        image = open_image(data)
    except (ImageError, OSError):
        return False, 0, 0, 0, 0, 0, np.zeros((*SMALL, 3), np.uint8)
    content = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
    small = resize(image, *SMALL)
    return True, *image.shape[:2], len(data), content, difference_hash(small), small
