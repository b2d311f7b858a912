"""Small copies of a network that a run keeps while it learns, so that its training can be replayed afterwards.

A snapshot is one file of ``snapshots/`` in the run's folder: all weights as float16, half the size of the weights
themselves: a change by less than 0.05 % of a weight is lost. When they are taken is settled before the first step, so
there are never more, and a run that is killed and resumed takes the same ones.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError
from cnn_core.storage.files import replacing, sweep

if TYPE_CHECKING:
    import keras

FOLDER = "snapshots"

MOST = 24
"""Snapshots of a run."""

MAX_BYTES = 192 * 2**20
"""What the snapshots of a run may take together; of a large network there are fewer than `MOST`."""

LEAST = 4
"""Fewer show no development; then none are taken."""


class SnapshotError(CnnLabError):
    """A snapshot cannot be read."""


def plan(steps: int, epochs: int, parameters: int) -> list[int]:
    """Return after how many batches, all epochs together, a snapshot is taken.

    In the first epoch, when most changes, after 0, 1, 2, 4, 8 … batches, for at most half of all snapshots; the others
    at the ends of epochs, of all epochs or evenly chosen ones, the first and the last included.

    Parameters
    ----------
    steps : int
        Batches of an epoch.
    epochs : int
    parameters : int
        Of the network; each takes two bytes.

    Returns
    -------
    list of int
        Ascending; empty for a network that is too large.

    Examples
    --------
    >>> plan(steps=40, epochs=3, parameters=3_725_314)
    [0, 1, 2, 4, 8, 16, 32, 40, 80, 120]
    >>> len(plan(steps=1250, epochs=1000, parameters=3_725_314)), plan(40, 3, 40_000_000)
    (24, [])
    """
    most = min(MOST, MAX_BYTES // (2 * parameters))
    if most < LEAST:
        return []
    early = [0, *(2**power for power in range(most // 2 - 1) if 2**power < steps)]
    ends = np.linspace(1, epochs, min(epochs, most - len(early))).round().astype(int)
    return sorted({*early, *(int(end) * steps for end in ends)})


def save(folder: Path, model: keras.Model, batches: int) -> None:
    """Keep what a network has learned after this number of batches.

    Raises
    ------
    OSError
        When the disk is full; then there is none.
    """
    path = _path(folder, batches)
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as beside:
        np.savez(beside, *(weight.astype(np.float16) for weight in model.get_weights()))


def kept(folder: Path) -> dict[int, Path]:
    """Return the snapshots of a run: after how many batches each was taken, ascending, and its file."""
    files = {int(file.stem): file for file in (folder / FOLDER).glob("[0-9]*.npz") if file.stem.isdecimal()}
    return dict(sorted(files.items()))


def drop_after(folder: Path, batches: int) -> None:
    """Delete the snapshots of batches that will be learned again, and what a killed process has left half written."""
    sweep(folder / FOLDER)
    for number, file in kept(folder).items():
        if number > batches:
            file.unlink(missing_ok=True)


def read(path: Path) -> list[NDArray[np.float32]]:
    """Return the weights that a snapshot holds, in Keras's order.

    Raises
    ------
    SnapshotError
        When the file is missing or damaged.
    """
    try:
        with np.load(path) as arrays:
            return [arrays[name].astype(np.float32) for name in arrays.files]
    except (OSError, ValueError, EOFError, LookupError, zipfile.BadZipFile) as error:
        raise SnapshotError(f"The snapshot {path} is damaged. Delete it to see the others.") from error


def _path(folder: Path, batches: int) -> Path:
    return folder / FOLDER / f"{batches:09d}.npz"
