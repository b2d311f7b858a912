"""What a run was made with: ``environment.json`` in its folder, for whoever wants to repeat it."""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cnn_core
from cnn_core.engine.config import TrainingConfig
from cnn_core.storage.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def record(folder: Path, config: TrainingConfig, files: Iterable[str]) -> None:
    """Write ``environment.json``, of the process that trains now: a resumed run may go on in another environment.

    Parameters
    ----------
    folder : Path
        The run's.
    config : TrainingConfig
    files : iterable of str
        All images, for training and testing, in an order that depends on nothing else.
    """
    facts = describe() | {
        "seed": config.seed,
        "data": config.data,
        "fingerprint": config.source.fingerprint(files),
        "network": config.network.to_dict(),
    }
    replace_file(folder / "environment.json", json.dumps(facts, indent=2))


@contextmanager
def recording(folder: Path, config: TrainingConfig, files: Iterable[str]) -> Iterator[None]:
    """Do what `record` does beside the block: to ask the system about a million files takes seconds."""
    thread = threading.Thread(target=record, args=(folder, config, files), daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def read(folder: Path) -> dict[str, Any]:
    """Return what `record` wrote; an `OSError` or a `ValueError` says that it is not there, or damaged."""
    facts = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    if not isinstance(facts, dict):
        raise ValueError("no JSON object")
    return facts


def describe() -> dict[str, Any]:
    """Return the versions, the command line, the processor and the graphics cards; this imports TensorFlow."""
    import keras
    import numpy as np
    import tensorflow as tf

    return {
        "cnn_core": cnn_core.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "graphics_cards": ", ".join(_graphics_cards()) or "none",
        "command": sys.orig_argv,
    }


def _graphics_cards() -> list[str]:
    """Return the names of the graphics cards that TensorFlow uses."""
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(card).get("device_name", card.name) for card in cards]


def _processor() -> str:
    """Return the processor's name; Linux keeps it where `platform` does not look."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
