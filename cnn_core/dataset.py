"""A zip or a folder of photos → a table of files and labels → training and test set → arrays.

A dataset is a plain table: one row per readable image. What is broken is counted and named in
``table.attrs["broken"]`` and left out.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from cnn_core import CnnLabError
from cnn_core.data_files import reading
from cnn_core.data_files.reading import Progress as Progress
from cnn_core.data_files.survey import survey
from cnn_core.pixels import ImageError
from cnn_core.storage import archives
from cnn_core.storage.cache import cached, fingerprint
from cnn_core.storage.files import expanded, is_text
from cnn_core.wording import visible

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("cat", "dog")
"""The classes; a label's number is its place here."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


class DatasetError(CnnLabError):
    """The data cannot be used; the message says what is wrong with it and what is expected."""


def open_dataset(path: str | Path, *, progress: Progress | None = None) -> pd.DataFrame:
    """Read a dataset of cat and dog photos: which files there are, what each shows, and which are broken.

    Parameters
    ----------
    path : str or Path
        Kaggle's zip, the ``train.zip`` in it, Microsoft's ``PetImages`` zip, or a folder with ``cat`` and ``dog``
        subfolders or with names such as ``cat.0.jpg``. A zip is extracted once, to the cache.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    pandas.DataFrame
        Columns ``file`` (absolute path, str) and ``label`` ("cat" or "dog"), sorted by file name;
        ``attrs["name"]`` is the dataset's name, ``attrs["folder"]`` the folder of its images, and ``attrs["broken"]``
        lists those left out.

    Raises
    ------
    DatasetError
        When `path` is neither a folder nor a safe zip, no image has a label, or a class is missing.

    Examples
    --------
    >>> open_dataset("no/such/folder")
    Traceback (most recent call last):
        ...
    cnn_core.dataset.DatasetError: There is no folder or zip at no/such/folder. Check the path and try again.
    """
    path = expanded(path)
    if not path.exists():
        raise DatasetError(f"There is no folder or zip at {path}. Check the path and try again.")
    try:
        return _read_folder(_folder_of(path.resolve(), progress), path.stem, progress)
    except archives.ArchiveError as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise DatasetError(f"{path.name} could not be read or unpacked: {error.strerror or error}.") from error


def label_of(name: str) -> str | None:
    """Tell what an image shows from its path inside the dataset, or None when nothing tells.

    The file's own name counts first, then its folders from the innermost out.

    Examples
    --------
    >>> label_of("train/cat.0.jpg"), label_of("PetImages/Dog/17.jpg"), label_of("test1/17.jpg")
    ('cat', 'dog', None)
    """
    path = PurePosixPath(name)
    found = re.match(r"(cat|dog)s?(?![a-z])", path.name.lower())
    if found:
        return found[1]
    for folder in reversed(path.parent.parts):
        if folder.lower() in ("cat", "cats", "dog", "dogs"):
            return folder.lower()[:3]
    return None


def split(table: pd.DataFrame, test_size: float = 0.25, seed: int = 42) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a dataset into training and test set, shuffled, exactly as the article does.

    Parameters
    ----------
    table : pandas.DataFrame
        As `open_dataset` returns it.
    test_size : float
        Fraction of the rows that goes into the test set.
    seed : int
        Same seed, same split.

    Returns
    -------
    training, test : pandas.DataFrame

    Raises
    ------
    DatasetError
        When there are fewer than four images.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"file": list("abcdefgh"), "label": ["cat", "dog"] * 4})
    >>> training, test = split(table)
    >>> len(training), len(test)
    (6, 2)
    """
    if len(table) < 4:
        raise DatasetError(f"{len(table)} pictures are too few to split into training and test set. Use at least 4.")
    from sklearn.model_selection import train_test_split

    training, test = train_test_split(table, test_size=test_size, random_state=seed)
    return training.reset_index(drop=True), test.reset_index(drop=True)


def balanced_sample(table: pd.DataFrame, max_images: int | None, seed: int = 42) -> pd.DataFrame:
    """Return some images of a dataset, equally many of both classes, in the same order.

    Parameters
    ----------
    table : pandas.DataFrame
        As `open_dataset` returns it.
    max_images : int or None
        Maximum number of images; None for all.
    seed : int
        Same seed, same images.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"file": list("abcdefgh"), "label": ["cat", "dog"] * 4})
    >>> balanced_sample(table, 4)["label"].value_counts().to_dict()
    {'cat': 2, 'dog': 2}
    """
    if max_images is None or max_images >= len(table):
        return table
    import pandas as pd

    chosen = []
    for label, count in zip(LABELS, (max_images - max_images // 2, max_images // 2), strict=True):
        rows = table[table["label"] == label]
        chosen.append(rows.sample(min(count, len(rows)), random_state=seed))
    few = pd.concat(chosen).sort_index().reset_index(drop=True)
    few.attrs = table.attrs
    return few


def load_images(table: pd.DataFrame, size: int, progress: Progress | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Decode and resize all images of a table, once: a second call maps the cached array into memory.

    Parameters
    ----------
    table : pandas.DataFrame
        As `open_dataset` returns it.
    size : int
        Height and width of the result, in pixels.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    images : numpy.ndarray
        uint8 (N, size, size, 3), RGB, read only.
    labels : numpy.ndarray
        int32 (N,): 0 for cat, 1 for dog.

    Raises
    ------
    DatasetError
        When an image cannot be read or the disk is full.
    """
    files = [Path(file) for file in table["file"]]
    try:
        decoded = cached(
            "images", [fingerprint(files), size], lambda path: reading.decode(files, size, path, progress), ".npy"
        )
        return np.load(decoded, mmap_mode="r"), class_numbers(table)
    except (ImageError, OSError) as error:
        raise DatasetError(f"The images could not be prepared: {error}. Free some disk space and try again.") from error


def class_numbers(table: pd.DataFrame) -> np.ndarray:
    """Return the number of each image's class, int32 (N,): 0 for cat, 1 for dog.

    Examples
    --------
    >>> import pandas as pd
    >>> class_numbers(pd.DataFrame({"label": ["dog", "cat"]})).tolist()
    [1, 0]
    """
    return np.array([LABELS.index(label) for label in table["label"]], np.int32)


def _folder_of(path: Path, progress: Progress | None) -> Path:
    """Return the folder of images that `path` is or holds, extracting zips into the cache once."""
    if path.is_dir():
        inner = path / "train.zip"
        if not inner.exists() or any(label_of(file.name) for file in path.iterdir() if file.suffix.lower() in SUFFIXES):
            return path
        path = inner

    def wanted(name: str) -> bool:
        return PurePosixPath(name).suffix.lower() in SUFFIXES and label_of(name) is not None

    return cached("unpacked", [fingerprint([path])], lambda folder: archives.extract(path, folder, wanted, progress))


def pictures(folder: Path, progress: Progress | None = None) -> dict[str, str]:
    """List the images of a folder that have a label: absolute path → label, sorted by name."""
    return {
        str(folder / name): label
        for name in reading.listed(folder, progress)
        if PurePosixPath(name).suffix.lower() in SUFFIXES and (label := label_of(name))
    }


def _read_folder(folder: Path, name: str, progress: Progress | None) -> pd.DataFrame:
    import pandas as pd

    found = pictures(folder, progress)
    if not found:
        raise DatasetError(
            f'{name} holds no picture with a label. Name the files like "cat.0.jpg" and "dog.0.jpg", '
            'or put them into folders named "cat" and "dog".'
        )
    if odd := [name for name in found if not is_text(name)]:
        raise DatasetError(f"{name} holds a file whose name is no text, {visible(odd[0])}. Rename it first.")
    table = pd.DataFrame({"file": list(found), "label": list(found.values())})
    readable = survey(table["file"], progress)["readable"]
    broken = [Path(file).relative_to(folder).as_posix() for file in table["file"][~readable]]
    table = table[readable].reset_index(drop=True)
    counts = {label: int((table["label"] == label).sum()) for label in LABELS}
    for label, count in counts.items():
        if count == 0:
            raise DatasetError(
                f"{name} holds no readable picture of a {label} ({counts['cat']} cats, {counts['dog']} dogs, "
                f"{len(broken)} broken). A network needs both to learn the difference: add some."
            )
    table.attrs = {"name": name, "folder": str(folder), "broken": broken}
    return table
