"""A class on a shared server, as its teacher sees it: everyone's runs, and what is put there for all."""

from __future__ import annotations

import hmac
import os
import threading
from collections import deque
from time import monotonic

from cnn_core import CnnLabError, models, runs
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
    """Put a zip of photos there for all; return its name.

    Raises
    ------
    DatasetError
        When it cannot be written.
    """
    with at_home(host_home()):
        return kept.keep(content, name).name


def give_model(content: bytes, name: str) -> str:
    """Check a model and put it there for all; return its name.

    Raises
    ------
    ModelError
        As `models.save_upload`.
    """
    with at_home(host_home()):
        return models.save_upload(content, name).name
