"""Training runs from outside: start, watch, stop, resume, list. Each is a child process and a folder that it writes.

Nothing here talks to the process: what is known of a run is what stands in its folder. So a run outlives the page, the
browser tab and the server that started it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core import CnnLabError
from cnn_core.engine.config import TrainingConfig
from cnn_core.engine.journal import HISTORY, Status
from cnn_core.storage.files import home, replace_file

if TYPE_CHECKING:
    import pandas as pd

SILENCE_SECONDS = 15.0
"""A run whose status file was not touched for so long has been killed: a living one touches it every second."""

ACTIVE_STATES = ("starting", "reading", "running", "stopping")

ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "536870912",
}
"""glibc gives big blocks back to the system and fetches them anew at every step; told not to, training is 1.3 to 1.9
times as fast. Other systems' allocators do not read these variables."""


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
        return self.folder / "model.keras"

    @property
    def config(self) -> TrainingConfig:
        """The run's settings.

        Raises
        ------
        RunError
            When the folder holds none that can be read.
        """
        try:
            return TrainingConfig.from_dict(json.loads((self.folder / "config.json").read_text(encoding="utf-8")))
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
        """Read where the run stands; one that fell silent is "interrupted"."""
        path = self.folder / "status.json"
        try:
            known = {item.name for item in fields(Status)}
            values = json.loads(path.read_text(encoding="utf-8"))
            status = Status(**{name: value for name, value in values.items() if name in known})
            silent = time.time() - path.stat().st_mtime
        except (OSError, ValueError, AttributeError, TypeError):
            status = Status()
            silent = time.time() - self.folder.stat().st_mtime if self.folder.exists() else SILENCE_SECONDS + 1
        if status.state in ACTIVE_STATES and silent > SILENCE_SECONDS:
            saved = "its last saved model is kept" if self.model_path.exists() else "it had saved no model yet"
            message = f"The run was interrupted: {saved}. Resume it to continue."
            return replace(status, state="interrupted", seconds_left=None, message=message)
        if status.state in ACTIVE_STATES and (self.folder / "stop").exists():
            return replace(status, state="stopping", message="Stopping after this step, and saving the model.")
        return status

    def history(self) -> pd.DataFrame:
        """Read the finished epochs.

        Returns
        -------
        pandas.DataFrame
            Columns `journal.HISTORY`; no rows before the first epoch has ended.
        """
        import pandas as pd

        return _table(self.folder / "history.csv", HISTORY, pd.read_csv)

    def steps(self) -> pd.DataFrame:
        """Read the steps so far: ``step`` (from 1, over all epochs), ``epoch``, and the epoch's ``loss`` and
        ``accuracy`` up to that step.

        Returns
        -------
        pandas.DataFrame
        """

        import pandas as pd

        def read(path: Path) -> pd.DataFrame:
            lines = path.read_text(encoding="utf-8").split("\n")[:-1]  # a last line without its end is half written
            return pd.DataFrame([json.loads(line) for line in lines])

        return _table(self.folder / "steps.jsonl", ["step", "epoch", "loss", "accuracy"], read)

    def log(self, most: int = 4000) -> str:
        """Return the end of what the process printed, at most `most` characters."""
        try:
            return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")[-most:]
        except OSError:
            return ""

    def stop(self) -> None:
        """Ask the run to stop: it ends its step, saves its model and says "stopped"."""
        if self.active:
            (self.folder / "stop").touch()

    def resume(self) -> None:
        """Go on where the run stopped: in a new process, from the last saved model.

        Raises
        ------
        RunError
            When it is still running or has finished, or no process can be started.
        """
        state = self.status().state
        if state in ACTIVE_STATES:
            raise RunError(f"The run {self.id} is still running. Stop it first.")
        if state == "finished":
            raise RunError(f"The run {self.id} has finished. Start a new one with more epochs.")
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
    """Start a training run in a process of its own, which goes on when this one ends.

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
    TrainingError, NetworkError
        When a setting is out of range.
    """
    config.check()
    if folder is None:
        folder = home() / "runs" / f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    folder = Path(folder).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RunError(f"The folder {folder} is not empty. Choose a new one for this run.")
        replace_file(folder / "config.json", json.dumps(config.to_dict(), indent=2))
    except OSError as error:
        raise RunError(
            f"No run can be started in {folder}: {error.strerror}. Free some disk space or choose another."
        ) from error
    spawn(folder)
    return Run(folder)


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


def spawn(folder: Path) -> None:
    """Start the child process, cut off from this one's terminal and signals."""
    root = Path(__file__).resolve().parents[1]
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, **ALLOCATOR, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    (folder / "stop").unlink(missing_ok=True)
    (folder / "status.json").unlink(missing_ok=True)
    os.utime(folder)
    try:
        with (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cnn_core.training", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                **apart,
            )
    except OSError as error:
        raise RunError(f"No process could be started for the run: {error.strerror}.") from error
    _reap(process)


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Collect the child's exit status when it ends, so that no zombie is left."""
    import threading

    threading.Thread(target=process.wait, daemon=True).start()


def _table(path: Path, columns: list[str], read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    try:
        table = read(path)
    except (OSError, ValueError):
        table = pd.DataFrame()
    return table.reindex(columns=columns)
