"""The kernels that a network has learned, read from its file once."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from cnn_core.layers.first_kernels import learned_kernels
from pages.widgets.data_source import changed


def kernels(path: Path) -> np.ndarray:
    """Return the kernels of a model's first convolution, float32 (height, width, channels, filters), read-only.

    Raises
    ------
    CnnLabError
        When the file cannot be read.
    """
    return _read(path, changed(str(path)))


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> np.ndarray:
    """`changed` is the file's time: a file that was replaced is read again."""
    values = learned_kernels(path)
    values.setflags(write=False)
    return values
