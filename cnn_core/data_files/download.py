"""Downloading a large file: it continues where it stopped, and is only taken as whole when its checksum is right.

What has arrived stays in a file beside the target, named ``….part``. It becomes the target in one step.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cnn_core import CnnLabError
from cnn_core.data_files import kept
from cnn_core.data_files.reading import Progress
from cnn_core.storage.lock import LockError, locked
from cnn_core.wording import data_size

ATTEMPTS = 5
"""How often in a row the server may give nothing new."""

PAUSE_SECONDS = 1.0
"""The pause before the second attempt; it doubles with each further one."""

LISTEN_SECONDS = 0.25
"""How often in a pause `progress` is called."""

TIMEOUT_SECONDS = 30.0
"""How long the server may be silent."""

PIECE = 2**20
"""Bytes that are written at a time."""


class DownloadError(CnnLabError):
    """The file could not be downloaded; the message says why, and what is kept."""


@dataclass(frozen=True)
class Remote:
    """A file elsewhere.

    Attributes
    ----------
    url : str
    bytes : int
        Its size.
    sha256 : str or None
        Its checksum, in hexadecimal; None when nobody has published it: then only the size is checked.
    """

    url: str
    bytes: int
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.url.rpartition("/")[2]


MICROSOFT = Remote(
    "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip",
    824_887_076,
    "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
)
"""The photos of Dogs vs. Cats as Microsoft publishes them (https://www.microsoft.com/download/details.aspx?id=54765).
Size and checksum are those in ``datasets/cats_vs_dogs/dataset_infos.json`` of Hugging Face's ``datasets`` on GitHub."""


def target_of(remote: Remote) -> Path:
    """Return where a dataset is, or will be when it has been downloaded."""
    return kept.folder() / remote.name


def arrived(target: Path) -> int:
    """Return how many bytes of an unfinished download are here."""
    return _size(_part(target))


def download(remote: Remote, target: Path, progress: Progress | None = None) -> Path:
    """Download a file, or what is missing of it.

    Parameters
    ----------
    remote : Remote
    target : Path
        Where to; when it is there already, nothing is done.
    progress : callable, optional
        Called as ``progress(done, total, what)`` with numbers of bytes; what it raises ends the download, and what has
        arrived is kept.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    DownloadError
        When the server does not give the file, or another one; when the disk is full or cannot be written; when
        somebody else is downloading at the same time.
    """
    if target.exists():
        return target
    part = _part(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.parent):
            _check_space(remote, part)
            _fetch_all(remote, part, progress)
            _check(remote, part, progress)
            part.replace(target)
    except LockError as error:
        raise DownloadError("Another download is running here. Wait until it has ended.") from error
    except OSError as error:
        raise DownloadError(
            f"The download could not be written to {target.parent}: {error.strerror or error}. Free some disk space, "
            "then download again: it continues where it stopped."
        ) from error
    return target


def _check_space(remote: Remote, part: Path) -> None:
    missing, free = remote.bytes - _size(part), shutil.disk_usage(part.parent).free
    if missing > free:
        raise DownloadError(
            f"The download still needs {data_size(missing)}, but the disk has only {data_size(free)} free. Free "
            "some disk space, or set CNN_LAB_HOME to a folder on another disk."
        )


def _fetch_all(remote: Remote, part: Path, progress: Progress | None) -> None:
    """Ask for what is missing until all is there; give up when the server gave nothing new for `ATTEMPTS` times."""
    failures, why, most = 0, "", _size(part)
    while _size(part) < remote.bytes:
        try:
            _fetch(remote, part, progress)
        except urllib.error.HTTPError as error:
            with error:
                why = f"the server answers {error.code} ({error.reason})"
            if error.code < 500 and error.code not in (408, 416, 429):  # asking again would not help
                raise DownloadError(f"{remote.url} cannot be downloaded: {why}. Get the photos from Kaggle.") from error
            if error.code == 416:  # what is here does not belong to the file that is there
                part.unlink(missing_ok=True)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            cause = getattr(error, "reason", error)
            why = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        else:
            why = "the connection was lost"
        failures = 0 if _size(part) > most else failures + 1
        most = max(most, _size(part))
        if failures >= ATTEMPTS:
            here = _size(part)
            stays = f" {data_size(here)} of {data_size(remote.bytes)} have arrived and are kept." if here else ""
            raise DownloadError(f"The download stopped: {why}.{stays} Check the connection, then download again.")
        if failures:
            _pause(PAUSE_SECONDS * 2 ** (failures - 1), remote, part, progress)
    if _size(part) > remote.bytes:
        part.unlink()
        raise DownloadError(f"{remote.url} is longer than it should be and was not kept. Get the photos from Kaggle.")


def _pause(seconds: float, remote: Remote, part: Path, progress: Progress | None) -> None:
    """Wait before the next attempt; who wants to stop is heard meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if progress:
            progress(_size(part), remote.bytes, "Waiting to ask the server again")
        time.sleep(min(left, LISTEN_SECONDS))


def _fetch(remote: Remote, part: Path, progress: Progress | None) -> None:
    """Ask once for what is missing, and add to `part` what comes."""
    start = _size(part)
    headers = {"User-Agent": "cnn-lab", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(remote.url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        with part.open("ab" if goes_on else "wb") as file:  # a server that knows no ranges begins anew
            _copy(answer, file, start if goes_on else 0, remote.bytes, progress)


def _copy(answer: BinaryIO, file: BinaryIO, done: int, total: int, progress: Progress | None) -> None:
    """Write what comes, but at most one byte more than there should be: then it is another file."""
    while done <= total and (piece := _read(answer, min(PIECE, total + 1 - done))):
        file.write(piece)
        done += len(piece)
        if progress:
            progress(min(done, total), total, "Downloading")


def _read(answer: BinaryIO, size: int) -> bytes:
    try:
        return answer.read(size)
    except OSError as error:  # of the network, not of the disk
        raise urllib.error.URLError(error) from error


def _check(remote: Remote, part: Path, progress: Progress | None) -> None:
    if remote.sha256 is None:
        return
    digest, done = hashlib.sha256(), 0
    with part.open("rb") as file:
        while piece := file.read(16 * PIECE):
            digest.update(piece)
            done += len(piece)
            if progress:
                progress(done, remote.bytes, "Checking the download")
    if digest.hexdigest() != remote.sha256:
        part.unlink()
        raise DownloadError(
            f"The download is damaged, or {remote.url} is another file now: its checksum is not the published one. It "
            "was not kept. Download it again."
        )


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
