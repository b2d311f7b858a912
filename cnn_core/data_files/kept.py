"""The datasets of this lab: whatever zip or folder lies in ``$CNN_LAB_HOME/datasets``.

A visitor of a shared server has those of the host, which nobody can change from a page, and their own uploads.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cnn_core.dataset import DatasetError
from cnn_core.host import limits, spaces
from cnn_core.storage.files import home, host_home, is_text, replace_file, safe_name


def folder() -> Path:
    """Return the folder that uploads and corrections are put into; it need not exist yet."""
    return home() / "datasets"


def names() -> list[str]:
    """List the zips and folders of photos, by name.

    Examples
    --------
    >>> all(path(name).exists() for name in names())
    True
    """
    found = {name for place in _places() for name in _listed(place)}
    return sorted(found, key=str.casefold)


def path(name: str) -> Path:
    """Return the path of the dataset with this name of `names`."""
    return next((place / name for place in _places() if name in _listed(place)), folder() / name)


def _places() -> list[Path]:
    """List the folders with datasets: one's own, then the host's, which at home are the same."""
    return list(dict.fromkeys([folder(), host_home() / "datasets"]))


def _listed(place: Path) -> list[str]:
    try:
        found = [path.name for path in place.iterdir() if path.is_dir() or path.suffix.lower() == ".zip"]
    except OSError:
        return []
    return [name for name in found if not name.startswith(".") and is_text(name)]


def keep(content: bytes, name: str) -> Path:
    """Keep an uploaded zip, where a run can find it later; the same content is kept once.

    Parameters
    ----------
    content : bytes
    name : str
        The name that it had; the file's name begins like it.

    Returns
    -------
    Path

    Raises
    ------
    DatasetError
        When it cannot be written.
    LimitError
        When a visitor may not keep so much.
    """
    limits.UPLOAD.check(len(content) / limits.MB)
    begins = safe_name(Path(name).stem, otherwise="upload")
    target = folder() / f"{begins}-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    try:
        if not target.exists():
            spaces.make_room(len(content))
            target.parent.mkdir(parents=True, exist_ok=True)
            replace_file(target, content)
    except OSError as error:
        raise DatasetError(
            f"The upload could not be saved in {target.parent}: {error.strerror}. Free some disk space and upload it "
            "again."
        ) from error
    return target
