"""A class on a shared server, as its teacher sees it: everyone's runs, and what is put there for all."""

from __future__ import annotations

import hmac
import os
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from time import monotonic

from cnn_core import CnnLabError, dataset, models, runs
from cnn_core.data_files import kept
from cnn_core.engine.journal import ACTIVE_STATES, Status
from cnn_core.host import spaces, start
from cnn_core.storage.files import at_home, host_home

MOST_WRONG = 30
"""Wrong codes a minute, of all visitors together; then nobody may try until a minute has passed."""

_wrong: deque[float] = deque()
_lock = threading.Lock()


class CodeError(CnnLabError):
    """Somebody has typed a wrong code."""


def check_code(code: str) -> None:
    """Check the code that somebody has typed.

    Raises
    ------
    CodeError
        When it is wrong, or too many wrong ones were tried.
    """
    now = monotonic()
    with _lock:
        while _wrong and _wrong[0] < now - 60:
            _wrong.popleft()
        if len(_wrong) >= MOST_WRONG:
            raise CodeError("Too many wrong codes were tried. Wait a minute, then try again.")
        if not start.has_teacher() or not hmac.compare_digest(code.encode(), os.environ[start.TEACHER].encode()):
            _wrong.append(now)
            raise CodeError("This code is wrong. Ask the person who set up this server.")


def all_runs() -> list[tuple[str, runs.Run]]:
    """List everyone's runs, the newest first, each with its visitor's `spaces.label`."""
    found = []
    for space in spaces.everyone():
        with at_home(space):
            found += [(spaces.label(space), run) for run in runs.list_runs()]
    return sorted(found, key=lambda item: item[1].id, reverse=True)


def under_way() -> list[tuple[str, runs.Run, Status]]:
    """List the runs that train, then those that wait, in the order of their turn."""
    found = [(who, run, run.status()) for who, run in all_runs()]
    active = [item for item in found if item[2].state in ACTIVE_STATES]
    return sorted(active, key=lambda item: (item[2].place, item[1].id))


def give_dataset(content: bytes, name: str) -> str:
    """Check a zip of photos and put it there for all; return the file's name.

    Raises
    ------
    DatasetError
        As `dataset.open_dataset`, or when it cannot be written; then nothing is kept.
    """
    with at_home(host_home()):
        there = kept.names()
        path = kept.keep(content, name)
        new = path.name not in there  # else it may be the host's own
        try:
            dataset.open_dataset(path)
        except dataset.DatasetError:
            if new:
                path.unlink(missing_ok=True)
            raise
    if new:
        _note(path)
    return path.name


def give_model(content: bytes, name: str) -> str:
    """Check a model and put it there for all; return the file's name.

    Raises
    ------
    ModelError
        As `models.save_upload`.
    """
    with at_home(host_home()):
        path = models.save_upload(content, name).path
    _note(path)
    return path.name


def given() -> list[str]:
    """List what was given and is still there, by its file's name; nothing that the host has put there otherwise."""
    return sorted((note.name for note in _notes().glob("*") if _file(note.name).exists()), key=str.casefold)


def take_back(name: str) -> None:
    """Remove something of `given`; what is not there any more is no error.

    Raises
    ------
    CnnLabError
        When it cannot be removed.
    """
    if name not in given():
        return
    try:
        _file(name).unlink(missing_ok=True)
        (_notes() / name).unlink(missing_ok=True)
    except OSError as error:
        raise CnnLabError(f"{name} could not be removed: {error.strerror}.") from error


def _notes() -> Path:
    """Return the folder with an empty file for each file that was given, which tells it from the host's own."""
    return host_home() / "given"


def _note(path: Path) -> None:
    with suppress(OSError):  # it is there for all, and only cannot be taken back here
        _notes().mkdir(exist_ok=True)
        (_notes() / path.name).touch()


def _file(name: str) -> Path:
    return host_home() / ("models" if name.endswith(".keras") else "datasets") / name
