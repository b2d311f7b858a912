"""Which files of a run's folder are damaged: what is only half there, or is not what it should be."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnn_core import CnnLabError
from cnn_core.engine import checkpoint, environment, snapshots
from cnn_core.engine.config import read_config
from cnn_core.engine.journal import MODEL, read_history, read_status, read_steps

CHECKPOINT = f"Delete {checkpoint.NAME} to continue from the last saved model."


def damaged(folder: Path) -> list[str]:
    """Say which files cannot be read, and what follows from it: a sentence for each, and one for all snapshots."""
    files = [
        f"The run's file {name} is damaged. {consequence}"
        for name, (read, consequence) in FILES.items()
        if (folder / name).exists() and not _can(read, folder)
    ]
    kept = snapshots.kept(folder).values()
    left_out = [file.relative_to(folder).as_posix() for file in kept if not zipfile.is_zipfile(file)]
    if left_out:
        files.append(f"The time machine leaves out what is damaged: {', '.join(left_out)}.")
    return files


def _can(read: Callable[[Path], Any], folder: Path) -> bool:
    try:
        return read(folder) is not False
    except (OSError, ValueError, TypeError, AttributeError, CnnLabError):
        return False


FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "config.json": (read_config, "Its settings are lost, so it cannot be resumed."),
    "status.json": (read_status, "So it is not known how the run ended."),
    "environment.json": (environment.read, "So it is not known what the run was made with."),
    "history.csv": (
        read_history,
        "Its curves cannot be shown. If there is a checkpoint, resuming the run restores them.",
    ),
    "steps.jsonl": (read_steps, "The curves within the epochs cannot be shown."),
    MODEL: (lambda folder: zipfile.is_zipfile(folder / MODEL), "It cannot classify."),
    checkpoint.NAME: (lambda folder: zipfile.is_zipfile(folder / checkpoint.NAME), CHECKPOINT),
}
"""How each file is read, and what is missing without it."""
