"""Where things that outlive a session are kept, and how a file is replaced without ever being half written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def home() -> Path:
    """Return the folder of everything that outlives a session: ``$CNN_LAB_HOME``, by default ``~/.cnn_lab``.

    Examples
    --------
    >>> home() == Path(os.environ.get("CNN_LAB_HOME", "~/.cnn_lab")).expanduser()
    True
    """
    return Path(os.environ.get("CNN_LAB_HOME") or "~/.cnn_lab").expanduser()


def replace_file(path: Path, content: bytes | str) -> None:
    """Write `content` beside `path` and rename it into place, so that a reader never sees half a file.

    Raises
    ------
    OSError
        When the disk is full or the folder cannot be written; `path` is then as it was before.
    """
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def save_model(model: keras.Model, path: Path) -> None:
    """Save a Keras model beside `path` and rename it into place, so that a reader never sees half a file.

    Raises
    ------
    OSError
        When the disk is full or the folder cannot be written; `path` is then as it was before.
    """
    beside = path.with_name(f".{path.stem}.part.keras")
    try:
        model.save(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
