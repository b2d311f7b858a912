"""Where things that outlive a session are kept, and how a file is replaced without ever being half written."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


def expanded(path: str | Path) -> Path:
    """Return a typed path with ``~`` replaced by the home of a user; as it is where there is no such user.

    Examples
    --------
    >>> expanded("~nobody-of-this-name/pets").as_posix()
    '~nobody-of-this-name/pets'
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def safe_name(name: str, otherwise: str = "") -> str:
    """Return what is left of a name that somebody has chosen: letters, digits, ``_ . -``, 60 of them at most.

    Examples
    --------
    >>> safe_name("my pets (2026)"), safe_name("../..", otherwise="upload")
    ('my-pets-2026', 'upload')
    """
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or otherwise


def is_text(name: str) -> bool:
    """Return whether a file's name is text. On Linux it may be any bytes, which no page and no CSV can show.

    Examples
    --------
    >>> is_text("cät.jpg"), is_text(os.fsdecode(b"cat\\xff.jpg")) and os.name == "posix"
    (True, False)
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to; what is there in the end is renamed into place.

    So a reader never sees half a file, and a killed writer leaves `path` as it was.

    Raises
    ------
    OSError
        When the disk is full or the folder cannot be written; `path` is then as it was before.
    """
    beside = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def replace_file(path: Path, content: bytes | str) -> None:
    """Replace a file's content as a whole, with `replacing`."""
    with replacing(path) as beside:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)


def save_model(model: keras.Model, path: Path) -> None:
    """Save a Keras model as a whole, with `replacing`."""
    with replacing(path) as beside:
        model.save(beside)


def sweep(folder: Path) -> None:
    """Remove what killed writers have left beside the files that they wanted to replace."""
    for file in folder.glob(".*"):
        with suppress(OSError):
            file.unlink()
