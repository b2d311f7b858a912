"""Jobs in the background of a page: the page stays alive, shows how far a job is, and can stop it.

The server keeps the latest jobs, so that a job outlives a reload and two visitors of one home share one result. Those
of another home are as if they were not there.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from cnn_core import CnnLabError
from cnn_core.host import limits
from cnn_core.storage.files import at_home, home
from cnn_core.wording import so_far, time_left
from pages.widgets import unexpected

MAX_JOBS = 16
"""Jobs that the server remembers of a home."""

MAX_JOBS_OF_ALL = 64
"""Jobs that a shared server remembers, of all homes together. None that still runs is stopped for another home."""

J = TypeVar("J", bound="Job")

_jobs: OrderedDict[Hashable, "Job"] = OrderedDict()
_lock = threading.Lock()


class Stopped(CnnLabError):
    """A visitor has stopped the job."""


@dataclass(eq=False)
class Job(ABC):
    """Something that is done in a thread of its own. It begins when it is made; a subclass says in `work` what to do.

    Attributes
    ----------
    done, total : int
        How far it is; a total of 0 is not known yet.
    what : str
        What it does now.
    error : str
        Why there is no result, in a sentence; "" while all is well.
    """

    stopped: ClassVar[str] = "Stopped."
    """The error of a job that a visitor has stopped."""
    failed: ClassVar[str] = "Something unexpected happened ({}). Try again."
    """The error of a job that ended for a reason that nobody foresaw."""

    done: int = field(default=0, init=False)
    total: int = field(default=1, init=False)
    what: str = field(default="Reading the pictures", init=False)
    error: str = field(default="", init=False)

    def __post_init__(self) -> None:
        """Begin, for the home that it is made in."""
        self.home = home()
        self._begun, self._first = time.monotonic(), 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @abstractmethod
    def work(self) -> None:
        """Do the job. Call `progress` now and then: it is where a stopped job ends."""

    def progress(self, done: int, total: int, what: str) -> None:
        """Note how far the job is.

        Raises
        ------
        Stopped
            When a visitor has stopped it.
        """
        if what != self.what:
            self._begun, self._first = time.monotonic(), done
        self.done, self.total, self.what = done, total, what
        if self._stop.is_set():
            raise Stopped(self.stopped)

    def stop(self) -> None:
        """End it at its next `progress`."""
        self._stop.set()

    def ready(self, wait: float = 0.0) -> bool:
        """Tell whether it is over; wait for it at most `wait` seconds."""
        self._thread.join(wait)
        return not self._thread.is_alive()

    @property
    def share(self) -> float:
        """How much of what it does now is done, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long what it does now still takes, by its speed so far; None while that is unknown."""
        spent, new = time.monotonic() - self._begun, self.done - self._first  # a download may go on
        return spent / new * (self.total - self.done) if new and self.total and spent > 1 else None

    @property
    def says(self) -> str:
        """How far it is, in words."""
        return so_far(self.what, self.done, self.total) + time_left(self.seconds_left)

    def _run(self) -> None:
        try:
            with at_home(self.home):
                limits.spend()
                self.work()
        except CnnLabError as error:
            self.error = str(error)
        except Exception as error:  # nobody else would hear of it
            self.error = self.failed.format(f"error {unexpected.number(error)}")


def job(kind: type[J], *about: Any, state: Hashable = ()) -> J:
    """Return the job of a kind about these things, and begin it if nobody has.

    Parameters
    ----------
    kind : type
        A subclass of `Job`.
    *about
        What it is made with.
    state : hashable
        Changes when what the job reads has changed, such as a file's time: then another job begins.
    """
    key = (home(), kind, about, state)
    with _lock:
        if key not in _jobs:
            _jobs[key] = kind(*about)
            _make_room(key)
        _jobs.move_to_end(key)
        return _jobs[key]  # type: ignore[return-value]


def _make_room(new: Hashable) -> None:
    """Forget a job when there are too many: one that is done, since nobody waits for it, else one of this home."""
    others = [key for key in _jobs if key != new]
    mine = [key for key in others if _jobs[key].home == _jobs[new].home]
    done = [key for key in (mine if len(mine) >= MAX_JOBS else others) if _jobs[key].ready()]
    if len(mine) >= MAX_JOBS:
        _jobs.pop((done or mine)[0]).stop()  # nobody waits for one that is done
    elif len(others) >= MAX_JOBS_OF_ALL and done:
        _jobs.pop(done[0])


def jobs(kind: type = Job) -> list[Job]:
    """List the jobs of a kind that are remembered of this home."""
    mine = home()
    with _lock:
        return [known for known in _jobs.values() if isinstance(known, kind) and known.home == mine]


def forget(*gone: Job) -> None:
    """Stop these jobs and drop them: the next visitor who asks begins anew."""
    with _lock:
        for key in [key for key, known in _jobs.items() if known in gone]:
            _jobs.pop(key).stop()
