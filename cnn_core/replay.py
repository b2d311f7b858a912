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
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS, Progress
from cnn_core.engine.config import TrainingConfig
from cnn_core.engine.snapshots import SnapshotError, read
from cnn_core.explain import ExplainError, enlarged, grad_cam, scaled
from cnn_core.model_io.pet_model import PetModel, Prediction
from cnn_core.pixels import resize
from cnn_core.runs import Run
from cnn_core.storage.cache import fingerprint
from cnn_core.walk import is_convolution

if TYPE_CHECKING:
    import keras

MAX_KERNELS = 64
"""Of a layer with more kernels, only the first ones are kept in a frame."""

MAP_SIDE = 64
"""Larger maps are kept as means of 2×2, 3×3 … numbers, at about this side."""

NO_KERNELS = "This network has no convolution, so there are no kernels to watch."

KEEP_FRAMES = 96
"""So many frames stay in memory: four whole replays, of at most 0.7 MB a frame."""

_Numbers = dict[str, NDArray[np.floating]]

_kept: OrderedDict[tuple[str, str], tuple[str, _Numbers]] = OrderedDict()


class ReplayError(CnnLabError):
    """A run has nothing to replay."""


@dataclass(frozen=True, eq=False)
class Frame:
    """What a network makes of a photo at one moment of its training."""

    batches: int
    """How many batches it had learned."""
    prediction: Prediction
    kernels: NDArray[np.float32]
    """(height, width, channels, n): those of `layer`."""
    maps: NDArray[np.float32]
    """(H, W, n): the maps that they make of the photo."""
    heat: dict[str, NDArray[np.float32]]
    """For each class the heat map, (S, S), 0 to 1, at the size of the network's input."""
    layer: str
    """The first convolution that learns and whose kernels can be seen: they have three channels, or one."""


def moment(batches: int, steps: int, recipe: str = "article") -> str:
    """Name a moment of a training whose epochs have this number of steps.

    Examples
    --------
    >>> moment(0, 40), moment(16, 40), moment(80, 40), moment(0, 40, "accurate")
    ('untrained', 'step 16', 'epoch 2', 'before fine-tuning')
    """
    if batches == 0:
        return "before fine-tuning" if recipe == "accurate" else "untrained"
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
    size = run.config.input_size
    image = resize(image, size, size)  # what the network sees; the size of the heat maps
    frames, kept, seen = [], run.snapshots(), hashlib.sha256(image.tobytes()).hexdigest()
    model: PetModel | None = None
    for done, (batches, path) in enumerate(kept.items()):
        if progress:
            progress(done, len(kept), "Replaying the training")

        try:
            key = fingerprint([path]), seen
            if (known := _kept.get(key)) is None:
                weights = read(path)
                model = model or PetModel(run.id, _network(run.config), largest_map=1)
                known = _compute(model, weights, path, image)
        except (SnapshotError, FileNotFoundError):  # damaged, or a resumed run has just dropped it
            continue
        _keep(key, known)
        frames.append(_frame(*known, batches, run.id))
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
    >>> most_changed([Frame(at, answer, seen, seen[0], {}, "conv_1") for at, seen in ((0, kernels), (9, later))], 2)
    [1, 3]
    """
    changes = np.abs(frames[-1].kernels - frames[0].kernels).sum(axis=(0, 1, 2))
    return sorted(np.argsort(-changes, kind="stable")[:count].tolist())


def change(frames: Sequence[Frame], at: int) -> float:
    """Return how far training has moved the kernels by a frame: the mean change as a share of their mean size.

    Examples
    --------
    >>> answer = Prediction("cat", 0.5, {"cat": 0.5, "dog": 0.5}, "run")
    >>> kernels = np.array([-1.0, 3.0], np.float32).reshape(1, 1, 1, 2)
    >>> seen = [Frame(at, answer, kernels + at, kernels[0], {}, "conv_1") for at in (0, 1)]
    >>> change(seen, 0), change(seen, 1)
    (0.0, 0.5)
    """
    first = frames[0].kernels
    return float(np.abs(frames[at].kernels - first).mean() / (np.abs(first).mean() or 1.0))


def _network(config: TrainingConfig) -> keras.Model:
    """Build the network whose weights the snapshots of a run hold."""
    if config.recipe == "accurate":
        from cnn_core.accurate import finetuning

        return finetuning.untrained()
    return config.network.build()


def _keep(key: tuple[str, str], known: tuple[str, _Numbers]) -> None:
    _kept[key] = known
    _kept.move_to_end(key)
    while len(_kept) > KEEP_FRAMES:
        with suppress(KeyError):  # another thread was first
            _kept.popitem(last=False)


def _compute(
    model: PetModel, weights: list[NDArray[np.float32]], path: Path, image: NDArray[np.uint8]
) -> tuple[str, _Numbers]:
    """Return what the network with these weights makes of the image, as small as it can be kept, and of which layer."""
    try:
        model.keras.set_weights(weights)
    except ValueError as error:
        raise SnapshotError(f"The snapshot {path} is of another network.") from error
    try:
        heat, answer, visits = grad_cam(model, image, LABELS)
    except ExplainError as error:
        raise ReplayError(NO_KERNELS) from error
    learning = (visit for visit in visits if is_convolution(visit.layer) and visit.layer.trainable)
    first = next((visit for visit in learning if _kernels(visit.layer).shape[2] in (1, 3)), None)
    if first is None:
        raise ReplayError(NO_KERNELS)
    size = image.shape[:2]
    return first.layer.name, {
        "probabilities": np.asarray(answer, np.float32)[0],
        "kernels": _kernels(first.layer)[..., :MAX_KERNELS],
        "maps": _smaller(np.asarray(first.output, np.float32)[0, ..., :MAX_KERNELS]).astype(np.float16),
        "heat": np.stack([enlarged(scaled(one), *size) for one in heat]).astype(np.float16),
    }


def _kernels(layer: Any) -> NDArray[np.float32]:
    """Return the kernels of a convolution, (height, width, channels, n); a depthwise one's have one channel."""
    kernels = np.array(layer.kernel, np.float32)
    return kernels.swapaxes(2, 3) if type(layer).__name__ == "DepthwiseConv2D" else kernels


def _smaller(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shrink maps (H, W, n) to means of squares, so that no side is much longer than `MAP_SIDE`."""
    block = max(1, round(max(maps.shape[:2]) / MAP_SIDE))
    high, wide = (side // block for side in maps.shape[:2])
    squares = maps[: high * block, : wide * block].reshape(high, block, wide, block, -1)
    return np.asarray(squares.mean(axis=(1, 3)), np.float32)


def _frame(layer: str, kept: _Numbers, batches: int, name: str) -> Frame:
    values = {part: numbers.astype(np.float32) for part, numbers in kept.items()}
    shares = dict(zip(LABELS, map(float, values["probabilities"]), strict=True))
    label = max(shares, key=shares.__getitem__)
    prediction = Prediction(label, shares[label], shares, name)
    heat = dict(zip(LABELS, values["heat"], strict=True))
    return Frame(batches, prediction, values["kernels"], values["maps"], heat, layer)
