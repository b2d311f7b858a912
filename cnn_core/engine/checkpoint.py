"""Where a training stands, and the one file from which a killed run goes on as if nothing had happened.

``checkpoint.npz`` holds all numbers of the model, its optimizer and its metrics, and the `Place`. It is replaced as a
whole. What else is in the run's folder follows from it: `saving.restore_files` sets that right.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_core import CnnLabError
from cnn_core.engine.journal import MODEL
from cnn_core.storage.files import replacing

if TYPE_CHECKING:
    import keras

NAME = "checkpoint.npz"


class CheckpointError(CnnLabError):
    """The checkpoint cannot be read, or belongs to another run."""


@dataclass
class Place:
    """Where a training stands; the callbacks of a run share one.

    Attributes
    ----------
    steps : int
        Batches of an epoch.
    epoch : int
        Finished epochs.
    step : int
        Batches that have been learned in the epoch under way.
    seconds : float
        What the epoch under way has taken, up to this checkpoint.
    rows : list of dict
        A row of ``history.csv`` for each finished epoch.
    """

    steps: int
    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def batches(self) -> int:
        """Number of batches that have been learned, all epochs together; so also the number of the next one."""
        return self.epoch * self.steps + self.step


def begun(folder: Path) -> bool:
    """Tell whether a run has saved anything that it can go on from; a run of an older version has only its model.

    Examples
    --------
    >>> begun(Path("no/such/run"))
    False
    """
    return (folder / NAME).exists() or (folder / MODEL).exists()


def to_go_on(folder: Path) -> str:
    """Return how a sentence asks for a run to go on: resume it or, if it has saved nothing, start it again.

    Examples
    --------
    >>> to_go_on(Path("no/such/run"))
    'start the run again'
    """
    return "resume the run" if begun(folder) else "start the run again"


def save(folder: Path, model: keras.Model, place: Place) -> None:
    """Write the checkpoint.

    Raises
    ------
    OSError
        When the disk is full; the checkpoint is then as it was before.
    """
    arrays: dict[str, Any] = {name: np.asarray(variable) for name, variable in _variables(model).items()}
    with replacing(folder / NAME, lasting=True) as beside:
        np.savez(beside, place=np.array(json.dumps(asdict(place))), **arrays)


def read_place(folder: Path, steps: int) -> Place | None:
    """Return where the run stands, or None when it has no checkpoint.

    Parameters
    ----------
    folder : Path
    steps : int
        Batches of an epoch, of which the checkpoint must have as many.

    Raises
    ------
    CheckpointError
        When the checkpoint is damaged, or the number of batches has changed.
    """
    if not (folder / NAME).exists():
        return None
    try:
        with np.load(folder / NAME) as arrays:
            place = Place(**json.loads(str(arrays["place"])))
    except (OSError, ValueError, TypeError, LookupError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(folder) from error
    if place.steps != steps:
        raise CheckpointError(
            f"An epoch of this run had {place.steps:,} steps and would have {steps:,} now: its data or its batch size "
            "have changed. Start a new run."
        )
    return place


def restore(folder: Path, model: keras.Model) -> None:
    """Give a model, its optimizer and its metrics the numbers of the checkpoint.

    Parameters
    ----------
    folder : Path
    model : keras.Model
        Built, its optimizer and its metrics too.

    Raises
    ------
    CheckpointError
        When the checkpoint is damaged, or of another network.
    """
    variables = _variables(model)
    try:
        with np.load(folder / NAME) as arrays:
            values = {name: arrays[name] for name in arrays.files if name != "place"}
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(folder) from error
    fits = all(name in values and values[name].shape == tuple(variables[name].shape) for name in variables)
    if not fits:
        raise CheckpointError("The checkpoint is of another network than the run's settings say. Start a new run.")
    for name, variable in variables.items():
        variable.assign(values[name])


def _variables(model: keras.Model) -> dict[str, Any]:
    """Return all that changes in training; the model's own variables include the seeds of its dropout layers."""
    groups = {"model": model.variables, "optimizer": model.optimizer.variables, "metrics": model.metrics_variables}
    return {f"{name}_{number}": variable for name, group in groups.items() for number, variable in enumerate(group)}


def _damaged(folder: Path) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint {folder / NAME} is damaged. Delete this file to continue from the last saved model, or start "
        "a new run."
    )
