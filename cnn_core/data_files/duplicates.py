"""Photos of the test set that are in the training set too: on them, a network looks better than it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core.data_files.survey import FACTS

if TYPE_CHECKING:
    import pandas as pd

    from cnn_core.data_files.reading import Progress

MAX_BITS = 8
"""Two photos may be the same when at most so many of the 64 bits of their hashes differ …"""

MAX_DIFFERENCE = 6.0
"""… and they are when their tiny versions differ by at most so much per number, on average (0 to 255).

Of all pairs of the 25,000 photos of Dogs vs. Cats, 12,091 are within `MAX_BITS`. In 39 of them the tiny versions differ
by 0 to 1.5, and in all others by 12.8 or more; so it does not matter much where between the two the limit is."""

PAIRS_AT_ONCE = 2_000_000


def duplicates(
    seen: Mapping[str, np.void], training: pd.DataFrame, test: pd.DataFrame, progress: Progress | None = None
) -> pd.DataFrame:
    """Find the photos of the test set that are in the training set too.

    Two files are the same photo when their content is the same; or when their difference hashes are close
    (`MAX_BITS`) and so are their tiny versions (`MAX_DIFFERENCE`), as after resizing or saving anew. A photo that was
    cropped, mirrored or turned is not found.

    Parameters
    ----------
    seen : mapping of str to numpy.void
        What `survey.survey` notes, by file.
    training, test : pandas.DataFrame
        As `source.Source.split` returns them; all photos can be read.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    pandas.DataFrame
        A row for each photo of the test set that was found: ``test`` and ``training`` (files; of several, the
        closest), ``test_label``, ``training_label``, ``same_file`` (bool), ``bits`` (how many bits of the hashes
        differ).
    """
    import pandas as pd

    known, asked = (np.array([seen[file] for file in part["file"]], FACTS) for part in (training, test))
    nearest, bits = _nearest(asked["hash"], known["hash"], progress)
    same = {content: place for place, content in enumerate(known["content"].tolist())}
    rows = []
    for place, content in enumerate(asked["content"].tolist()):
        if content in same:
            rows.append((place, same[content], True, 0))
        elif bits[place] <= MAX_BITS:
            other = nearest[place]
            if difference(asked["small"][place], known["small"][other]) <= MAX_DIFFERENCE:
                rows.append((place, other, False, bits[place]))
    return pd.DataFrame(
        {
            "test": [test["file"].iat[one] for one, *_ in rows],
            "training": [training["file"].iat[other] for _, other, *_ in rows],
            "test_label": [test["label"].iat[one] for one, *_ in rows],
            "training_label": [training["label"].iat[other] for _, other, *_ in rows],
            "same_file": [same_file for *_, same_file, _ in rows],
            "bits": [int(count) for *_, count in rows],
        }
    )


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the mean absolute difference of two tiny versions, 0 to 255.

    Examples
    --------
    >>> difference(np.zeros((8, 9, 3), np.uint8), np.full((8, 9, 3), 3, np.uint8))
    3.0
    """
    return float(np.abs(one.astype(np.int16) - other).mean())


def _nearest(
    asked: NDArray[np.uint64], known: NDArray[np.uint64], progress: Progress | None
) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Return for each hash the place of the closest one in `known`, and in how many bits it differs."""
    places, bits = np.empty(len(asked), np.intp), np.empty(len(asked), np.uint8)
    step = max(1, PAIRS_AT_ONCE // len(known))
    for start in range(0, len(asked), step):
        differ = np.bitwise_count(asked[start : start + step, None] ^ known)
        places[start : start + step] = differ.argmin(axis=1)
        bits[start : start + step] = differ.min(axis=1)
        if progress:
            progress(min(start + step, len(asked)), len(asked), "Looking for duplicates")
    return places, bits
