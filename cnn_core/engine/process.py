"""The process of a training run: how it is started, and what is left in its folder when it dies without a word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

from cnn_core import CnnLabError
from cnn_core.engine import checkpoint, child, warm
from cnn_core.engine.journal import ACTIVE_STATES, Status, read_status
from cnn_core.storage import lock
from cnn_core.storage.files import replace_file

KILLED = (
    "The training process was killed, most often by the system because memory ran out. Close other programs, then {}."
)
ENDED = "The training process ended with an error. What it printed last is in log.txt."


_latest: dict[Path, subprocess.Popen[bytes]] = {}
"""The process that was begun last for each run. Only of that one it matters why it has ended."""

_turn = threading.Lock()


class ProcessError(CnnLabError):
    """No process can be started for a run."""


def spawn(folder: Path) -> None:
    """Start the process that trains in this folder, or let the one that is warm do it.

    Raises
    ------
    ProcessError
        When another process is training there, or none can be started.
    """
    if lock.held(folder):
        raise ProcessError(f"Another process is training in {folder}. Stop it first.")
    try:
        with _turn:
            (folder / "stop").unlink(missing_ok=True)
            (folder / "status.json").unlink(missing_ok=True)  # until the process has its lock and says that it is there
            os.utime(folder)
            process = warm.take(folder)
            if process is None:
                with (folder / "log.txt").open("ab") as log:
                    process = child.begin(str(folder), subprocess.DEVNULL, log)
            _latest[folder] = process
    except OSError as error:
        raise ProcessError(f"No process could be started for the run: {error.strerror}.") from error
    name = f"waits for {folder.name}"
    threading.Thread(target=_wait_for, args=(folder, process), name=name, daemon=True).start()


def _wait_for(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended, which also leaves no zombie, and leave the reason."""
    code = process.wait()
    with _turn:
        if _latest.get(folder) is process:
            del _latest[folder]
            leave_reason(folder, code)


def leave_reason(folder: Path, code: int) -> None:
    """Write into the status why a process has ended, if it still says that the process lives.

    Parameters
    ----------
    folder : Path
    code : int
        The exit code; below 0 the signal that ended the process.
    """
    try:
        status = read_status(folder)
    except (OSError, ValueError):
        status = Status()
    if status.state not in ACTIVE_STATES or lock.held(folder) or not folder.exists():
        return  # it has said why; or another process has begun here; or the run was deleted
    state, message = ("interrupted", KILLED.format(checkpoint.to_go_on(folder))) if code < 0 else ("failed", ENDED)
    status = replace(status, state=state, message=message, seconds_left=None)
    try:
        replace_file(folder / "status.json", json.dumps(asdict(status)))
    except OSError as error:
        print(f"status.json could not be written: {error}", file=sys.stderr, flush=True)
