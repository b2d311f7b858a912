"""How far a command is, on stderr."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from cnn_core.wording import data_size, so_far

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnn_core.engine.journal import Status
    from cnn_core.runs import Run


def follow(run: Run) -> Status:
    """Report a run's progress until it ends; Ctrl-C asks it to stop and save.

    Parameters
    ----------
    run : Run
        A run that was started.

    Returns
    -------
    Status
        The last one: finished, stopped, failed or interrupted.
    """
    from cnn_core.engine.journal import ACTIVE_STATES

    told = ""
    epochs = 0
    while True:
        try:
            status = run.status()
            line = status.message or (f"epoch {status.epoch} of {status.epochs}" if status.epoch else "Starting.")
            if status.state == "running" and sys.stderr.isatty():
                line += f", step {status.step} of {status.steps}, {status.images_per_second:.0f} images/s"
            if line != told:
                told = line
                print(line, file=sys.stderr, flush=True)
            history = run.history()
            for row in history.iloc[epochs:].to_dict("records"):
                print(
                    f"epoch {row['epoch']}: accuracy {row['accuracy']:.4f}, loss {row['loss']:.4f}, "
                    f"{run.held_out} accuracy {row['val_accuracy']:.4f}, {run.held_out} loss {row['val_loss']:.4f}",
                    file=sys.stderr,
                    flush=True,
                )
            epochs = len(history)
            if status.state not in ACTIVE_STATES:
                return status
            time.sleep(0.25)
        except KeyboardInterrupt:
            run.stop()
            print(run.status().message, file=sys.stderr, flush=True)


def show(done: int, total: int, what: str, write: Callable[[int], str] = "{:,}".format) -> None:
    """Show how far something is: on a terminal in one line that is written over, elsewhere only the end.

    Parameters
    ----------
    done, total : int
        Steps done, and steps in all; 0 while that is not known.
    what : str
        Name of the steps.
    write : callable
        How the two numbers are written.
    """
    whole = total > 0 and done >= total
    if whole or sys.stderr.isatty():
        print(so_far(what, done, total, write), end="\n" if whole else "\r", file=sys.stderr, flush=True)


def show_bytes(done: int, total: int, what: str) -> None:
    """Do as `show` does with numbers of bytes."""
    show(done, total, what, data_size)
