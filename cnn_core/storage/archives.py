"""Unpacking a zip that came from outside: no path leaves its folder, its size is bounded before a byte is written."""

from __future__ import annotations

import lzma
import posixpath
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath

from cnn_core import CnnLabError
from cnn_core.host import spaces
from cnn_core.storage.files import home, within
from cnn_core.wording import data_size

MAX_BYTES = 8_000_000_000
"""What a zip may unpack to: ten times Kaggle's Dogs vs. Cats."""

MAX_FILES = 200_000

MAX_DIRECTORY = 120 * MAX_FILES
"""The maximum size of a zip's list of its files, in bytes: in memory it takes about ten times as much."""

DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What Python raises about a zip that is damaged, encrypted, or says something that cannot be."""


class ArchiveError(CnnLabError):
    """The zip cannot be unpacked, or not safely."""


def extract(
    path: Path,
    folder: Path,
    wanted: Callable[[str], bool],
    progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Unpack the wanted files of a zip, or of the ``train.zip`` inside it, into a new folder, all or nothing.

    Parameters
    ----------
    path : Path
        The zip.
    folder : Path
        Where to; it appears only when everything has been written.
    wanted : callable
        Told each file's name inside the zip; those it declines are not unpacked.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Raises
    ------
    ArchiveError
        When it is no zip, is damaged or encrypted, holds a path outside itself, or unpacks to more than `MAX_BYTES`,
        `MAX_FILES` or what the disk has free.
    LimitError
        When it unpacks to more than a visitor may keep.
    OSError
        When the disk cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        with _open(path) as outer:
            inner = [item for item in outer.infolist() if PurePosixPath(item.filename).name.lower() == "train.zip"]
            if inner:
                _check(outer, path.name, inner)
                nested = beside / "train.zip"
                _make_room(inner[0].file_size, path.name, beside)
                with outer.open(inner[0]) as source, nested.open("wb") as target:
                    shutil.copyfileobj(source, target, 2**20)
                with _open(nested) as archive:
                    _extract_all(archive, path.name, beside / "files", wanted, progress)
            else:
                _extract_all(outer, path.name, beside / "files", wanted, progress)
        try:
            (beside / "files").replace(folder)
        except OSError:
            if not folder.exists():  # somebody else unpacked the same zip meanwhile: theirs is as good
                raise
    except (OSError, *DAMAGED) as error:
        if getattr(error, "errno", None) is not None:  # of the disk; bzip2 raises an OSError without a number
            raise
        raise ArchiveError(f"{path.name} is damaged or encrypted ({error}). Download or pack it again.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def opened(path: Path) -> zipfile.ZipFile:
    """Open a zip, unless the list of its files alone would fill the memory.

    Raises
    ------
    ArchiveError
        When it lists too much.
    zipfile.BadZipFile
        When it is none; also the other errors of `DAMAGED`.
    OSError
        When the file cannot be read.
    """
    if _directory_bytes(path) > MAX_DIRECTORY:
        raise ArchiveError(f"{path.name} lists more than {MAX_FILES:,} files. Use a smaller one.")
    try:
        return zipfile.ZipFile(path)
    except ValueError as error:  # a name that is no UTF-8, a place before the file's beginning
        raise zipfile.BadZipFile(str(error)) from error


def _directory_bytes(path: Path) -> int:
    """Return how long the zip says that the list of its files is; 0 where it says nothing."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2**16 - 100))
        end = file.read()
    at, at64 = end.rfind(b"PK\5\6"), end.rfind(b"PK\6\6")
    lengths = [end[at + 12 : at + 16] if at >= 0 else b"", end[at64 + 40 : at64 + 48] if at64 >= 0 else b""]
    sizes = [int.from_bytes(length, "little") for length in lengths]
    return sizes[1] if sizes[0] == 0xFFFFFFFF else max(sizes)


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return opened(path)
    except (OSError, *DAMAGED) as error:
        raise ArchiveError(
            f"{path.name} is not a zip file, or only part of one. Choose a zip or a folder of photos."
        ) from error


def _check(archive: zipfile.ZipFile, name: str, items: list[zipfile.ZipInfo]) -> None:
    for item in archive.infolist():
        windows = PureWindowsPath(item.filename)
        if windows.drive or windows.root or ".." in windows.parts or stat.S_ISLNK(item.external_attr >> 16):
            raise ArchiveError(
                f"{name} contains {item.filename!r}, which would be unpacked outside its own folder. "
                "Nothing was unpacked. Use a zip from a source you trust."
            )
    total = sum(item.file_size for item in items)
    if total > MAX_BYTES or len(items) > MAX_FILES:
        raise ArchiveError(
            f"{name} would unpack to {len(items):,} files and {data_size(total)}; "
            f"at most {MAX_FILES:,} files and {data_size(MAX_BYTES)} are accepted. Use a smaller dataset."
        )


def _make_room(more: int, name: str, folder: Path) -> None:
    """Refuse to write more than the visitor, or the disk, has room for."""
    if within(folder, home()):
        spaces.make_room(more)
    free = shutil.disk_usage(folder).free
    if more > free:
        raise ArchiveError(
            f"{name} unpacks to {data_size(more)}, but the disk has only {data_size(free)} free. "
            "Free some disk space, or set CNN_LAB_HOME to a folder on another disk."
        )


def _extract_all(
    archive: zipfile.ZipFile,
    name: str,
    folder: Path,
    wanted: Callable[[str], bool],
    progress: Callable[[int, int, str], None] | None,
) -> None:
    items = [item for item in archive.infolist() if wanted(item.filename) and not item.is_dir()]
    _check(archive, name, items)
    _make_room(sum(item.file_size for item in items), name, folder.parent)
    folder.mkdir()
    for parent in {posixpath.dirname(item.filename) for item in items}:
        (folder / parent).mkdir(parents=True, exist_ok=True)
    for number, item in enumerate(items, start=1):
        try:  # a Path for each file would take a fifth of the time
            with archive.open(item) as source, open(f"{folder}/{item.filename}", "wb") as file:  # noqa: PTH123
                shutil.copyfileobj(source, file)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError):
            pass  # the image is incomplete: the dataset counts and names it as broken
        except OSError as error:
            if error.errno is not None:  # bzip2 says so, without a number, of damaged data
                raise
        if progress and (number % 500 == 0 or number == len(items)):
            progress(number, len(items), "Unpacking the pictures")
