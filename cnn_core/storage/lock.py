"""A lock on a folder that ends with the process that holds it, however that process ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cnn_core import CnnLabError

NAME = "lock"
"""The file in the folder. It stays there; what counts is whether a process has locked it."""

PATIENCE_SECONDS = 3.0
"""How long `locked` tries: whoever asks whether the lock is held, takes it for an instant; and a process that has just
ended its work may hold it a little longer."""


class LockError(CnnLabError):
    """Another process holds the lock."""


@contextmanager
def locked(folder: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the folder's lock.

    Parameters
    ----------
    folder : Path
    waiting : callable, optional
        Called again and again while another process holds the lock, however long that is. Without it, only
        `PATIENCE_SECONDS` are waited.

    Raises
    ------
    LockError
        When another process holds it.
    """
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while not _take(descriptor):
            if waiting:
                waiting()
            elif time.monotonic() > end:
                raise LockError(f"Another process is at work in {folder}. Wait for it, or stop it first.")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)  # which gives the lock back


def held(folder: Path) -> bool | None:
    """Tell whether a process holds the folder's lock; None when nobody ever took it."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDWR)
    except OSError:
        return None
    try:
        return not _take(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks: then nobody can be kept out
            return True
        return True
