"""Training runs from outside: start, watch, stop, resume, list. Each is a child process and a folder that it writes.

Nothing here talks to the process: what is known of a run is what stands in its folder. So a run outlives the page, the
browser tab and the server that started it.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_core import CnnLabError
from cnn_core.engine import allowed, checkpoint, journal, line, liveness, snapshots
from cnn_core.engine.config import TrainingConfig, read_config
from cnn_core.engine.damage import damaged
from cnn_core.engine.journal import ACTIVE_STATES, HISTORY, LAST, MODEL, STEPS, Status, read_history, read_steps
from cnn_core.engine.process import spawn
from cnn_core.setup import installed
from cnn_core.storage.files import home, replace_file, size, visiting

if TYPE_CHECKING:
    import pandas as pd


class RunError(CnnLabError):
    """A run cannot be started, found or changed."""


class Run:
    """One training run, seen through its folder.

    Parameters
    ----------
    folder : Path
        The run folder; it holds ``config.json``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    @property
    def id(self) -> str:
        """The folder's name, which sorts by time."""
        return self.folder.name

    @property
    def model_path(self) -> Path:
        """Where the saved model is, or will be after the first epoch."""
        return self.folder / MODEL

    @property
    def last_path(self) -> Path:
        """Where the last epoch's model is, in a run that keeps its best epoch's as its model."""
        return self.folder / LAST

    @property
    def begun(self) -> bool:
        """Whether anything is saved that `resume` can go on from; if not, it starts from the beginning."""
        return checkpoint.begun(self.folder)

    @property
    def config(self) -> TrainingConfig:
        """The run's settings.

        Raises
        ------
        RunError
            When the folder holds none that can be read.
        """
        try:
            return read_config(self.folder)
        except (OSError, ValueError, AttributeError) as error:
            raise RunError(f"{self.folder} is not a training run: its config.json cannot be read.") from error

    @property
    def held_out(self) -> str:
        """The set that the history's ``val_`` columns were measured on: "test" or "validation"."""
        try:
            return self.config.held_out
        except CnnLabError:
            return "test"

    @property
    def active(self) -> bool:
        """Whether the run's process is alive."""
        return self.status().state in ACTIVE_STATES

    def status(self) -> Status:
        """Read where the run stands. One that says that it lives, but whose lock is free, is "interrupted"."""
        return liveness.status(self.folder)

    def history(self) -> pd.DataFrame:
        """Read the finished epochs.

        Returns
        -------
        pandas.DataFrame
            Columns `journal.HISTORY`; no rows before the first epoch has ended.
        """
        return _table(read_history, self.folder, HISTORY)

    def steps(self) -> pd.DataFrame:
        """Read the steps so far: ``step`` (from 1, over all epochs), ``epoch``, and the epoch's ``loss`` and
        ``accuracy`` up to that step.

        Returns
        -------
        pandas.DataFrame
        """
        return _table(read_steps, self.folder, STEPS)

    def steps_of_epoch(self) -> int:
        """Return how many steps an epoch has; 0 while nobody knows."""
        if known := self.status().steps:
            return known
        steps = self.steps()  # a resumed run that waits for its turn does not say it again
        return int((steps["epoch"] == 1).sum()) if len(self.history()) else 0

    def broken(self) -> list[str]:
        """Return the images that could not be read and were left out, by their paths inside the dataset."""
        return journal.read_broken(self.folder)

    def snapshots(self) -> dict[int, Path]:
        """Return the copies of the network that the run has kept: after how many batches each, and its file."""
        return snapshots.kept(self.folder)

    def damage(self) -> list[str]:
        """Say which of the run's files cannot be read, and what is missing for that: a sentence for each."""
        return damaged(self.folder)

    def log(self, most: int = 4000) -> str:
        """Return the end of what the process printed, at most `most` characters."""
        try:
            return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")[-most:]
        except OSError:
            return ""

    def stop(self) -> None:
        """Ask the run to stop: it ends its step, saves its model and says "stopped"; a waiting one leaves the line.

        A `RunError` is raised when its folder cannot be written.
        """
        try:
            if self.active:
                (self.folder / "stop").touch()
        except OSError as error:
            raise RunError(f"Run {self.id} could not be told to stop: {error.strerror}. Free some space.") from error

    def resume(self) -> None:
        """Go on where the run stopped: in a new process, from its checkpoint.

        Raises
        ------
        RunError, LimitError
            When it is no run, is still running or has finished; when a visitor has too many runs under way.
        MissingError
            When TensorFlow is not installed.
        ProcessError
            When no process can be started.
        """
        _ = self.config
        installed.need_tensorflow()
        state = self.status().state
        if state == "paused":
            raise RunError(f"The run {self.id} cannot be resumed. {liveness.PAUSED}")
        if state in ACTIVE_STATES:
            raise RunError(f"The run {self.id} is still running. Stop it first.")
        if state == "finished":
            raise RunError(f"The run {self.id} has finished. Start a new one with more epochs.")
        with allowed.one_at_a_time():
            allowed.check(self.config, _under_way, size(self.folder))
            spawn(self.folder)

    def wait(self, timeout: float | None = None) -> Status:
        """Wait until the run has ended, at most `timeout` seconds, and return its status."""
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (status := self.status()).state in ACTIVE_STATES and time.monotonic() < end:
            time.sleep(0.1)
        return status

    def delete(self) -> None:
        """Remove the folder with all that is in it.

        Raises
        ------
        RunError
            When the run is still going on, or the folder cannot be removed.
        """
        if self.active:
            raise RunError(f"The run {self.id} is still running. Stop it first.")
        try:
            shutil.rmtree(self.folder)
        except OSError as error:
            raise RunError(f"The run {self.id} could not be deleted: {error.strerror}.") from error


def start(config: TrainingConfig, folder: Path | None = None) -> Run:
    """Start a training run in a process of its own, which goes on when this one ends. It first waits for its turn.

    Parameters
    ----------
    config : TrainingConfig
    folder : Path, optional
        A new or empty folder; by default one in ``$CNN_LAB_HOME/runs`` named after the time.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        When the folder is in use or cannot be made.
    MissingError
        When TensorFlow is not installed.
    ProcessError
        When no process can be started.
    TrainingError, NetworkError, LineError, LimitError
        When a setting is out of range, or more than a visitor may ask for.
    CorrectionsError
        When the corrections of the dataset cannot be read.
    """
    installed.need_tensorflow()
    config.check()
    config = replace(config.settled(), corrections=config.source.in_force)
    line.max_runs()
    with allowed.one_at_a_time():
        allowed.check(config, _under_way)
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        folder = Path(folder or home() / "runs" / name).absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise RunError(f"The folder {folder} is not empty. Choose a new one for this run.")
            replace_file(folder / "config.json", json.dumps(config.to_dict(), indent=2), lasting=True)
        except OSError as error:
            raise RunError(
                f"No run can be started in {folder}: {error.strerror}. Free some disk space or choose another."
            ) from error
    spawn(folder)
    return Run(folder)


def must_wait() -> bool:
    """Tell whether a run that is started now would wait in line.

    Raises
    ------
    LineError
        When the environment does not say how many runs may train at the same time.
    """
    return (line.living() if visiting() else _under_way()) >= line.max_runs()


def _under_way() -> int:
    return sum(run.active for run in list_runs())


def list_runs() -> list[Run]:
    """List the runs in ``$CNN_LAB_HOME/runs``, newest first.

    Returns
    -------
    list of Run
    """
    return [Run(file.parent) for file in sorted((home() / "runs").glob("*/config.json"), reverse=True)]


def find(name: str) -> Run:
    """Return the run with this id.

    Raises
    ------
    RunError
        When there is none.
    """
    for run in list_runs():
        if run.id == name:
            return run
    raise RunError(f"There is no run {name}. It may have been deleted.")


def _table(read: Callable[[Path], pd.DataFrame], folder: Path, columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        table = read(folder)
    except (OSError, ValueError):
        table = pd.DataFrame()
    return table.reindex(columns=columns)
