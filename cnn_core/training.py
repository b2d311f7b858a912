"""One training run, from its settings to a saved model, writing its run folder as it goes.

A run is a folder. ``config.json`` says what to do; `train` does it in this process and writes ``status.json``,
``history.csv`` (a row an epoch), ``steps.jsonl`` (a line a batch) and ``model.keras``. Whoever wants to watch reads
those files; whoever wants to stop it creates the file ``stop``. `cnn_core.runs` starts such a process and reads along.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cnn_core import CnnLabError
from cnn_core.files import replace_file
from cnn_core.network import NetworkSpec

if TYPE_CHECKING:
    import keras

HISTORY = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "seconds"]
"""Columns of ``history.csv``: accuracy and loss on the training set, then on the test set."""

HEARTBEAT_SECONDS = 1.0
"""How often a living run touches its status file."""


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
        "auto" computes in bfloat16 where the processor has instructions for it. The saved model is float32 anyway.
    network : NetworkSpec
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
        _check("The precision", self.precision in ("auto", "float32", "mixed_bfloat16"), '"auto" or a Keras policy')
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


@dataclass(frozen=True)
class Status:
    """Where a run stands; ``status.json`` holds these fields.

    Attributes
    ----------
    state : str
        "starting", "reading", "running", "stopping", "finished", "stopped", "failed" or "interrupted".
    message : str
        A sentence for people: what is being read, or why the run ended.
    epoch, epochs : int
        The epoch under way (from 1) and how many there will be.
    step, steps : int
        The batch under way in this epoch (from 1) and how many an epoch has.
    images_per_second : float
        Training pictures a second, over this process's whole training.
    seconds, seconds_left : float
        Since the start, and the estimate until the end.
    """

    state: str = "starting"
    message: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    images_per_second: float = 0.0
    seconds: float = 0.0
    seconds_left: float | None = None


class _Stopped(Exception):
    """Somebody asked the run to stop."""


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
        _fit(config, folder, journal)
    except _Stopped:
        journal.write(state="stopped", message="Stopped on request; the model was saved.", seconds_left=None)
    except Exception as error:
        sentence = _sentence(error)
        journal.write(state="failed", message=sentence, seconds_left=None)
        raise TrainingError(sentence) from error
    else:
        journal.write(state="finished", message="", seconds_left=0.0)
    finally:
        journal.close()


class Journal:
    """Writes a run's status, and touches it every second so that readers can tell a living run from a killed one.

    Parameters
    ----------
    folder : Path
        The run folder. A request to stop that was left in it is removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = Status()
        self.start = time.monotonic()
        self._written = 0.0
        self._closed = threading.Event()
        (folder / "stop").unlink(missing_ok=True)
        self.write(state="starting", message="Loading TensorFlow.")
        threading.Thread(target=self._beat, daemon=True).start()

    def write(self, **changes: Any) -> None:
        """Change fields of the status and write it; a full disk does not stop the run for this file's sake."""
        self.status = replace(self.status, seconds=round(time.monotonic() - self.start, 2), **changes)
        self._written = time.monotonic()
        try:
            replace_file(self.folder / "status.json", json.dumps(asdict(self.status)))
        except OSError as error:
            print(f"status.json could not be written: {error}", file=sys.stderr, flush=True)

    def note(self, **changes: Any) -> None:
        """Change fields of the status, and write it at most four times a second."""
        if time.monotonic() - self._written > 0.25:
            self.write(**changes)
        else:
            self.status = replace(self.status, **changes)

    def reading(self, done: int, total: int, what: str) -> None:
        """Report progress while data is read, and end the run if that was asked for."""
        self.note(state="reading", message=f"{what}: {done:,} of {total:,}.")
        self.heed_stop()

    def heed_stop(self) -> None:
        """Raise when somebody has asked this run to stop."""
        if (self.folder / "stop").exists():
            raise _Stopped

    def close(self) -> None:
        """End the heartbeat."""
        self._closed.set()

    def _beat(self) -> None:
        while not self._closed.wait(HEARTBEAT_SECONDS):
            with suppress(OSError):
                os.utime(self.folder / "status.json")


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
    keras.config.set_dtype_policy("float32")
    steps = -(-len(labels) // config.batch_size)
    saved = _open_saved(config, folder, steps)
    model = saved
    if _precision(config.precision) != "float32":
        keras.config.set_dtype_policy(_precision(config.precision))
        model = _compiled(config, steps)
        _copy(saved, model)
    history = _history(folder)
    batches = dataset.batches(
        pictures, labels, config.batch_size, shuffle=True, augment=config.augment, seed=config.seed + len(history)
    )
    test_batches = dataset.batches(*unseen, 64, shuffle=False, augment=False)
    writer = _writer(config, folder, journal, model, saved, history, (len(labels), steps))
    model.fit(
        batches,
        validation_data=test_batches,
        epochs=config.epochs,
        initial_epoch=len(history),
        callbacks=[writer],
        shuffle=False,  # the batches come shuffled
        verbose=0,
    )


def _open_saved(config: TrainingConfig, folder: Path, steps: int) -> keras.Model:
    """Return the model to go on with: the saved one if there is one, else a new one; float32 either way."""
    import keras

    path = folder / "model.keras"
    return keras.saving.load_model(path) if path.exists() else _compiled(config, steps)


def _compiled(config: TrainingConfig, steps: int) -> keras.Model:
    import keras

    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps * config.epochs)
    model = config.network.build()
    # XLA on a CPU trains this network seven times as slowly as the plain graph.
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _copy(source: keras.Model, target: keras.Model) -> None:
    """Copy weights and the optimizer's state, whatever precision the two compute in: variables are float32 in both."""
    target.set_weights(source.get_weights())
    for there, here in zip(target.optimizer.variables, source.optimizer.variables, strict=True):
        there.assign(here)


def _writer(
    config: TrainingConfig,
    folder: Path,
    journal: Journal,
    model: keras.Model,
    saved: keras.Model,
    history: pd.DataFrame,
    sizes: tuple[int, int],
) -> keras.callbacks.Callback:
    """Make the callback that writes the run folder while Keras trains."""
    import keras

    images, steps = sizes
    rows: list[dict[Any, Any]] = history.to_dict("records")

    class Writer(keras.callbacks.Callback):
        epoch = len(rows)
        trained = 0  # pictures seen by this process
        training_seconds = 0.0  # of this process, without the epochs' tests
        best = min((row["val_loss"] for row in rows), default=float("inf"))

        def on_train_begin(self, logs: dict | None = None) -> None:
            done = _keep_steps(folder / "steps.jsonl", len(rows) * steps)
            self.total = done
            self.log = (folder / "steps.jsonl").open("a", encoding="utf-8")
            journal.write(state="running", message="", epoch=self.epoch + 1, epochs=config.epochs, steps=steps)

        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.epoch, self.epoch_start, self.last = epoch, time.monotonic(), time.monotonic()

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            now = time.monotonic()
            if self.total or self.trained:  # the very first step mostly compiles
                self.training_seconds += now - self.last
                self.trained += min(config.batch_size, images - batch * config.batch_size)
            self.last, self.total = now, self.total + 1
            values = {"loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])} if logs else {}
            self.log.write(json.dumps({"step": self.total, "epoch": self.epoch + 1, **values}) + "\n")
            self.log.flush()
            speed = self.trained / self.training_seconds if self.training_seconds else 0.0
            left = (config.epochs - self.epoch) * images - (batch + 1) * config.batch_size
            journal.note(
                epoch=self.epoch + 1,
                step=batch + 1,
                images_per_second=round(speed, 1),
                seconds_left=round(max(left, 0) / speed, 1) if speed else None,
            )
            if (folder / "stop").exists():
                journal.write(state="stopping", message="Saving the model.")
                self.save()
                raise _Stopped

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            values = {name: round(float((logs or {})[name]), 5) for name in HISTORY[1:5]}
            rows.append({"epoch": epoch + 1, **values, "seconds": round(time.monotonic() - self.epoch_start, 2)})
            improved = values["val_loss"] < self.best
            self.best = min(self.best, values["val_loss"])
            if improved or config.patience is None:
                self.save()
            replace_file(folder / "history.csv", pd.DataFrame(rows, columns=HISTORY).to_csv(index=False))
            losses = [row["val_loss"] for row in rows]
            if config.patience and len(losses) - 1 - losses.index(min(losses)) >= config.patience:
                self.model.stop_training = True

        def on_train_end(self, logs: dict | None = None) -> None:
            self.log.close()

        def save(self) -> None:
            if saved is not model:
                _copy(model, saved)
            beside = folder / ".model.part.keras"
            try:
                saved.save(beside)
                beside.replace(folder / "model.keras")
            finally:
                beside.unlink(missing_ok=True)

    return Writer()


def _history(folder: Path) -> pd.DataFrame:
    path = folder / "history.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=HISTORY)


def _keep_steps(path: Path, most: int) -> int:
    """Drop the steps of an epoch that was not finished, since it is trained again; return how many are left."""
    lines = path.read_text(encoding="utf-8").splitlines()[:most] if path.exists() else []
    replace_file(path, "".join(f"{line}\n" for line in lines))
    return len(lines)


def _precision(wanted: str) -> str:
    """Choose bfloat16 where the processor multiplies matrices in it (AMX), which trains 1.5 to 3 times as fast."""
    if wanted != "auto":
        return wanted
    try:
        return "mixed_bfloat16" if " amx_bf16 " in Path("/proc/cpuinfo").read_text(encoding="utf-8") else "float32"
    except OSError:
        return "float32"


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
