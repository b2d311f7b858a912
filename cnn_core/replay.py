"""A training seen again on one photo: what the network said, saw and looked at after 0, 1, 2, 4 … batches.

A run keeps snapshots of its network (`engine.snapshots`). A `Frame` is what one of them makes of a photo. The latest
frames are kept in memory, so each is computed once; not on the disk, where a visitor's photo has no place.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS, Progress
from cnn_core.engine.snapshots import SnapshotError, read
from cnn_core.explain import heat_map
from cnn_core.model_io.pet_model import PetModel, Prediction
from cnn_core.pixels import resize
from cnn_core.runs import Run
from cnn_core.storage.cache import fingerprint
from cnn_core.walk import as_input, is_convolution
from cnn_core.walk import run as run_layers

MAX_KERNELS = 64
"""Of a first layer with more kernels, only these are kept in a frame."""

MAP_SIDE = 64
"""Larger maps are kept as means of 2×2, 3×3 … numbers, at about this side."""


KEEP_FRAMES = 96
"""So many frames stay in memory: four whole replays, of at most 0.7 MB a frame."""

_kept: OrderedDict[tuple[str, str], dict[str, NDArray[np.floating]]] = OrderedDict()


class ReplayError(CnnLabError):
    """A run has nothing to replay."""


@dataclass(frozen=True, eq=False)
class Frame:
    """What a network makes of a photo at one moment of its training."""

    batches: int
    """How many batches it had learned."""
    prediction: Prediction
    kernels: NDArray[np.float32]
    """(height, width, 3, n): those of the first convolution."""
    maps: NDArray[np.float32]
    """(H, W, n): the maps that they make of the photo."""
    heat: dict[str, NDArray[np.float32]]
    """For each class the heat map, (S, S), 0 to 1, at the size of the network's input."""


def moment(batches: int, steps: int) -> str:
    """Name a moment of a training whose epochs have this number of steps.

    Examples
    --------
    >>> moment(0, 40), moment(16, 40), moment(80, 40)
    ('untrained', 'step 16', 'epoch 2')
    """
    if batches == 0:
        return "untrained"
    return f"epoch {batches // steps}" if steps and batches % steps == 0 else f"step {batches:,}"


def replay(run: Run, image: NDArray[np.uint8], progress: Progress | None = None) -> list[Frame]:
    """Return what a run's network made of a photo, from the first snapshot to the last.

    Parameters
    ----------
    run : Run
    image : (H, W, 3) uint8
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    list of Frame
        Without the snapshots that are damaged.

    Raises
    ------
    ReplayError
        When the run has no snapshot that can be read.
    """
    size = run.config.network.input_size
    image = resize(image, size, size)  # what the network sees; the size of the heat maps
    frames, kept, seen = [], run.snapshots(), hashlib.sha256(image.tobytes()).hexdigest()
    model: PetModel | None = None
    for done, (batches, path) in enumerate(kept.items()):
        if progress:
            progress(done, len(kept), "Replaying the training")

        try:
            key = fingerprint([path]), seen
            if (values := _kept.get(key)) is None:
                weights = read(path)
                model = model or PetModel(run.id, run.config.network.build(), largest_map=1)
                values = _compute(model, weights, path, image)
        except (SnapshotError, FileNotFoundError):  # damaged, or a resumed run has just dropped it
            continue
        _keep(key, values)
        frames.append(_frame(values, batches, run.id))
    if not frames:
        raise ReplayError("This run has kept no snapshot that can be read. Start a new run, and replay that one.")
    return frames


def most_changed(frames: Sequence[Frame], count: int = 8) -> list[int]:
    """Return the kernels that training has changed most, in their order in the layer.

    Examples
    --------
    >>> answer = Prediction("cat", 0.5, {"cat": 0.5, "dog": 0.5}, "run")
    >>> kernels = np.zeros((3, 3, 3, 4), np.float32)
    >>> later = kernels + np.array([0.1, 0.4, 0.0, 0.2], np.float32)
    >>> most_changed([Frame(0, answer, kernels, kernels[0], {}), Frame(9, answer, later, kernels[0], {})], 2)
    [1, 3]
    """
    changes = np.abs(frames[-1].kernels - frames[0].kernels).sum(axis=(0, 1, 2))
    return sorted(np.argsort(-changes, kind="stable")[:count].tolist())


def _keep(key: tuple[str, str], values: dict[str, NDArray[np.floating]]) -> None:
    _kept[key] = values
    _kept.move_to_end(key)
    while len(_kept) > KEEP_FRAMES:
        with suppress(KeyError):  # another thread was first
            _kept.popitem(last=False)


def _compute(
    model: PetModel, weights: list[NDArray[np.float32]], path: Path, image: NDArray[np.uint8]
) -> dict[str, NDArray[np.floating]]:
    """Return what the network with these weights makes of the image, as small as it can be kept."""
    try:
        model.keras.set_weights(weights)
    except ValueError as error:
        raise SnapshotError(f"The snapshot {path} is of another network.") from error
    _, visits = run_layers(model.keras, as_input(model, image))
    first = next((visit for visit in visits if is_convolution(visit.layer)), None)
    if first is None:
        raise ReplayError("This network has no convolution, so there are no kernels to watch.")
    return {
        "probabilities": model.predict([image])[0],
        "kernels": np.array(first.layer.kernel, np.float32)[..., :MAX_KERNELS],
        "maps": _smaller(np.asarray(first.output, np.float32)[0, ..., :MAX_KERNELS]).astype(np.float16),
        "heat": np.stack([heat_map(model, image, label) for label in LABELS]).astype(np.float16),
    }


def _smaller(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shrink maps (H, W, n) to means of squares, so that no side is much longer than `MAP_SIDE`."""
    block = max(1, round(max(maps.shape[:2]) / MAP_SIDE))
    high, wide = (side // block for side in maps.shape[:2])
    squares = maps[: high * block, : wide * block].reshape(high, block, wide, block, -1)
    return np.asarray(squares.mean(axis=(1, 3)), np.float32)


def _frame(kept: dict[str, NDArray[np.floating]], batches: int, name: str) -> Frame:
    values = {part: numbers.astype(np.float32) for part, numbers in kept.items()}
    shares = dict(zip(LABELS, map(float, values["probabilities"]), strict=True))
    label = max(shares, key=shares.__getitem__)
    prediction = Prediction(label, shares[label], shares, name)
    heat = dict(zip(LABELS, values["heat"], strict=True))
    return Frame(batches, prediction, values["kernels"], values["maps"], heat)
