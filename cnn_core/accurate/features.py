"""The features that a network computes of photos, in the cache: so each photo is computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core.pixels import open_image, resize
from cnn_core.storage.cache import cached, fingerprint

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from cnn_core.dataset import Progress

BATCH_SIZE, PHOTOS_PER_FILE = 32, 1024
"""Photos that the network looks at together, and whose features are written to the cache together."""


def cached_features(
    backbone: keras.Model, table: pd.DataFrame, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Let the backbone look at every photo; what it says is kept in the cache, piece by piece.

    Parameters
    ----------
    backbone : keras.Model
    table : pandas.DataFrame
        As `dataset.open_dataset` returns it.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    ndarray of float32, shape (N, 1280)
    """
    size, name = backbone.input_shape[1], network_fingerprint(backbone)
    pieces = []
    for start in range(0, len(table), PHOTOS_PER_FILE):
        files = list(table["file"].iloc[start : start + PHOTOS_PER_FILE])
        key = [name, size, fingerprint(map(Path, files))]
        pieces.append(np.load(cached("features", key, partial(_write, backbone, files), ".npy")))
        if progress:
            progress(min(start + PHOTOS_PER_FILE, len(table)), len(table), "Looking at the pictures")
    return np.concatenate(pieces)


def _write(backbone: keras.Model, files: Sequence[str], path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, compute_features(backbone, files))


def compute_features(network: keras.Model, files: Sequence[str]) -> NDArray[np.float32]:
    """Return what a network answers to photos, a few of which are in memory at a time.

    Parameters
    ----------
    network : keras.Model
        Of float32 (batch, S, S, 3) in 0-255 to one tensor (batch, n).
    files : sequence of str
        Images that can be read.

    Returns
    -------
    ndarray of float32, shape (N, n)
    """
    size = network.input_shape[1]
    answers = []
    for start in range(0, len(files), BATCH_SIZE):
        images = np.stack([resize(open_image(file), size, size) for file in files[start : start + BATCH_SIZE]])
        answers.append(network.predict_on_batch(images.astype(np.float32)))
    return np.concatenate(answers)


def network_fingerprint(backbone: keras.Model) -> str:
    """Name what decides its features: layers and weights, and with them how images are rescaled."""
    numbers = ("scale", "offset", "strides", "padding", "max_value")
    layers = [
        (type(layer).__name__, [layer.get_config().get(number) for number in numbers]) for layer in backbone.layers
    ]
    digest = hashlib.sha256(repr(layers).encode())
    for weights in backbone.get_weights():
        digest.update(weights.tobytes())
    return digest.hexdigest()
