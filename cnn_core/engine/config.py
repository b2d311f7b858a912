"""The settings of a training run, as ``config.json`` holds them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from cnn_core import CnnLabError
from cnn_core.network import NetworkSpec
from cnn_core.source import DRAWN, Source

CLIP_NORM = 1.0
"""All gradients together are scaled down to this length when they are longer."""

RECIPES = ("article", "accurate")
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
    augment : bool
        Whether the training images are flipped, rotated, zoomed, shifted and sheared, anew each epoch.
    schedule : {"constant", "cosine"}
        Whether the learning rate stays, or falls to zero along half a cosine.
    patience : int or None
        Stop after this number of epochs without a lower test loss, and keep the best epoch's weights.
    precision : {"auto", "float32", "mixed_bfloat16"}
        What the layers compute in while they learn. "auto" is bfloat16 where the processor has instructions for it,
        which trains this network about twice as fast. Tests and the saved model are float32 anyway.
    network : NetworkSpec
    recipe : {"article", "accurate"}
        "accurate" trains what `cnn_core.accurate.recipe` describes, in the place of `network`; of the settings
        above, data, images, seed and test_size count.
    backbone : str or None
        For "accurate": the file that `cnn_core.accurate.port` wrote; None takes the backbone of the bundled model.
    """

    data: str = DRAWN
    images: int | None = None
    epochs: int = 3
    batch_size: int = 15
    learning_rate: float = 1e-3
    seed: int = 42
    test_size: float = 0.25
    augment: bool = True
    schedule: str = "constant"
    patience: int | None = None
    precision: str = "auto"
    network: NetworkSpec = field(default_factory=NetworkSpec)
    recipe: str = "article"
    backbone: str | None = None

    @property
    def source(self) -> Source:
        """The run's images and their split."""
        return Source(self.data, self.images, self.seed, self.test_size)

    def check(self) -> None:
        """Raise `TrainingError` when a setting is out of range, `NetworkError` when the network cannot be built."""
        _check("The number of pictures", self.images is None or self.images >= 4, "at least 4")
        _check("The number of epochs", 1 <= self.epochs <= 1000, "from 1 to 1,000")
        _check("The batch size", 1 <= self.batch_size <= 1024, "from 1 to 1,024")
        _check("The learning rate", 0 < self.learning_rate <= 1, "above 0 and at most 1")
        _check("The test set's share", 0 < self.test_size < 1, "between 0 and 1")
        _check("The seed", 0 <= self.seed < 2**31, f"from 0 to {2**31 - 1:,}")
        _check("The patience", self.patience is None or self.patience >= 1, "at least 1 epoch")
        _check("The schedule", self.schedule in ("constant", "cosine"), '"constant" or "cosine"')
        _check("The precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")
        _check("The recipe", self.recipe in RECIPES, f"one of {', '.join(RECIPES)}")
        self.network.table()

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        """Read what `to_dict` wrote.

        Examples
        --------
        >>> TrainingConfig.from_dict(TrainingConfig(epochs=5).to_dict()).epochs
        5
        """
        try:
            return cls(**{**values, "network": NetworkSpec.from_dict(values.get("network", {}))})
        except TypeError as error:
            raise TrainingError(f"These are not the settings of a training run: {error}.") from error


def _check(what: str, holds: bool, expected: str) -> None:
    if not holds:
        raise TrainingError(f"{what} must be {expected}.")
