"""The process of a training run: how it is started, and what is left in its folder when it dies without a word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cnn_core import CnnLabError
from cnn_core.engine.journal import ACTIVE_STATES, Status, read_status
from cnn_core.storage import lock
from cnn_core.storage.files import environment, replace_file

ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "536870912",
}
"""glibc gives big blocks back to the system and fetches them anew at every step; told not to, training is 1.3 to 1.9
times as fast. Other systems' allocators do not read these variables."""

KILLED = (
    "The training process was killed, most often by the system because memory ran out. "
    "Close other programs, then resume the run."
)
ENDED = "The training process ended with an error. What it printed last is in log.txt."


class ProcessError(CnnLabError):
    """No process can be started for a run."""


def spawn(folder: Path) -> None:
    """Start the process that trains in this folder, cut off from this one's terminal and signals.

    Raises
    ------
    ProcessError
        When another process is training there, or none can be started.
    """
    if lock.held(folder):
        raise ProcessError(f"Another process is training in {folder}. Stop it first.")
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    more = {**ALLOCATOR, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        (folder / "stop").unlink(missing_ok=True)
        (folder / "status.json").unlink(missing_ok=True)  # until the process has its lock and says that it is there
        os.utime(folder)
        with (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cnn_core.training", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment() | more,
                **apart,
            )
    except OSError as error:
        raise ProcessError(f"No process could be started for the run: {error.strerror}.") from error
    # Waiting for it also leaves no zombie.
    threading.Thread(target=lambda: leave_reason(folder, process.wait()), daemon=True).start()


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
    state, message = ("interrupted", KILLED) if code < 0 else ("failed", ENDED)
    status = replace(status, state=state, message=message, seconds_left=None)
    try:
        replace_file(folder / "status.json", json.dumps(asdict(status)))
    except OSError as error:
        print(f"status.json could not be written: {error}", file=sys.stderr, flush=True)
