"""What one visitor may take of a shared server: every limit, in one table.

A limit holds for who has a space of their own (`cnn_core.storage.files.visiting`): for visitors of a shared server, and
for the processes that train for them. At home and on the command line only `RUNS` counts.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from cnn_core import CnnLabError
from cnn_core.host import counts
from cnn_core.storage import files

MB = 1_000_000


class SettingError(CnnLabError):
    """A limit in the environment is not a number."""


class LimitError(CnnLabError):
    """A visitor has asked for more than a limit allows."""


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes
    ----------
    variable : str
        The environment variable that sets it.
    usual : int
        What it is when the variable is not set: right for two cores and 4 GB.
    what : str
        What it limits, for the table in the README.
    refusal : str
        What a visitor is told who asks for more; ``{value}`` stands for the limit.
    """

    variable: str
    usual: int
    what: str
    refusal: str = ""

    @property
    def value(self) -> int:
        """The limit in force.

        Raises
        ------
        SettingError
            When the environment holds something else than a whole number from 1 on.
        """
        text = os.environ.get(self.variable) or str(self.usual)
        if not (text.isascii() and text.isdecimal() and int(text) >= 1):
            raise SettingError(
                f"{self.variable} must be a whole number from 1 on; it is “{text}”. Correct it or remove it."
            )
        return int(text)

    @property
    def sentence(self) -> str:
        """What a visitor is told who has reached the limit."""
        return self.refusal.format(value=f"{self.value:,}")

    def check(self, asked: float) -> None:
        """Refuse a visitor who asks for more, and count the refusal.

        Raises
        ------
        LimitError
            With a sentence that says what to do.
        """
        if files.visiting() and asked > self.value:
            raise self.reached()

    def reached(self) -> LimitError:
        """Count a refusal, and return the error that says so."""
        counts.add(f"refused_{self.variable.removeprefix('CNN_LAB_').lower()}")
        return LimitError(self.sentence)

    def at_most(self, otherwise: int) -> int:
        """Return the limit for a visitor where it is below `otherwise`, else `otherwise`: the end of a control.

        Examples
        --------
        >>> EPOCHS.at_most(1000)  # at home
        1000
        """
        return min(self.value, otherwise) if files.visiting() else otherwise


RUNS = Limit("CNN_LAB_MAX_RUNS", 1, "runs that train at the same time; the others wait in line (also in `personal`)")
WAITING = Limit(
    "CNN_LAB_MAX_WAITING",
    2,
    "runs of one visitor that train or wait",
    "You already have {value} trainings that run or wait, the maximum for one visitor. Wait until one ends, or stop "
    "one.",
)
LINE = Limit(
    "CNN_LAB_MAX_LINE",
    30,
    "runs of all visitors that train or wait: each that waits takes 20 to 40 MB of memory",
    "The line is full: {value} trainings run or wait on this server. Try again when some of them have ended.",
)
PICTURES = Limit(
    "CNN_LAB_MAX_PICTURES",
    2000,
    "pictures of a training or a measurement",
    "This server uses at most {value} pictures at a time. Choose a smaller number of pictures.",
)
EPOCHS = Limit(
    "CNN_LAB_MAX_EPOCHS",
    20,
    "epochs of a training",
    "A training on this server has at most {value} epochs. Choose fewer epochs.",
)
MINUTES = Limit(
    "CNN_LAB_MAX_MINUTES",
    10,
    "minutes that a run trains before the next one's turn",
    "Stopped after {value} minutes, the longest turn on this server. The run can wait in line again.",
)
UPLOAD = Limit(
    "CNN_LAB_MAX_UPLOAD_MB",
    100,
    "megabytes of an upload",
    "This server takes files of at most {value} MB. Upload a smaller one, for example with fewer pictures.",
)
MEMORY = Limit(
    "CNN_LAB_MAX_MEMORY_MB",
    200,
    "megabytes of uploads in the server's memory for one open page",
    "This server keeps at most {value} MB of a visitor's files in its memory. Reload the page to remove them, then "
    "upload fewer at a time.",
)
ALL_MEMORY = Limit(
    "CNN_LAB_MAX_ALL_MEMORY_MB",
    1000,
    "megabytes of uploads of all visitors in the memory of each app process",
    "This server's memory for visitors' files is full. Try again later.",
)
SPACE = Limit(
    "CNN_LAB_MAX_SPACE_MB",
    1000,
    "megabytes on disk of one visitor",
    "A visitor has {value} MB on this server for trainings, models and uploads, and this needs more. Delete a training "
    "that you no longer need, on the page Train, or open “Your space on this server” in the sidebar.",
)
DISK = Limit(
    "CNN_LAB_MAX_DISK_MB",
    10_000,
    "megabytes on disk of all visitors together; what is computed of the common datasets may take as many again",
    "This server's disk space for visitors is full. Delete a training that you no longer need, or try again later.",
)
IDLE = Limit("CNN_LAB_IDLE_HOURS", 48, "hours without a visit after which a visitor's space is emptied")
COSTLY = Limit(
    "CNN_LAB_MAX_COSTLY",
    120,
    "costly requests of one visitor in a minute, counted by each app process: verdicts, explanations, "
    "readings, exports, trainings",
    "You have asked too often: more than {value} times in a minute. Wait a minute, then try again.",
)

TABLE = (RUNS, WAITING, LINE, PICTURES, EPOCHS, MINUTES, UPLOAD, MEMORY, ALL_MEMORY, SPACE, DISK, IDLE, COSTLY)
"""All of them, in the order of the README."""

_spent: dict[Path, deque[float]] = {}
_lock = threading.Lock()


def spend(amount: int = 1) -> None:
    """Count something that costs the server much, when a visitor asks for it.

    Raises
    ------
    LimitError
        When the visitor has asked for more than `COSTLY` within the last minute.
    """
    if not files.visiting():
        return
    most, now = COSTLY.value, time.monotonic()
    with _lock:
        for home in [home for home, times in _spent.items() if times[-1] < now - 60]:
            del _spent[home]
        times = _spent.setdefault(files.home(), deque())
        while times and times[0] < now - 60:
            times.popleft()
        if len(times) + amount > most:
            if not times:
                del _spent[files.home()]
            raise COSTLY.reached()
        times.extend([now] * amount)
