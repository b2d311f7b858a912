"""A run's folder as the training process writes it: the status, the history, the steps and the model.

Every file that is replaced is written beside itself and renamed, so that whoever reads along never sees half of one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core import CnnLabError
from cnn_core.host import limits, spaces
from cnn_core.storage.files import at_this_home, replace_file, visiting
from cnn_core.wording import so_far

if TYPE_CHECKING:
    import pandas as pd

HISTORY = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "seconds"]
"""Columns of ``history.csv``: accuracy and loss on the training set, then on the test set or the validation set."""

MODEL, LAST = "model.keras", "last.keras"
"""The model that answers; and, in a run that keeps its best epoch's as that, the last epoch's."""

ACTIVE_STATES = ("waiting", "starting", "reading", "running", "stopping", "paused")
"""The states of a run whose process lives. "paused" is said of one that lives but does not answer."""

STEPS = ["step", "epoch", "loss", "accuracy"]
"""Keys of a line of ``steps.jsonl``: the step from 1 on, over all epochs; the epoch's loss and accuracy up to it."""

HEARTBEAT_SECONDS = 1.0
"""How often a living run touches its status file."""

SPACE_SECONDS = 10.0
"""How often it looks at what its visitor has on the disk."""


@dataclass(frozen=True)
class Status:
    """Where a run stands; ``status.json`` holds these fields.

    Attributes
    ----------
    state : str
        One of `ACTIVE_STATES`, or "finished", "stopped", "failed" or "interrupted".
    message : str
        A sentence for people: what is being read, or why the run ended.
    epoch, epochs : int
        The epoch under way (from 1) and how many there will be.
    step, steps : int
        The batch under way in this epoch (from 1) and how many an epoch has.
    images_per_second : float
        Training images per second, over this process's whole training.
    seconds, seconds_left : float
        Since the start, and the estimate until the end.
    place : int
        The place in the line of a waiting run, from 1; otherwise 0.
    broken : int
        Images that could not be read so far, and were left out; `read_broken` names them.
    """

    state: str = "starting"
    message: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    images_per_second: float = 0.0
    seconds: float = 0.0
    seconds_left: float | None = None
    place: int = 0
    broken: int = 0


class Diverged(CnnLabError):
    """The loss is no longer a number: from here on nothing is learned."""


class Stopped(Exception):
    """Somebody asked the run to stop."""


class TimeUp(Stopped):
    """A visitor's run has trained for as long as one turn may take."""


class SpaceFull(Stopped):
    """A visitor's space has no room left for what the run writes."""


class Journal:
    """Writes a run's status, and touches it every second so that readers can tell a living run from a killed one.

    Parameters
    ----------
    folder : Path
        The run folder. A request to stop may be there already: it can be made before the process has begun its work.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = Status()
        self.start = time.monotonic()
        self.stops: Callable[[], bool] = (folder / "stop").exists
        self._written = 0.0
        self._turn = 60 * limits.MINUTES.value if visiting() else 0
        self._space_full = False
        self._closed = threading.Event()
        self.write(state="starting", message="Loading TensorFlow.")
        threading.Thread(target=at_this_home(self._beat), daemon=True).start()

    def write(self, **changes: Any) -> None:
        """Change fields of the status and write it; a full disk does not stop the run for this file's sake."""
        self.status = replace(self.status, seconds=round(time.monotonic() - self.start, 2), **changes)
        self._written = time.monotonic()
        try:
            replace_file(self.folder / "status.json", json.dumps(asdict(self.status)))
        except OSError as error:
            print(f"status.json could not be written: {error}", file=sys.stderr, flush=True)

    def note(self, **changes: Any) -> None:
        """Change fields of the status, and write it at most four times a second."""
        if time.monotonic() - self._written > 0.25:
            self.write(**changes)
        else:
            self.status = replace(self.status, **changes)

    def starting(self, what: str) -> None:
        """Say what is done before the first step, and end the run if that was asked for."""
        self.write(state="starting", message=what)
        self.heed_stop()

    def reading(self, done: int, total: int, what: str) -> None:
        """Report progress while data is read, and end the run if that was asked for."""
        self.note(state="reading", message=f"{so_far(what, done, total)}.")
        self.heed_stop()

    def heed_stop(self) -> None:
        """Raise when somebody asks this run to stop, its turn has been long enough, or its visitor's space is full."""
        if self.stops():
            raise Stopped
        if self._turn and self.status.state != "waiting" and time.monotonic() - self.start > self._turn:
            raise TimeUp
        if self._space_full:
            raise SpaceFull

    def close(self) -> None:
        """End the heartbeat, and remove the request to stop, so that the run can be resumed."""
        self._closed.set()
        (self.folder / "stop").unlink(missing_ok=True)

    def _beat(self) -> None:
        looked = 0.0
        while not self._closed.wait(HEARTBEAT_SECONDS):
            with suppress(OSError):
                os.utime(self.folder / "status.json")
            if visiting() and time.monotonic() - looked > SPACE_SECONDS:
                looked, self._space_full = time.monotonic(), spaces.is_full()


def read_status(folder: Path) -> Status:
    """Read ``status.json``.

    Raises
    ------
    OSError
        When there is none.
    ValueError
        When it is damaged.
    """
    values = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    known = {item.name: type(item.default) for item in fields(Status)}
    if not isinstance(values, dict) or not all(
        _is_number(value) if kind is not str else isinstance(value, str)
        for name, value in values.items()
        if (kind := known.get(name)) and value is not None
    ):
        raise ValueError(f"{folder / 'status.json'} is no status")
    return Status(**{name: value for name, value in values.items() if name in known})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def read_history(folder: Path) -> pd.DataFrame:
    """Read ``history.csv``, or an empty table where there is none yet.

    Raises
    ------
    ValueError
        When it is damaged.
    """
    import pandas as pd

    path = folder / "history.csv"
    if not path.exists():
        return pd.DataFrame(columns=HISTORY)
    table = pd.read_csv(path)
    if (
        table.columns[0] != "epoch"
        or table.isna().any(axis=None)
        or len(table.select_dtypes("number").T) < table.shape[1]
    ):
        raise ValueError(f"{path} is no history")
    return table


def read_steps(folder: Path) -> pd.DataFrame:
    """Read ``steps.jsonl`` but for a last line that is only half written.

    Raises
    ------
    OSError
        When there is none.
    ValueError
        When it is damaged.
    """
    import pandas as pd

    path = folder / "steps.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    steps = [json.loads(line) for line in lines]
    if not all(isinstance(step, dict) and all(map(_is_number, step.values())) for step in steps):
        raise ValueError(f"{path} holds other things than steps")
    return pd.DataFrame(steps)


def read_broken(folder: Path) -> list[str]:
    """Read ``broken.txt``: the images that were left out, by their paths inside the dataset."""
    path = folder / "broken.txt"
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def history_text(rows: list[dict[str, Any]]) -> str:
    """Return what ``history.csv`` holds when these are the finished epochs."""
    import pandas as pd

    return str(pd.DataFrame(rows, columns=HISTORY).to_csv(index=False, lineterminator="\n"))


def keep_steps(path: Path, most: int) -> None:
    """Drop from ``steps.jsonl`` the steps after this one, which are learned again, and lines that are none."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    kept = [line for line in lines[:most] if line.startswith('{"step"') and line.endswith("}")]
    replace_file(path, "".join(f"{line}\n" for line in kept))
