"""What is in a dataset, in numbers: classes, split, sizes, broken files, duplicates, corrections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core.data_files import corrections
from cnn_core.data_files.duplicates import duplicates
from cnn_core.data_files.survey import FACTS, readable, survey
from cnn_core.dataset import LABELS, DatasetError

if TYPE_CHECKING:
    import pandas as pd

    from cnn_core.data_files.reading import Progress
    from cnn_core.source import Source


def balance(training: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Count the photos of each class.

    Parameters
    ----------
    training, test : pandas.DataFrame
        As `source.Source.split` returns them.

    Returns
    -------
    pandas.DataFrame
        A row for each class: ``class``, ``photos``, ``share`` (of all photos, 0 to 1), ``training``, ``test``.

    Examples
    --------
    >>> import pandas as pd
    >>> balance(pd.DataFrame({"label": ["cat", "cat", "dog"]}), pd.DataFrame({"label": ["cat"]}))
      class  photos  share  training  test
    0   cat       3   0.75         2     1
    1   dog       1   0.25         1     0
    """
    import pandas as pd

    parts = {name: part["label"].value_counts() for name, part in (("training", training), ("test", test))}
    rows = []
    for label in LABELS:
        counts = {name: int(part.get(label, 0)) for name, part in parts.items()}
        photos = sum(counts.values())
        rows.append({"class": label, "photos": photos, "share": photos / max(1, len(training) + len(test)), **counts})
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Sizes:
    """The sizes of a dataset's photos, each as the smallest, the median and the largest.

    Attributes
    ----------
    width, height : tuple of int
        In pixels.
    bytes : int
        All files together.
    """

    width: tuple[int, int, int]
    height: tuple[int, int, int]
    bytes: int


@dataclass(frozen=True)
class Summary:
    """What `summary` found.

    Attributes
    ----------
    balance : pandas.DataFrame
        As `balance` returns it.
    sizes : Sizes
    broken : list of str
        Files that are no readable images, by their paths inside the dataset.
    duplicates : pandas.DataFrame
        As `duplicates.duplicates` returns it.
    corrections : dict of str to str or None
    """

    balance: pd.DataFrame
    sizes: Sizes
    broken: list[str]
    duplicates: pd.DataFrame
    corrections: corrections.Corrections


def summary(source: Source, table: pd.DataFrame, progress: Progress | None = None) -> Summary:
    """Look at each photo of a source, once, and say what is in it.

    Parameters
    ----------
    source : Source
    table : pandas.DataFrame
        As ``source.table()`` returns it.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    Summary

    Raises
    ------
    DatasetError
        When files have gone since, when there are too few photos to split, or when a set has none that can be read.
    CorrectionsError
        When the corrections of the dataset cannot be read.
    """
    try:
        whole = readable(table, table.attrs["folder"], progress)
        seen = dict(zip(table["file"], survey(table["file"]), strict=True))
    except OSError as error:
        raise DatasetError(f"The pictures have changed since they were listed ({error}). Read them again.") from error
    training, test = (part[part["file"].isin(whole["file"])] for part in source.parts(table))
    for rows, what in ((training, "training"), (test, "test")):
        if rows.empty:
            raise DatasetError(f"All pictures of the {what} set are broken or left out. Undo some corrections.")
    facts = np.array([seen[file] for file in [*training["file"], *test["file"]]], FACTS)
    return Summary(
        balance(training, test),
        Sizes(_range(facts["width"]), _range(facts["height"]), int(facts["bytes"].sum())),
        whole.attrs["broken"],
        duplicates(seen, training, test, progress),
        source.in_force,
    )


def _range(values: NDArray[np.int64]) -> tuple[int, int, int]:
    return int(values.min()), int(np.median(values)), int(values.max())
