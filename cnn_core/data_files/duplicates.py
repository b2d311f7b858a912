"""Photos of the test set that are in the training set too: a network that knows them by heart looks better than it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core.data_files.reading import Progress

if TYPE_CHECKING:
    import pandas as pd

MAX_BITS = 4
"""Two photos look the same when at most so many of the 64 bits of their hashes differ …"""

MAX_DIFFERENCE = 6.0
"""… and their tiny versions differ by at most so much per number, on average (0 to 255)."""

PAIRS_AT_ONCE = 4_000_000


def duplicates(
    training: pd.DataFrame,
    test: pd.DataFrame,
    seen: dict[str, np.void],
    progress: Progress | None = None,
) -> pd.DataFrame:
    """placeholder."""
