"""The datasets of this lab: whatever zip or folder lies in ``$CNN_LAB_HOME/datasets``."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cnn_core.dataset import DatasetError
from cnn_core.storage.files import home, is_text, replace_file, safe_name


def folder() -> Path:
    """Return the folder of the datasets; it need not exist yet."""
    return home() / "datasets"


def names() -> list[str]:
    """List the zips and folders in it, by name.

    Examples
    --------
    >>> all((folder() / name).exists() for name in names())
    True
    """
    try:
        found = [path.name for path in folder().iterdir() if path.is_dir() or path.suffix.lower() == ".zip"]
    except OSError:
        return []
    return sorted((name for name in found if not name.startswith(".") and is_text(name)), key=str.casefold)


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
    """
    begins = safe_name(Path(name).stem, otherwise="upload")
    path = folder() / f"{begins}-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
    except OSError as error:
        raise DatasetError(
            f"The upload could not be saved in {path.parent}: {error.strerror}. Free some disk space and upload it "
            "again."
        ) from error
    return path
