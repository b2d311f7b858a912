"""A zip or a folder of photos → a table of files and labels → training and test set → arrays.

A dataset is a plain table: one row for each image file. No file is opened before its image is needed; those that turn
out to be broken are then left out, after the split (`data_files.decoded`, `data_files.survey`).
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError
from cnn_core.data_files import reading, unpacking
from cnn_core.data_files.decoded import Draw
from cnn_core.data_files.decoded import Images as Images
from cnn_core.data_files.naming import label_of as label_of
from cnn_core.data_files.naming import shown_by
from cnn_core.data_files.reading import Progress as Progress
from cnn_core.storage import archives
from cnn_core.storage.files import expanded, is_text, may_read
from cnn_core.wording import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

LABELS = ("cat", "dog")
"""The classes; a label's number is its place here."""


class DatasetError(CnnLabError):
    """The data cannot be used; the message says what is wrong with it and what is expected."""


def open_dataset(path: str | Path, *, progress: Progress | None = None) -> pd.DataFrame:
    """List a dataset of cat and dog photos: which files there are, and what each shows. No photo is opened.

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
        ``attrs["name"]`` is the dataset's name, ``attrs["folder"]`` the folder of its images.

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
    if not (may_read(path) and path.exists()):
        raise DatasetError(f"There is no folder or zip at {path}. Check the path and try again.")
    try:
        return _read_folder(unpacking.folder_of(path, progress), path.stem, progress)
    except archives.ArchiveError as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise DatasetError(f"{path.name} could not be read or unpacked: {error.strerror or error}.") from error


def table_of(folder: Path, labels: Mapping[str, str], name: str) -> pd.DataFrame:
    """Return the table of a dataset, as `open_dataset` does.

    Parameters
    ----------
    folder : Path
        Where its images are.
    labels : dict of str to str
        For each image its path inside the folder, with "/" between the parts, and what it shows.
    name : str
        The dataset's.
    """
    import pandas as pd

    files = [f"{folder}{os.sep}{file.replace('/', os.sep)}" for file in labels]
    table = pd.DataFrame({"file": files, "label": list(labels.values())})
    table.attrs = {"name": name, "folder": str(folder)}
    return table


def split(table: pd.DataFrame, test_size: float = 0.25, seed: int = 42) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a dataset into training and test set, shuffled, exactly as the article does with scikit-learn.

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
    # What `sklearn.model_selection.train_test_split` does; its import would take two seconds.
    order = np.random.RandomState(seed).permutation(len(table))
    held_out = math.ceil(test_size * len(table))
    training, test = (table.iloc[rows].reset_index(drop=True) for rows in (order[held_out:], order[:held_out]))
    return training, test


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


def images_and_labels(table: pd.DataFrame, size: int, draw: Draw | None = None) -> tuple[Images, NDArray[np.int32]]:
    """Return the images of a table at one size, which are decoded when they are needed, and their labels.

    Parameters
    ----------
    table : pandas.DataFrame
        As `open_dataset` returns it.
    size : int
        Height and width of the images, in pixels.
    draw : callable, optional
        Draws the image of a file that is not there, uint8 (H, W, 3).

    Returns
    -------
    images : Images
    labels : numpy.ndarray
        int32 (N,): 0 for cat, 1 for dog.
    """
    return Images(table["file"].tolist(), size, draw), class_numbers(table)


def check_readable(images: Images, labels: NDArray[np.int32], what: str, progress: Progress | None = None) -> None:
    """Make sure that of each class at least one image can be read; few are opened for that.

    Parameters
    ----------
    images, labels
        As `images_and_labels` returns them.
    what : str
        "training", "test" or "validation".
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Raises
    ------
    DatasetError
        When no image of a class can be read.
    """
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        if images.first(places, progress) is None:
            raise DatasetError(
                f"No {LABELS[label]} of the {what} set can be read: all {len(places):,} files are broken, for example "
                f"{images.files[places[0]]}. Replace them, or choose other pictures."
            )


def class_numbers(table: pd.DataFrame) -> NDArray[np.int32]:
    """Return the number of each image's class, int32 (N,): 0 for cat, 1 for dog.

    Examples
    --------
    >>> import pandas as pd
    >>> class_numbers(pd.DataFrame({"label": ["dog", "cat"]})).tolist()
    [1, 0]
    """
    return np.asarray(table["label"] == LABELS[1], np.int32)


def _read_folder(folder: Path, name: str, progress: Progress | None) -> pd.DataFrame:
    found = {file: label for file in reading.listed(folder, progress) if (label := shown_by(file))}
    if not found:
        raise DatasetError(
            f'{name} has no picture with a label. Name the files like "cat.0.jpg" and "dog.0.jpg", '
            'or put them into folders named "cat" and "dog".'
        )
    if odd := [file for file in found if not is_text(file)]:
        raise DatasetError(f"{name} has a file whose name is not text, {visible(odd[0])}. Rename it first.")
    table = table_of(folder, found, name)
    counts = {label: int((table["label"] == label).sum()) for label in LABELS}
    for label, count in counts.items():
        if count == 0:
            raise DatasetError(
                f"{name} has no picture of a {label} ({counts['cat']} cats, {counts['dog']} dogs). A network needs "
                "both to learn the difference. Add some."
            )
    return table
