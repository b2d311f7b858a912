"""One training run, from its settings to a saved model, writing its run folder as it goes.

A run is a folder. ``config.json`` says what to do; `train` does it in this process and writes ``status.json``,
``history.csv`` (a row an epoch), ``steps.jsonl`` (a line a batch) and ``model.keras``. Whoever wants to watch reads
those files; whoever wants to stop it creates the file ``stop``. `cnn_core.runs` starts such a process and reads along.
"""

from __future__ import annotations

import errno
import json
import signal
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core import CnnLabError
from cnn_core.engine.journal import Journal, Stopped, read_history, writer
from cnn_core.network import NetworkSpec
from cnn_core.storage.files import save_model

if TYPE_CHECKING:
    import keras


CLIP_NORM = 1.0
"""All gradients together are scaled down to this length when they are longer."""

RECIPES = ("article", "accurate")
PRECISIONS = ("auto", "float32", "mixed_bfloat16")


class TrainingError(CnnLabError):
    """The settings are out of range, or the training broke off."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that a run needs to know; the defaults are the short run on drawn pictures.

    Attributes
    ----------
    data : str
        "sketches" or the path of a dataset, as `sketches.open_source` takes it.
    images : int or None
        At most so many pictures, training and test set together; None for all.
    epochs, batch_size, learning_rate, seed
        As usual; the optimizer is Adam.
    test_size : float
        Fraction of the pictures that is kept for testing.
    augment : bool
        Whether the training pictures are flipped, turned, zoomed, shifted and sheared, anew each epoch.
    schedule : {"constant", "cosine"}
        Whether the learning rate stays, or falls to zero along half a cosine.
    patience : int or None
        Stop early after so many epochs without a lower test loss, and keep the best epoch's weights.
    precision : {"auto", "float32", "mixed_bfloat16"}
        What the layers compute in while they learn. "auto" is bfloat16 where the processor has instructions for it,
        which trains this network about twice as fast. Tests and the saved model are float32 anyway.
    network : NetworkSpec
    recipe : {"article", "accurate"}
        "accurate" trains what `cnn_core.accurate.recipe` describes, in the place of `network`; of the settings
        above, data,
        images, seed and test_size count.
    backbone : str or None
        For "accurate": the file that `cnn_core.recipe.port` wrote; None takes the backbone of the bundled model.
    """

    data: str = "sketches"
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
            raise TrainingError(f"These are no settings of a training run: {error}.") from error


def train(folder: Path) -> None:
    """Carry out the run that ``folder/config.json`` describes, or go on where it stopped.

    The outcome is in the folder: whatever goes wrong ends as a ``failed`` status with a sentence, never as a lost run.

    Parameters
    ----------
    folder : Path
        The run folder; it holds ``config.json`` as `TrainingConfig.to_dict` writes it.

    Raises
    ------
    TrainingError
        When the run failed; the same sentence is in ``status.json``.
    """
    journal = Journal(folder)
    try:
        config = TrainingConfig.from_dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        config.check()
        if config.recipe == "accurate":
            from cnn_core.accurate import recipe

            recipe.fit(config, folder, journal)
        else:
            _fit(config, folder, journal)
    except Stopped:
        journal.write(state="stopped", message="Stopped on request; the model was saved.", seconds_left=None)
    except Exception as error:
        sentence = _sentence(error)
        journal.write(state="failed", message=sentence, seconds_left=None)
        raise TrainingError(sentence) from error
    else:
        journal.write(state="finished", seconds_left=0.0)
    finally:
        journal.close()


def _fit(config: TrainingConfig, folder: Path, journal: Journal) -> None:
    from cnn_core import dataset, sketches

    table = sketches.open_source(config.data, config.images, config.seed, progress=journal.reading)
    training, test = dataset.split(table, config.test_size, config.seed)
    for rows, what in ((training, "training"), (test, "test")):
        if rows["label"].nunique() < 2:
            raise TrainingError(f"The {what} set has only one class. Use more pictures.")
    size = config.network.input_size
    pictures, labels = dataset.load_images(training, size, journal.reading)
    unseen = dataset.load_images(test, size, journal.reading)
    journal.write(state="starting", message="Building the network.")

    import keras

    keras.utils.set_random_seed(config.seed)
    steps = -(-len(labels) // config.batch_size)
    model = _open_or_build(config, folder / "model.keras", steps)
    done = len(read_history(folder))
    batches = dataset.batches(
        pictures, labels, config.batch_size, shuffle=True, augment=config.augment, seed=config.seed + done
    )
    test_batches = dataset.batches(*unseen, 64, shuffle=False, augment=False)

    def save() -> None:
        _compute_in(model, "float32")
        save_model(model, folder / "model.keras")

    model.fit(
        batches,
        validation_data=test_batches,
        epochs=config.epochs,
        initial_epoch=done,
        callbacks=[_mixed(config.precision), writer(journal, config, len(labels), steps, save)],
        shuffle=False,  # the batches come shuffled
        verbose=0,
    )


def _open_or_build(config: TrainingConfig, path: Path, steps: int) -> keras.Model:
    """Return the model to go on with, its optimizer's state included, or a new one."""
    import keras

    if path.exists():
        return keras.saving.load_model(path)
    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps * config.epochs)
    model = config.network.build()
    # One batch with a gradient far above the usual would move every weight by three learning rates at once; and one
    # with a gradient that is no number would end it all: now and then oneDNN's bfloat16 convolution gives one, and a
    # right one when asked again. The scaling optimizer leaves such a batch out.
    adam = keras.optimizers.Adam(rate, global_clipnorm=CLIP_NORM)
    optimizer = keras.optimizers.LossScaleOptimizer(adam, initial_scale=1.0)
    # XLA on a CPU trains this network seven times as slowly as the plain graph.
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def _mixed(precision: str) -> keras.callbacks.Callback:
    """Make the callback that trains in `precision` and tests in float32, in which the model will be used."""
    import keras

    if precision == "auto":
        precision = "mixed_bfloat16" if _has_bfloat16() else "float32"

    class Mixed(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            _compute_in(self.model, precision)

        def on_test_begin(self, logs: dict | None = None) -> None:
            _compute_in(self.model, "float32")

    return Mixed()


def _compute_in(model: keras.Model, precision: str) -> None:
    """Set what the layers between rescaling and softmax compute in; their weights are float32 in any case."""
    for layer in model.layers[1:-1]:
        layer.dtype_policy = precision


def _has_bfloat16() -> bool:
    """Tell whether the processor multiplies bfloat16 matrices itself (AMX); without that, it would be slower."""
    try:
        return " amx_bf16 " in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def _sentence(error: Exception) -> str:
    if isinstance(error, CnnLabError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The disk is full. Make room (old runs can be deleted on the Train page), then resume this run."
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "The memory was not enough for this network. Use a smaller batch, picture or network."
    return f"The training broke off ({type(error).__name__}: {error}). The whole story is in log.txt."


def _check(what: str, holds: bool, expected: str) -> None:
    if not holds:
        raise TrainingError(f"{what} must be {expected}.")


def main() -> None:
    """Carry out the run in the folder named on the command line; a polite kill stops it gracefully."""
    folder = Path(sys.argv[1])
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: (folder / "stop").touch())
    try:
        train(folder)
    except TrainingError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
