"""What a network says about photos, kept: each photo is looked at once, however often one learns from its features."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnn_core.pixels import open_image, resize
from cnn_core.storage.files import home, replace_file

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from cnn_core.dataset import Progress

AT_ONCE, IN_ONE_FILE = 32, 1024
"""Photos that the network looks at together, and whose features are written to the cache together."""


def features(backbone: keras.Model, table: pd.DataFrame, progress: Progress | None = None) -> np.ndarray:
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
    size, name = backbone.input_shape[1], _fingerprint(backbone)
    pieces = []
    for start in range(0, len(table), IN_ONE_FILE):
        files = list(table["file"].iloc[start : start + IN_ONE_FILE])
        key = hashlib.sha256("|".join([name, str(size), *files]).encode()).hexdigest()[:16]
        piece = home() / "cache" / f"features-{key}.npy"
        if not piece.exists():
            values = io.BytesIO()
            np.save(values, look(backbone, files))
            piece.parent.mkdir(parents=True, exist_ok=True)
            replace_file(piece, values.getvalue())
        pieces.append(np.load(piece))
        if progress:
            progress(min(start + IN_ONE_FILE, len(table)), len(table), "Looking at the pictures")
    return np.concatenate(pieces)


def look(network: keras.Model, files: Sequence[str]) -> np.ndarray:
    """Return what a network answers to photos, a few of which are in memory at a time.

    Parameters
    ----------
    network : keras.Model
        Of float32 (batch, S, S, 3) in 0-255 to one tensor (batch, n).
    files : sequence of str
        Pictures that can be read.

    Returns
    -------
    ndarray of float32, shape (N, n)
    """
    size = network.input_shape[1]
    answers = []
    for start in range(0, len(files), AT_ONCE):
        images = np.stack([resize(open_image(file), size, size) for file in files[start : start + AT_ONCE]])
        answers.append(network.predict_on_batch(images.astype(np.float32)))
    return np.concatenate(answers)


def _fingerprint(backbone: keras.Model) -> str:
    """Name what decides its features: layers and weights, and with them how pictures are rescaled."""
    numbers = ("scale", "offset", "strides", "padding", "max_value")
    layers = [
        (type(layer).__name__, [layer.get_config().get(number) for number in numbers]) for layer in backbone.layers
    ]
    digest = hashlib.sha256(repr(layers).encode())
    for weights in backbone.get_weights():
        digest.update(weights.tobytes())
    return digest.hexdigest()
