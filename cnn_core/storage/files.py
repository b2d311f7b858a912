"""Where things that outlive a session are kept, and how a file is replaced without ever being half written."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import keras


T = TypeVar("T")

HOME, HOST_HOME = "CNN_LAB_HOME", "CNN_LAB_HOST_HOME"
"""Environment variables. A process that works for a visitor of a shared server has both; others have the first."""

_set: ContextVar[Path | None] = ContextVar("home", default=None)
_ask: Callable[[], Path] | None = None


def home() -> Path:
    """Return the folder of everything that outlives a session: ``$CNN_LAB_HOME``, by default ``~/.cnn_lab``.

    In a server that many share it is the space of the visitor whom this thread works for.

    Examples
    --------
    >>> with at_home(Path("spaces/anna")):
    ...     home().as_posix(), visiting()
    ('spaces/anna', True)
    >>> home() == host_home(), visiting()
    (True, False)
    """
    return _set.get() or (_ask() if _ask else Path(os.environ.get(HOME) or "~/.cnn_lab").expanduser())


def host_home() -> Path:
    """Return the home that all visitors of a shared server have in common; elsewhere it is `home`."""
    return Path(os.environ.get(HOST_HOME) or os.environ.get(HOME) or "~/.cnn_lab").expanduser()


def visiting() -> bool:
    """Tell whether this thread works for a visitor of a shared server."""
    return home() != host_home()


def ask_for_home(ask: Callable[[], Path] | None) -> None:
    """Let `home` ask this function, which raises when it cannot tell. With None it asks the environment again."""
    global _ask
    _ask = ask


@contextmanager
def at_home(folder: Path) -> Iterator[None]:
    """Make a folder the `home` of what this thread does meanwhile."""
    before = _set.set(folder)
    try:
        yield
    finally:
        _set.reset(before)


def at_this_home(do: Callable[[], T]) -> Callable[[], T]:
    """Return a function that does this at today's `home`, also in a thread that works for nobody."""
    folder = home()

    def done() -> T:
        with at_home(folder):
            return do()

    return done


def remembered(ask: Callable[[Path], T]) -> Callable[[Path], T]:
    """Remember what `ask` says of a file or folder until it changes: pages ask it of every model at every change.

    A folder changes when something is put into it or taken out. The answer is the same object each time.
    """
    answers = lru_cache(1000)(lambda path, _changed, _bytes: ask(path))

    @wraps(ask)
    def asked(path: Path) -> T:
        try:
            facts = path.stat()
        except OSError:  # its error is for `ask` to handle
            return ask(path)
        return answers(path, facts.st_mtime_ns, facts.st_size)

    return asked


def environment() -> dict[str, str]:
    """Return the environment variables for a process that works for the same visitor."""
    return {**os.environ, HOME: str(home()), HOST_HOME: str(host_home())} if visiting() else dict(os.environ)


def may_read(path: Path) -> bool:
    """Tell whether this path is the visitor's business: in their space, or in what the host has put there for all.

    The host may have put a link there, so what counts is the name, not where it leads to.
    """
    return not visiting() or (".." not in path.parts and within(path, home(), *of_host()))


def of_host() -> list[Path]:
    """List the folders of the host that visitors may read: its datasets, and the cache of what is computed of them."""
    top = host_home()
    return [place / name for place in {top, top.resolve()} for name in ("datasets", "cache")]


def within(path: Path, *folders: Path) -> bool:
    """Tell whether a path is one of these folders or inside one."""
    text = str(path)  # ten times as fast as `Path.is_relative_to`, which counts for 25,000 photos
    return any(path == folder or text.startswith(f"{folder}{os.sep}") for folder in folders)


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for file in path.rglob("*") if path.is_dir() else [path]:
        with suppress(OSError):
            if file.is_file():
                total += file.stat().st_size
    return total


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
def replacing(path: Path, *, lasting: bool = False) -> Iterator[Path]:
    """Give a name beside `path` to write to; what is there in the end is renamed into place.

    So a reader never sees half a file, and a killed writer leaves `path` as it was.

    Parameters
    ----------
    path : Path
    lasting : bool
        Wait until the disk has it: then a power loss, too, leaves either the old file or the new one. Without it the
        system may rename the file before it has written what is in it.

    Raises
    ------
    OSError
        When the disk is full or the folder cannot be written; `path` is then as it was before.
    """
    beside = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield beside
        if lasting:
            _wait_for_disk(beside, os.O_RDWR)
        beside.replace(path)
        if lasting and os.name == "posix":  # elsewhere no folder can be opened
            _wait_for_disk(path.parent, os.O_RDONLY)
    finally:
        beside.unlink(missing_ok=True)


def _wait_for_disk(path: Path, mode: int) -> None:
    """Wait until what is in a file, or which names are in a folder, is on the disk."""
    opened = os.open(path, mode)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def replace_file(path: Path, content: bytes | str, *, lasting: bool = False) -> None:
    """Replace a file's content as a whole, with `replacing`."""
    with replacing(path, lasting=lasting) as beside:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)


def save_model(model: keras.Model, path: Path) -> None:
    """Save a Keras model as a whole, with `replacing`, so that it outlives a power loss."""
    with replacing(path, lasting=True) as beside:
        model.save(beside)


def sweep(folder: Path) -> None:
    """Remove what killed writers have left beside the files that they wanted to replace."""
    for file in folder.glob(".*"):
        with suppress(OSError):
            file.unlink()
