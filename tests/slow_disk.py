"""A home on a slow disk: whatever is opened, listed or replaced there takes a while. By Python's own audit hooks."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TOUCHES = ("open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.utime", "shutil.rmtree")


@contextmanager
def slow(folder: Path, wait: Callable[[], object]) -> Iterator[list[Path]]:
    """Let everything in a folder wait each time; give the list of what was waited for."""
    waited: list[Path] = []
    active = True

    def hook(event: str, arguments: tuple) -> None:
        if not active or event not in TOUCHES or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = Path(os.fsdecode(arguments[0]))
        if folder in path.parents or path == folder:
            waited.append(path)
            wait()

    sys.addaudithook(hook)  # there is no way to remove one
    try:
        yield waited
    finally:
        active = False
