"""A run's folder as the training process writes it: the status, the history, the steps and the model.

Every file that is replaced is written beside itself and renamed, so that whoever reads along never sees half of one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core import CnnLabError
from cnn_core.storage.files import replace_file

if TYPE_CHECKING:
    import pandas as pd

HISTORY = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "seconds"]
"""Columns of ``history.csv``: accuracy and loss on the training set, then on the test set or the validation set."""

HEARTBEAT_SECONDS = 1.0
"""How often a living run touches its status file."""


@dataclass(frozen=True)
class Status:
    """Where a run stands; ``status.json`` holds these fields.

    Attributes
    ----------
    state : str
        "starting", "reading", "running", "stopping", "finished", "stopped", "failed" or "interrupted".
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


class Diverged(CnnLabError):
    """The loss is no longer a number: from here on nothing is learned."""


class Stopped(Exception):
    """Somebody asked the run to stop."""


class Journal:
    """Writes a run's status, and touches it every second so that readers can tell a living run from a killed one.

    Parameters
    ----------
    folder : Path
        The run folder. A request to stop that was left in it is removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = Status()
        self.start = time.monotonic()
        self._written = 0.0
        self._closed = threading.Event()
        (folder / "stop").unlink(missing_ok=True)
        self.write(state="starting", message="Loading TensorFlow.")
        threading.Thread(target=self._beat, daemon=True).start()

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

    def reading(self, done: int, total: int, what: str) -> None:
        """Report progress while data is read, and end the run if that was asked for."""
        self.note(state="reading", message=f"{what}: {done:,} of {total:,}.")
        self.heed_stop()

    def heed_stop(self) -> None:
        """Raise when somebody has asked this run to stop."""
        if (self.folder / "stop").exists():
            raise Stopped

    def close(self) -> None:
        """End the heartbeat."""
        self._closed.set()

    def _beat(self) -> None:
        while not self._closed.wait(HEARTBEAT_SECONDS):
            with suppress(OSError):
                os.utime(self.folder / "status.json")


def read_history(folder: Path) -> pd.DataFrame:
    """Read ``history.csv``, or an empty table where there is none yet."""
    import pandas as pd

    path = folder / "history.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=HISTORY)


def keep_steps(path: Path, most: int) -> int:
    """Drop the steps of an epoch that was not finished, since it is trained again; return how many are left."""
    lines = path.read_text(encoding="utf-8").splitlines()[:most] if path.exists() else []
    replace_file(path, "".join(f"{line}\n" for line in lines))
    return len(lines)
