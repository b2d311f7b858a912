"""The visitors' spaces: ``$CNN_LAB_HOME/spaces/<name>``, each a home like the one of a person who is alone.

A space begins to exist when something is written into it. It is emptied when nobody has come for `limits.IDLE` hours.
"""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from cnn_core.host import counts, limits, tickets
from cnn_core.storage import lock
from cnn_core.storage.files import home, host_home, replace_file, safe_name, size, visiting

SEEN, NAME, KEY = "seen", "name", "key"
"""Files in a space: the time of the first says when its visitor was here; the others contain the visitor's name and the
number of the key to the space."""


def root() -> Path:
    """Return the folder of all spaces."""
    return host_home() / "spaces"


def folder(name: str) -> Path:
    """Return the space of a visitor; it need not exist yet."""
    return root() / name


def label(space: Path) -> str:
    """Return what a visitor and a teacher call a space: its visitor's name, if that was given, and four characters.

    Examples
    --------
    >>> label(Path("spaces/f16feb5689edfcace094ad45f539b13a"))
    'f16f'
    """
    return f"{name_of(space)} {space.name[:4]}".strip()


def name_of(space: Path) -> str:
    """Return the name that the visitor of a space has given; "" without one."""
    try:
        return safe_name((space / NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""


def call_me(name: str) -> None:
    """Keep what the visitor wants to be called: letters, digits, ``_ . -``. An empty name forgets it."""
    if visiting():
        with suppress(OSError):  # a full disk: then the four characters must do
            home().mkdir(parents=True, exist_ok=True)
            replace_file(home() / NAME, safe_name(name))


def key(*, new: bool = False) -> str:
    """Return the key of the visitor's space. A new one replaces the old one, which then opens nothing.

    Raises
    ------
    OSError
        When there was none and it cannot be written.
    """
    if new or not _key_number(home()):
        home().mkdir(parents=True, exist_ok=True)
        replace_file(home() / KEY, secrets.token_hex(8))
    return tickets.key_of(home().name, _key_number(home()))


def opened_by(key: str | None) -> str | None:
    """Return the name of the space that a key opens; None for one that is not, or no longer, the key of a space."""
    space, number = tickets.read_key(key) or ("", "")
    return space if space and number == _key_number(folder(space)) else None


def _key_number(space: Path) -> str:
    with suppress(OSError):
        return (space / KEY).read_text(encoding="ascii")
    return ""


def everyone() -> list[Path]:
    """List the spaces that exist."""
    try:
        return sorted(path for path in root().iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def greet() -> None:
    """Note that the visitor is here. Who has only looked around has no space, and needs none."""
    if visiting() and home().is_dir():
        with suppress(OSError):
            (home() / SEEN).touch()


def make_room(more: int) -> None:
    """Refuse what would fill the visitor's space, or the disk that all visitors share.

    Parameters
    ----------
    more : int
        Bytes that are about to be written.

    Raises
    ------
    LimitError
        With a sentence that says what to do.
    """
    if not visiting():
        return
    if size(home()) + more > limits.SPACE.value * limits.MB and not _lives(home()):
        shutil.rmtree(home() / "cache", ignore_errors=True)  # which costs time, never data
    limits.SPACE.check((size(home()) + more) / limits.MB)
    limits.DISK.check((size(root()) + more) / limits.MB)


def is_full() -> bool:
    """Tell whether the visitor has more on the disk than they may: a run can take what `make_room` had found free."""
    return visiting() and size(home()) > limits.SPACE.value * limits.MB


def clear() -> bool:
    """Delete all that the visitor has here; return False while a run of theirs is under way, and delete nothing."""
    if not visiting() or _lives(home()):
        return False
    _remove(home())
    return True


def empty_idle() -> list[str]:
    """Remove the spaces whose visitors have not come for too long; return their names. A run that lives keeps its own.

    Raises
    ------
    SettingError
        When the environment says no number of hours.
    """
    oldest, gone = time.time() - 3600 * limits.IDLE.value, []
    for space in everyone():
        if _seen(space) < oldest and not _lives(space):
            _remove(space)
            counts.add("spaces_emptied")
            gone.append(space.name)
    return gone


def _lives(space: Path) -> bool:
    return any(lock.held(run) for run in space.glob("runs/*"))


def _remove(space: Path) -> None:
    aside = space.with_name(f".{space.name}-{secrets.token_hex(4)}")
    with suppress(OSError):  # renamed first: a visitor who comes back now finds an empty space, not half of one
        space.rename(aside)
    for left in root().glob(".*"):  # also what a killed server has left
        shutil.rmtree(left, ignore_errors=True)


def _seen(space: Path) -> float:
    times = [0.0]
    for path in (space, space / SEEN):
        with suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)
