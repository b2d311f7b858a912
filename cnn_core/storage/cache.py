"""Results that are expensive to compute, kept in ``$CNN_LAB_HOME/cache``: one key, one way to write, one way to prune.

A key says everything that decides the result, such as the state of the image files and the weights of a model. So a
changed file is never given an old result. Deleting the folder costs time, never data.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from cnn_core.host import limits
from cnn_core.storage.files import home, host_home, of_host, size, visiting, within

GB = 2**30

MAX_BYTES = {
    "exports": GB,
    "features": 2 * GB,
    "images": 4 * GB,
    "predictions": GB // 16,
    "sketches": 4 * GB,
    "survey": GB // 4,
    "unpacked": 16 * GB,
}
"""What each kind of result may take; when it takes more, the results that were used longest ago are deleted."""


def cache_path(kind: str, key: Iterable[object], suffix: str = "", about: Iterable[Path] | None = None) -> Path:
    """Return where the result of this kind and key is, or will be.

    Parameters
    ----------
    kind : str
        A key of `MAX_BYTES`, and the beginning of the name.
    key : iterable of object
        Everything that decides the result. Each must have a ``str()`` that tells it apart.
    suffix : str
        The end of the name, such as ``".npy"``.
    about : iterable of Path, optional
        The files that the result is about. When all are the host's, the visitors of a shared server have one result
        in common: it is in the host's cache; so it is when there are none. By default the result is the visitor's own.

    Returns
    -------
    Path

    Examples
    --------
    >>> cache_path("images", ["a", 64]) == cache_path("images", ["a", 128])
    False
    """
    digest = hashlib.sha256("\0".join(map(str, key)).encode()).hexdigest()[:16]
    folders = of_host()
    common = about is not None and visiting() and all(within(file, *folders) for file in about)
    return (host_home() if common else home()) / "cache" / f"{kind}-{digest}{suffix}"


def cached(
    kind: str,
    key: Iterable[object],
    write: Callable[[Path], object],
    suffix: str = "",
    about: Iterable[Path] | None = None,
) -> Path:
    """Return the file or folder with a result; compute it first if it is not there.

    Parameters
    ----------
    kind, key, suffix, about
        As in `cache_path`.
    write : callable
        Called with a path beside the final one, where it writes the file or folder.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        When nothing can be written there. What `write` raises is raised too. Then nothing is kept.
    """
    path = cache_path(kind, key, suffix, about)
    if path.exists():
        with suppress(OSError):  # a home that cannot be written can still be read
            path.touch()
    else:
        store(path, write)
    return path


def store(path: Path, write: Callable[[Path], object]) -> None:
    """Write a result beside `path`, rename it into place and prune its kind.

    Raises
    ------
    OSError
        When nothing can be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{secrets.token_hex(4)}-{path.name}")
    try:
        write(beside)
        try:
            beside.replace(path)
        except OSError:
            if not path.is_dir():  # another process has written the same folder in the meantime
                raise
    finally:
        _delete(beside)
    prune(path)


def fingerprint(files: Iterable[str | Path], more: Iterable[object] = ()) -> str:
    """Return a name for the state of some files: their paths, sizes and times of change, and what `more` decides.

    Raises
    ------
    OSError
        When a file is missing.
    """
    digest = hashlib.sha256()
    for file in files:
        facts = os.stat(file)  # noqa: PTH116  (a Path for each of a million files takes long)
        digest.update(f"{file}|{facts.st_size}|{facts.st_mtime_ns}\n".encode())
    for thing in more:
        digest.update(f"{thing}\n".encode())
    return digest.hexdigest()[:16]


def prune(newest: Path) -> None:
    """Delete the results used longest ago until the kind of `newest` fits its limit; `newest` itself stays.

    Whoever lets a result grow after it was stored calls this now and then.
    """
    kind = newest.name.split("-")[0]
    with suppress(OSError):  # another process may prune at the same time
        results = sorted(newest.parent.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        total, most = size(newest), MAX_BYTES[kind]
        if visiting():
            of_all, of_one = limits.DISK.value * limits.MB // 4, limits.SPACE.value * limits.MB // 2
            most = min(most, of_all if within(newest, *of_host()) else of_one)
        for result in results:
            total += size(result) if result != newest else 0
            if total > most and result != newest:
                _delete(result)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
