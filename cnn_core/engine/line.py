"""The line of the runs: who trains now, and who waits for a turn.

There is no scheduler. Each training process writes its run's folder at the end of one list, and looks now and then how
many of the runs before its own still live, that is, hold the lock of their folder. So nobody has to be there for the
next run to begin, and a run that is killed, waiting or training, leaves the line with its process.

A server that many share has one line for all. Turns alternate there: a visitor's second run stands behind everyone's
first, the third behind everyone's second.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from cnn_core import CnnLabError
from cnn_core.engine.journal import Journal
from cnn_core.host import limits, spaces
from cnn_core.storage import lock
from cnn_core.storage.files import host_home, replace_file

POLL_SECONDS = 0.5
"""How often a waiting run looks whether its turn has come."""


class LineError(CnnLabError):
    """The number of runs that may train at the same time is not a number."""


def max_runs() -> int:
    """Return how many runs train at the same time: ``$CNN_LAB_MAX_RUNS``, by default 1.

    Raises
    ------
    LineError
        When the variable holds something else than a whole number from 1 on.

    Examples
    --------
    >>> max_runs() == limits.RUNS.value
    True
    """
    try:
        return limits.RUNS.value
    except limits.SettingError as error:
        raise LineError(str(error)) from error


def wait_turn(folder: Path, journal: Journal) -> None:
    """Take a place at the end of the line, and wait until it is this run's turn.

    Parameters
    ----------
    folder : Path
        The run's, whose lock this process holds: that is how the others know that the run lives.
    journal : Journal
        Tells the place in the line.

    Raises
    ------
    Stopped
        When somebody has asked the run to stop, which means to leave the line.
    LineError
        As `max_runs`.
    LockError
        When another process keeps the list for itself for longer than writing it takes.
    """
    together = max_runs()
    journal.heed_stop()
    join(folder)
    told = 0
    while (place := ahead(folder) - together + 1) > 0:
        if place != told:
            told = place
            journal.write(state="waiting", place=place, message=f"Waiting: place {place} in the line.")
        time.sleep(POLL_SECONDS)
        journal.heed_stop()
    if told:
        journal.start = time.monotonic()  # a run's time does not include the wait
        journal.write(state="starting", place=0, message="Loading TensorFlow.")


def join(folder: Path) -> None:
    """Put a run into the line, and take those that have ended out of it.

    It stands at the end, but overtakes the last ones as long as their visitors have more runs before them than its own
    visitor has.
    """
    line = _folder()
    with lock.locked(line):
        order = [other for other in _order() if other != _name(folder) and lock.held(Path(other))]
        owners = [_owner(name) for name in order]
        rounds = [owners[:place].count(owner) for place, owner in enumerate(owners)]
        mine = owners.count(_owner(_name(folder)))
        behind = [place for place, turn in enumerate(rounds) if turn <= mine or place < max_runs()]  # or that trains
        order.insert(behind[-1] + 1 if behind else 0, _name(folder))
        replace_file(line / "order.json", json.dumps(order, indent=1))


def living() -> int:
    """Count all runs that train or wait."""
    with lock.locked(_folder()):
        order = _order()
    return sum(lock.held(Path(name)) is True for name in order)


def ahead(folder: Path) -> int:
    """Count the living runs before this one. A run that is missing in a damaged line joins it again, at the end."""
    with lock.locked(_folder()):  # on Windows no file can be replaced while somebody reads it
        order = _order()
    if _name(folder) not in order:
        join(folder)
        return ahead(folder)
    return sum(lock.held(Path(other)) is True for other in order[: order.index(_name(folder))])


def _folder() -> Path:
    line = host_home() / "line"
    line.mkdir(parents=True, exist_ok=True)
    return line


def _name(folder: Path) -> str:
    return str(folder.resolve())


def _owner(name: str) -> str:
    """Return the space that a run is in; "" for those of the host, or of who is at home."""
    root = spaces.root().resolve()
    return next((str(folder) for folder in Path(name).parents if folder.parent == root), "")


def _order() -> list[str]:
    try:
        order = json.loads((host_home() / "line" / "order.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [name for name in order if isinstance(name, str)] if isinstance(order, list) else []
