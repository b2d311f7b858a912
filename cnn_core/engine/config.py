"""The settings of a training run, as ``config.json`` holds them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from cnn_core import CnnLabError
from cnn_core.accurate import sizes
from cnn_core.data_files.corrections import Corrections
from cnn_core.network import NetworkSpec
from cnn_core.source import DRAWN, Source

CLIP_NORM = 1.0
"""All gradients together are scaled down to this length when they are longer."""

SCHEDULES = ("constant", "cosine", "warmup_cosine")

WARMUP = 0.1
"""Fraction of all steps in which "warmup_cosine" lets the learning rate rise."""

MIN_WARMUP = 375
"""It rises in at least this number of steps; if that is more than half of all steps, in half of them. With 45 of 450
steps, most units of the dense layer were dead after 20 steps, and three of eight runs learned nothing: a unit adds
up 57,600 values that are never negative, and Adam's first steps move all of its weights in the same direction."""

AUGMENTATIONS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "light": {"rotation": 7.5, "shear": 0.05, "zoom": (0.9, 1.1), "shift": 0.05},
    "article": {"rotation": 15, "shear": 0.1, "zoom": (0.8, 1.2), "shift": 0.1},
    "strong": {"rotation": 15, "shear": 0.1, "zoom": (0.6, 1.1), "shift": 0.1},
}
"""How much the training images vary, as arguments of `augmentation.RandomAffine`; all but "none" are also flipped."""

RECIPES = ("article", "accurate")
WITHOUT_USE = ("learning_rate", "validation", "augment", "schedule", "patience", "class_weights", "precision")
"""Settings that mean nothing for the recipe "accurate", which trains in ways of its own."""

PRECISIONS = ("auto", "float32", "mixed_bfloat16")


class TrainingError(CnnLabError):
    """The settings are out of range, or the training broke off."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that a run needs to know; the defaults are the short run on drawn images.

    Attributes
    ----------
    data : str
        "sketches" or the path of a dataset, as `source.Source` takes it.
    images : int or None
        Maximum number of images, training and test set together; None for all.
    epochs, batch_size, learning_rate, seed
        As usual; the optimizer is Adam.
    test_size : float
        Fraction of the images that is kept for testing.
    corrections : dict of str to str or None, optional
        As `source.Source` takes them. `runs.start` fills in those of the dataset, so that a resumed run keeps them.
    validation : float
        Fraction of the training set that is kept aside as validation set. Then the epoch with the lowest loss on it is
        kept, and ``history.csv`` holds the scores on it. With 0, the history holds the scores on the test set.
    augment : str
        One of `AUGMENTATIONS`: how much the training images are flipped, rotated, zoomed, shifted and sheared, anew
        each epoch. A short training learns more from light changes, a long one from strong ones.
    schedule : {"constant", "cosine", "warmup_cosine"}
        Whether the learning rate stays; falls to zero along half a cosine; or first rises in `WARMUP` of
        the steps, at least in `MIN_WARMUP`, because large first steps can leave most ReLUs without a gradient.
    patience : int or None
        Stop after this number of epochs without a lower loss on the validation set (without one, on the test set),
        and keep the best epoch's weights.
    class_weights : bool
        Whether images of the rarer class count more while the network learns, as `class_weights.balanced` weighs them.
    precision : {"auto", "float32", "mixed_bfloat16"}
        What the layers compute in while they learn. "auto" is bfloat16 where the processor has instructions for it,
        which trains this network about twice as fast. Tests and the saved model are float32 anyway.
    deterministic : bool
        Whether every operation adds in a fixed order, so that the same seed, data and machine give the same history to
        the last digit, also when the run is killed and resumed. Some operations take longer then.
    network : NetworkSpec
    recipe : {"article", "accurate"}
        "accurate" trains what `cnn_core.accurate.recipe` describes, in the place of `network`. It settles the epochs
        and the batch size, and has no use for the settings `WITHOUT_USE`; see `settled`.
    backbone : str or None
        For "accurate": the file that `cnn_core.accurate.port` wrote; None takes the backbone of the bundled model.
    """

    data: str = DRAWN
    images: int | None = None
    epochs: int = 3
    batch_size: int = 15
    learning_rate: float = 7e-4
    seed: int = 42
    test_size: float = 0.25
    validation: float = 0.0
    augment: str = "light"
    schedule: str = "warmup_cosine"
    patience: int | None = None
    class_weights: bool = False
    precision: str = "auto"
    deterministic: bool = False
    network: NetworkSpec = field(default_factory=NetworkSpec)
    recipe: str = "article"
    backbone: str | None = None
    corrections: Corrections | None = None

    @property
    def source(self) -> Source:
        """The run's images and their split."""
        return Source(self.data, self.images, self.seed, self.test_size, self.corrections)

    @property
    def input_size(self) -> int:
        """Height and width, in pixels, of the images that the run's network takes."""
        return sizes.INPUT_SIZE if self.recipe == "accurate" else self.network.input_size

    @property
    def parameters(self) -> int:
        """Number of weights and biases of the run's network."""
        return sizes.PARAMETERS if self.recipe == "accurate" else self.network.parameters

    @property
    def without_use(self) -> tuple[str, ...]:
        """The settings that mean nothing for this recipe."""
        return WITHOUT_USE if self.recipe == "accurate" else ()

    def settled(self) -> TrainingConfig:
        """Return the settings that the recipe really trains with: what it settles itself is filled in.

        Examples
        --------
        >>> config = TrainingConfig(recipe="accurate", epochs=20, validation=0.2).settled()
        >>> config.epochs, config.batch_size, config.held_out
        (4, 32, 'test')
        """
        if self.recipe != "accurate":
            return self
        defaults: dict[str, Any] = {one.name: one.default for one in fields(self) if one.name in WITHOUT_USE}
        return replace(self, epochs=sizes.EPOCHS, batch_size=sizes.BATCH_SIZE, **defaults)

    @property
    def held_out(self) -> str:
        """The set that ``val_accuracy`` and ``val_loss`` of the history are measured on: "validation" or "test"."""
        return "validation" if self.validation else "test"

    @property
    def keeps_best(self) -> bool:
        """Whether the model is that of the best epoch, not of the last."""
        return self.patience is not None or self.validation > 0

    def check(self) -> None:
        """Raise `TrainingError` when a setting is out of range, `NetworkError` when the network cannot be built."""
        _check("The number of pictures", self.images is None or self.images >= 4, "at least 4")
        _check("The number of epochs", 1 <= self.epochs <= 1000, "from 1 to 1,000")
        _check("The batch size", 1 <= self.batch_size <= 1024, "from 1 to 1,024")
        _check("The learning rate", 0 < self.learning_rate <= 1, "above 0 and at most 1")
        _check("The test set's share", 0 < self.test_size < 1, "between 0 and 1")
        _check("The seed", 0 <= self.seed < 2**31, f"from 0 to {2**31 - 1:,}")
        _check("The patience", self.patience is None or self.patience >= 1, "at least 1 epoch")
        _check("The validation set's share", 0 <= self.validation < 1, "at least 0 and below 1")
        _check("The augmentation", self.augment in AUGMENTATIONS, f"one of {', '.join(AUGMENTATIONS)}")
        _check("The schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}")
        _check("The precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")
        _check("The recipe", self.recipe in RECIPES, f"one of {', '.join(RECIPES)}")
        self.network.table()

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        """Read what `to_dict` wrote, also before there were several strengths of augmentation, or corrections.

        Examples
        --------
        >>> TrainingConfig.from_dict(TrainingConfig(epochs=5).to_dict()).epochs
        5
        """
        try:
            older: dict[Any, str] = {True: "article", False: "none"}
            augment = values.get("augment", cls.augment)
            network = NetworkSpec.from_dict(values.get("network", {}))
            return cls(**{"corrections": {}, **values, "augment": older.get(augment, augment), "network": network})
        except TypeError as error:
            raise TrainingError(f"These are not the settings of a training run: {error}.") from error


def _check(what: str, holds: bool, expected: str) -> None:
    if not holds:
        raise TrainingError(f"{what} must be {expected}.")


def read_config(folder: Path) -> TrainingConfig:
    """Read the ``config.json`` of a run's folder.

    Raises
    ------
    OSError
        When there is none.
    ValueError, AttributeError, TrainingError
        When it is damaged.
    """
    return TrainingConfig.from_dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
