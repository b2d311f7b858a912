"""What somebody has corrected in a dataset: photos that show something else than their name says, or nothing of use.

The photos are never touched. A dataset's corrections are a small text file in ``$CNN_LAB_HOME/datasets``, a line for
each photo: its path inside the dataset, a tab, and its label. A path without a label leaves the photo out.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_core import CnnLabError
from cnn_core.data_files import kept
from cnn_core.dataset import LABELS, label_of
from cnn_core.storage.files import expanded, replace_file, safe_name

if TYPE_CHECKING:
    import pandas as pd

Corrections = dict[str, str | None]
"""A photo's path inside its dataset → what it shows, or None when it is left out."""

_turn = threading.Lock()  # visitors of one server correct one after the other

SUFFIX = ".corrections.txt"


class CorrectionsError(CnnLabError):
    """The corrections of a dataset cannot be read or written."""


def path_of(data: str | Path) -> Path:
    """Return where the corrections of a dataset are, or will be: a name that follows from the dataset's path.

    Parameters
    ----------
    data : str or Path
        The dataset, as `dataset.open_dataset` takes it.

    Examples
    --------
    >>> path_of("/photos/pets.zip") == path_of("/photos/../photos/pets.zip")
    True
    >>> path_of("/photos/pets.zip") == path_of("/others/pets.zip")
    False
    """
    place = expanded(data).resolve()
    return kept.folder() / f"{safe_name(place.stem)}-{hashlib.sha256(str(place).encode()).hexdigest()[:8]}{SUFFIX}"


def of(data: str | Path) -> Corrections:
    """Return the corrections of a dataset; none when there is no file.

    Raises
    ------
    CorrectionsError
        When the file is damaged.
    """
    path = path_of(data)
    return read(path) if path.exists() else {}


def read(path: Path) -> Corrections:
    """Read a file of corrections.

    Raises
    ------
    CorrectionsError
        When it cannot be read, or a line has another label than "cat" or "dog".
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorrectionsError(f"The corrections in {path} cannot be read ({error}). Repair or delete it.") from error
    found: Corrections = {}
    for number, line in enumerate(lines, start=1):
        name, tab, label = line.rstrip("\r").partition("\t")
        if tab and label not in LABELS:
            raise CorrectionsError(
                f"Line {number} of {path} has the label {label!r}. Write “cat” or “dog”, or no tab and no label to "
                "leave the photo out."
            )
        if name:
            found[name] = label or None
    return found


def correct(data: str | Path, photos: Iterable[str], label: str | None) -> None:
    """Say what photos show, or leave them out. The label that its name gives takes a photo's correction back.

    Parameters
    ----------
    data : str or Path
        The dataset.
    photos : iterable of str
        Their paths inside it, as `names` gives them.
    label : {"cat", "dog"} or None
        What they show; None leaves them out.

    Raises
    ------
    CorrectionsError
        When the file cannot be read or written.
    """
    with _turn:
        known = of(data)
        for name in photos:
            if "\t" in name or "\n" in name:
                raise CorrectionsError(f"{name!r} has a tab or a line break in its name. Rename this photo first.")
            known.pop(name, None)
            if label is None or label != label_of(name):
                known[name] = label
        _write(path_of(data), known)


def undo(data: str | Path, photos: Iterable[str]) -> None:
    """Undo the corrections of these photos.

    Raises
    ------
    CorrectionsError
        When the file cannot be read or written.
    """
    gone = set(photos)
    with _turn:
        _write(path_of(data), {name: label for name, label in of(data).items() if name not in gone})


def names(files: Iterable[str], folder: str | Path) -> list[str]:
    """Return the paths of some files inside their dataset, with "/" on every system.

    Examples
    --------
    >>> names(["/photos/pets/cat/1.jpg"], "/photos/pets")
    ['cat/1.jpg']
    """
    start = len(str(folder).rstrip("/\\")) + 1
    return [file[start:].replace("\\", "/") for file in files]


def apply(table: pd.DataFrame, folder: str | Path, corrections: Mapping[str, str | None]) -> pd.DataFrame:
    """Return a table with other labels where they were corrected, and without the photos that were left out.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns ``file`` (absolute path) and ``label``; other columns stay.
    folder : str or Path
        The dataset's folder: ``attrs["folder"]`` of what `dataset.open_dataset` returns.
    corrections : mapping of str to str or None

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"file": ["/pets/cat.1.jpg", "/pets/cat.2.jpg"], "label": ["cat", "cat"]})
    >>> apply(table, "/pets", {"cat.1.jpg": "dog", "cat.2.jpg": None})["label"].tolist()
    ['dog']
    """
    inside = names(table["file"], folder)
    labels = [corrections.get(name, label) for name, label in zip(inside, table["label"], strict=True)]
    stays = [label is not None for label in labels]
    return table.assign(label=labels)[stays].reset_index(drop=True)


def _write(path: Path, corrections: Corrections) -> None:
    lines = [name if label is None else f"{name}\t{label}" for name, label in sorted(corrections.items())]
    try:
        if not lines:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, "\n".join(lines) + "\n", lasting=True)
    except OSError as error:
        raise CorrectionsError(
            f"The corrections cannot be written to {path}: {error.strerror}. Free some disk space or check the folder."
        ) from error
