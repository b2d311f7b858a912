"""The processes and graphics cards that train a run together, and what they tell each other.

Import this only when TensorFlow is wanted.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from cnn_core.engine import checkpoint
from cnn_core.engine.cluster import Cluster, ClusterError, meet
from cnn_core.engine.journal import LAST, MODEL, Journal
from cnn_core.storage.files import replace_file

FILES = ("config.json", checkpoint.NAME, MODEL, LAST, "history.csv")
"""What a run goes on from."""


class Team:
    """Those who share each batch.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
    part, parts : int
        Which of the processes this one is, from 0, and how many there are.
    """

    def __init__(self, strategy: tf.distribute.Strategy, part: int = 0, parts: int = 1) -> None:
        self.strategy, self.part, self.parts = strategy, part, parts
        self.asked = False
        self.stops: Callable[[], bool] = lambda: False

    def stop_together(self, journal: Journal) -> None:
        """Let all stop after the same step, as soon as one of them was asked to: whoever stops alone is missed."""
        self.stops, journal.stops = journal.stops, lambda: self.asked

    def total(self, values: Any) -> Any:
        """Add up what the processes hold: int32 arrays of the same shape."""
        if self.parts == 1:
            return values
        return self.strategy.reduce("SUM", tf.constant(values), axis=None).numpy()

    def wait(self) -> None:
        """Wait until all processes have come here."""
        self.total(np.zeros(1, np.int32))

    def copy(self, folder: Path, names: Iterable[str] = FILES) -> None:
        """Copy files of the first process's folder into the folders of the others."""
        for name in names:
            file = folder / name
            content = file.read_bytes() if self.part == 0 and file.exists() else b""
            size = int(self.total(np.array([len(content)], np.int32))[0])
            words = np.zeros(-(-size // 4), np.int32)
            words.view(np.uint8)[: len(content)] = np.frombuffer(content, np.uint8)
            if size:
                words = self.total(words)
            if size and self.part != 0:
                replace_file(file, words.tobytes()[:size])

    def compare(self, files: Iterable[str]) -> None:
        """Make sure that all processes have found the same images.

        Raises
        ------
        ClusterError
            When they have not, in every process.
        """
        found = np.array([zlib.crc32("\n".join(Path(file).name for file in files).encode()) >> 1], np.int32)
        of_first = self.total(found if self.part == 0 else found * 0)
        different = int(self.total((found != of_first).astype(np.int32))[0])
        if different:
            raise ClusterError(
                f"{different} of {self.parts} workers found other images than the first one. Put the same images under "
                "the same path on every machine, then start all workers again."
            )


def join(cluster: Cluster, journal: Journal) -> Team:
    """Wait for the other workers, and get from the first one what the run goes on from.

    Parameters
    ----------
    cluster : Cluster
    journal : Journal
        Of this process; its folder receives the files.

    Raises
    ------
    ClusterError
        As `cluster.meet`.
    Stopped
        When somebody has asked this process to stop waiting.
    """
    meet(cluster, journal)  # first: while TensorFlow waits for the others, the process answers nobody
    team = Team(tf.distribute.MultiWorkerMirroredStrategy(), cluster.index, len(cluster.workers))
    team.copy(journal.folder)
    return team


def on_this_machine() -> Team | None:
    """Return the graphics cards of this machine, where there are several."""
    several = len(tf.config.list_logical_devices("GPU")) > 1
    return Team(tf.distribute.MirroredStrategy()) if several else None
