"""Which files a piece of Python writes, by Python's own audit hooks."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PATHS = {"open": 1, "os.mkdir": 1, "os.rename": 2, "os.symlink": 2, "os.link": 2, "os.truncate": 1}
"""What changes the disk, and how many of its arguments are paths."""


@contextmanager
def written() -> Iterator[list[Path]]:
    """Give a list to which every path is added that is written, in any thread, until the end."""
    found: list[Path] = []
    active = True

    def hook(event: str, arguments: tuple) -> None:
        if not active or (event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITES)):
            return
        paths = [Path(os.fsdecode(path)) for path in arguments[: PATHS.get(event, 0)] if isinstance(path, str | bytes)]
        found.extend((path if path.is_absolute() else Path.cwd() / path).resolve() for path in paths)

    sys.addaudithook(hook)  # there is no way to remove one
    try:
        yield found
    finally:
        active = False
