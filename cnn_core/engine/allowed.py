"""What a run of a visitor may ask of a shared server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from cnn_core.engine import line, run_size
from cnn_core.engine.config import TrainingConfig
from cnn_core.host import limits, spaces
from cnn_core.storage import lock
from cnn_core.storage.files import home, visiting


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep a visitor's other starts away from the check until the run is there to be counted.

    Else two tabs could start one too many, also when two app processes serve them.

    Raises
    ------
    LimitError
        When another start of the same visitor takes longer than a few seconds.
    """
    with ExitStack() as held:
        if visiting():
            try:
                with suppress(OSError):  # a disk that cannot be written: the start itself says so
                    home().mkdir(parents=True, exist_ok=True)
                    held.enter_context(lock.locked(home()))
            except lock.LockError as error:
                raise limits.LimitError("Another training of yours is about to start. Try again soon.") from error
        yield


def check(config: TrainingConfig, under_way: Callable[[], int], has: int = 0) -> None:
    """Refuse a run that the server does not allow this visitor. Who is at home may start any.

    Parameters
    ----------
    config : TrainingConfig
    under_way : callable
        Counts the visitor's runs that train or wait.
    has : int
        Bytes that the run has on the disk already, when it is resumed.

    Raises
    ------
    LimitError
        With a sentence that says what to do.
    """
    if not visiting():
        return
    limits.PICTURES.check(config.images or float("inf"))
    limits.EPOCHS.check(config.epochs)
    limits.WAITING.check(under_way() + 1)
    limits.LINE.check(line.living() + 1)
    needed = max(run_size.most_bytes(config) - has, 0)
    try:
        spaces.make_room(needed)
    except limits.LimitError as error:
        raise limits.LimitError(
            f"This training may need {needed / limits.MB:,.0f} MB on the disk; a smaller network needs less. {error}"
        ) from error
    limits.spend()
