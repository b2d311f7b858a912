"""Where the images of a dataset are: a zip is unpacked once, to the cache, if need be in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cnn_core import CnnLabError
from cnn_core.data_files.naming import SUFFIXES, label_of, shown_by
from cnn_core.data_files.reading import Progress
from cnn_core.storage import archives
from cnn_core.storage.cache import cache_path, cached, fingerprint
from cnn_core.storage.files import environment, expanded, may_read
from cnn_core.storage.lock import locked

LARGE = 10_000_000
"""Bytes of a zip. A smaller one is unpacked within a second, so it is looked into before TensorFlow is imported."""


def folder_of(path: Path, progress: Progress | None = None) -> Path:
    """Return the folder of images that `path` is or holds, extracting zips into the cache once.

    One process unpacks and the others wait for it: together they would take longer.

    Parameters
    ----------
    path : Path
        A folder, a zip, or a folder with a ``train.zip``.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Raises
    ------
    ArchiveError, LimitError, OSError
        As `archives.extract`.
    """
    path = path.resolve()
    packed = _zip_of(path)
    if packed is None:
        return path

    def write(folder: Path) -> None:
        archives.extract(packed, folder, lambda name: shown_by(name) is not None, progress)

    def waiting() -> None:
        if progress:
            progress(0, 0, "Unpacking the pictures")

    key = [fingerprint([packed])]
    with ExitStack() as turn:
        unpacked = cache_path("unpacked", key, about=[packed])
        if not unpacked.exists():
            unpacked.parent.mkdir(parents=True, exist_ok=True)
            turn.enter_context(locked(unpacked.parent, waiting))
        return cached("unpacked", key, write, about=[packed])


def takes_long(data: str) -> bool:
    """Tell whether a dataset is a large zip that is not unpacked yet; what looks like no zip is none.

    Examples
    --------
    >>> takes_long("no/such.zip")
    False
    """
    path = expanded(data)
    try:
        packed = _zip_of(path.resolve()) if may_read(path) else None
        if packed is None or packed.stat().st_size < LARGE or not zipfile.is_zipfile(packed):
            return False
        return not cache_path("unpacked", [fingerprint([packed])], about=[packed]).exists()
    except (OSError, zipfile.BadZipFile):  # there is none
        return False


@contextmanager
def beside(data: str | None) -> Iterator[Callable[[Progress], None]]:
    """Let a process of its own unpack a dataset that `takes_long`, while this one does something else.

    It is a head start, no more: if the process fails, whoever opens the dataset unpacks it and says what is wrong. It
    ends with the block, and also when this process is killed: nobody takes its progress any more.

    Parameters
    ----------
    data : str, optional
        Its path; None when there is nothing to unpack.

    Yields
    ------
    callable
        Waits for the process, and tells its progress to the callable that it is given.
    """
    process = _begin(data) if data else None
    if process is None or process.stdout is None:
        yield lambda progress: None
        return
    lines = process.stdout

    def wait(progress: Progress) -> None:
        for line in lines:
            progress(*json.loads(line))

    try:
        yield wait
    finally:
        lines.close()
        process.wait()


def _zip_of(path: Path) -> Path | None:
    """Return the zip that holds the images of a dataset; None when they lie in the folder itself."""
    if not path.is_dir():
        return path
    inner = path / "train.zip"
    if not inner.exists() or any(label_of(file.name) for file in path.iterdir() if file.suffix.lower() in SUFFIXES):
        return None
    return inner


def _begin(data: str) -> subprocess.Popen[bytes] | None:
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    with suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-m", "cnn_core.data_files.unpacking", data],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment() | {"PYTHONPATH": path},
        )
    return None


def main() -> None:
    """Unpack the dataset named on the command line, and print a line whenever there is progress."""
    with suppress(CnnLabError, OSError):
        folder_of(expanded(sys.argv[1]), lambda *progress: print(json.dumps(progress), flush=True))


if __name__ == "__main__":
    main()
