"""Whether a run's process lives, told from its folder: what it has said, when it was last heard, who holds its lock."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from cnn_core.engine import checkpoint
from cnn_core.engine.journal import ACTIVE_STATES, MODEL, Status, read_status
from cnn_core.storage import lock

SILENCE_SECONDS = 15.0
"""A run whose status file was not touched for so long is paused, or, where there is no lock, was killed: a living one
touches it every second."""

PAUSED = (
    "The training process does not answer: it is paused, or the computer was asleep. It continues when it wakes "
    "up. Until then it can be neither resumed nor deleted."
)


def status(folder: Path) -> Status:
    """Return where a run stands. One that says that it lives, but whose lock is free, is "interrupted".

    Parameters
    ----------
    folder : Path
        The run's.

    Examples
    --------
    >>> status(Path("no/such/run")).state
    'interrupted'
    """
    file = folder / "status.json"
    # In this order: a process takes the lock, then writes its first status; it writes its last one, then ends.
    begun = file.exists()
    held = lock.held(folder)
    said, silent = _said(folder)
    if said.state not in ACTIVE_STATES:
        return said
    # Also not after the look at the status: between the two, the run may have been resumed.
    dead = held is False and begun and lock.held(folder) is False and file.exists()
    if dead or (not held and silent > SILENCE_SECONDS):
        saved = "its last saved model is kept" if (folder / MODEL).exists() else "it had saved no model yet"
        message = f"The run was interrupted: {saved}. Resume it to continue."
        if not checkpoint.begun(folder):
            message = "The run was interrupted before it had saved anything. Start it again."
        return replace(said, state="interrupted", seconds_left=None, message=message)
    if silent > SILENCE_SECONDS:
        return replace(said, state="paused", seconds_left=None, message=PAUSED)
    if (folder / "stop").exists():
        waits = said.state == "waiting"
        message = "Leaving the line." if waits else "Stopping after this step, and saving the model."
        return replace(said, state="stopping", place=0, message=message)
    return said


def _said(folder: Path) -> tuple[Status, float]:
    """Return what the status file says, and for how many seconds nothing was heard."""
    path = folder / "status.json"
    try:
        return read_status(folder), time.time() - path.stat().st_mtime
    except (OSError, ValueError):
        heard = folder.stat().st_mtime if folder.exists() else 0.0
        return Status(), time.time() - heard
