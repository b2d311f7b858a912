"""One training run, from its settings to a saved model, writing its run folder as it goes.

A run is a folder. ``config.json`` says what to do; `train` does it in this process and writes ``status.json``,
``history.csv`` (a row per epoch), ``steps.jsonl`` (a line per batch), ``broken.txt`` (images that could not be read),
``model.keras``, ``environment.json`` (what it was made with) and, until it has finished, ``checkpoint.npz``, from which
it goes on. Whoever watches reads these files, whoever stops it creates the file ``stop``: `cnn_core.runs` does both.
"""

from __future__ import annotations

import errno
import gc
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core import CnnLabError
from cnn_core.data_files import unpacking
from cnn_core.engine import checkpoint, cluster, environment, line, loading, warm
from cnn_core.engine.config import AUGMENTATIONS, CLIP_NORM, TrainingConfig, TrainingError, read_config
from cnn_core.engine.journal import MODEL, Journal, SpaceFull, Stopped, TimeUp
from cnn_core.host import limits
from cnn_core.storage.files import save_model, sweep
from cnn_core.storage.lock import LockError, locked

if TYPE_CHECKING:
    import keras
    import numpy as np
    import pandas as pd
    import tensorflow as tf
    from numpy.typing import NDArray

    from cnn_core.dataset import Images, Progress
    from cnn_core.engine.team import Team

TEST_BATCH = 64
"""Images that are tested at once."""

STOPPED = "Stopped on request; the model was saved."
TOO_EARLY = "Stopped on request, before there was a model to save."
LEFT = "The run left the line before its turn. It can wait in line again."


def train(folder: Path) -> None:
    """Carry out the run that ``folder/config.json`` describes, or go on where it stopped, when it is its turn.

    The outcome is in the folder: whatever goes wrong ends as a ``failed`` status with a sentence, never as a lost run.
    Meanwhile this process holds the folder's lock, so no other one can train here.

    Parameters
    ----------
    folder : Path
        The run folder; it holds ``config.json`` as `TrainingConfig.to_dict` writes it.

    Raises
    ------
    TrainingError
        When the run failed; the same sentence is in ``status.json``.
    LockError
        When another process is training here; then nothing is touched.
    """
    with locked(folder):
        sweep(folder)
        _carry_out(folder)


def _carry_out(folder: Path) -> None:
    journal = Journal(folder)
    try:
        workers = cluster.from_environment()
        if workers is None or workers.writes:  # the others only wait for the one that writes
            line.wait_turn(folder, journal)  # before all imports: what is not imported yet takes no memory
        warm.finish_loading()
        team = _join(workers, journal) if workers else None
        config = read_config(folder)
        config.check()
        if config.recipe == "accurate":
            from cnn_core.accurate import recipe

            if team:
                raise TrainingError(f"The recipe “accurate” trains on one machine. Remove {cluster.VARIABLE}.")
            recipe.fit(config, folder, journal)
        else:
            fit(config, folder, journal, team)
        if team:
            team.wait()  # until the run folder is complete
    except TimeUp:
        journal.write(state="stopped", message=f"{limits.MINUTES.reached()}{_saved(folder)}", seconds_left=None)
    except SpaceFull:
        then = f"Then you can {checkpoint.to_go_on(folder)}."
        message = f"Stopped: your space is full.{_saved(folder)} {limits.SPACE.reached()} {then}"
        journal.write(state="stopped", message=message, seconds_left=None)
    except Stopped:
        message = STOPPED if (folder / MODEL).exists() else TOO_EARLY
        message = LEFT if journal.status.state == "waiting" else message
        journal.write(state="stopped", place=0, message=message, seconds_left=None)
    except Exception as error:
        sentence = _sentence(error, folder)
        journal.write(state="failed", message=sentence, seconds_left=None)
        raise TrainingError(sentence) from error
    else:
        journal.write(state="finished", seconds_left=0.0)
        (folder / checkpoint.NAME).unlink(missing_ok=True)  # as large as three models, and of no use any more
    finally:
        journal.close()


def _saved(folder: Path) -> str:
    return " The model was saved." if (folder / MODEL).exists() else ""


def _join(workers: cluster.Cluster, journal: Journal) -> Team:
    loading.import_tensorflow()
    from cnn_core.engine import team

    return team.join(workers, journal)


@dataclass(frozen=True)
class _Data:
    """The images of a run, decoded when they are needed, and their labels, int32 (N,)."""

    table: pd.DataFrame
    training: tuple[Images, NDArray[np.int32]]
    held_out: tuple[Images, NDArray[np.int32]]

    @property
    def images(self) -> tuple[Images, Images]:
        return self.training[0], self.held_out[0]


def fit(config: TrainingConfig, folder: Path, journal: Journal, team: Team | None = None) -> None:
    """Train the network of `config` in a run folder, or go on where it stopped; with the other workers of a team."""
    data = packed = None
    if "tensorflow" not in sys.modules:
        if config.source.drawn or not unpacking.takes_long(config.data):
            data = _list(config, journal.reading)  # what is wrong with the data need not wait for the import
            journal.starting("Loading TensorFlow.")
        else:
            packed = config.data
    with unpacking.beside(packed) as unpacked:
        loading.import_tensorflow()
        from cnn_core.engine import class_weights
        from cnn_core.engine.ahead import Ahead
        from cnn_core.engine.batches import batches, count
        from cnn_core.engine.callbacks import NameBroken
        from cnn_core.engine.learning import learn, open_or_build, set_seed
        from cnn_core.engine.precision import compute_in, mixed
        from cnn_core.engine.team import on_this_machine

        ahead = Ahead(config, journal.reading, alone=team is None)
        unpacked(ahead.reading)
    data = data or _list(config, ahead.reading)
    team = team or on_this_machine()
    if team:
        _meet(team, data, journal)
    journal.starting("Building the network.")
    labels = data.training[1]
    steps = count(len(labels), config.batch_size)
    ahead.begin(steps * config.epochs)
    set_seed(config)
    with environment.recording(folder, config, data.table["file"]):
        model, place = open_or_build(folder, steps, lambda: build(config, steps, team), folder / MODEL)
        network = _network_of(model, team)

        def save(name: str) -> None:
            compute_in(network, "float32")
            save_model(network, folder / name)

        first = [mixed(network, config.precision), NameBroken(journal, data.images, data.table.attrs["folder"])]
        weights = class_weights.balanced(labels) if config.class_weights else None
        tests = batches(*data.held_out, TEST_BATCH, *_share(team))
        serve = _server(config, data, team)
        learn(model, network, place, config, journal, len(labels), serve, tests, save, first, weights)


def _list(config: TrainingConfig, progress: Progress) -> _Data:
    """List the images and split them, and make sure that there are some of both classes in each part."""
    from cnn_core import dataset

    source = config.source
    table = source.table(progress, lazily=True)
    training, held_out = source.parts(table)
    for rows, what in ((training, "training"), (held_out, "test")):
        if rows["label"].nunique() < 2:
            raise TrainingError(f"The {what} set needs both classes. Use more pictures, or undo corrections.")
    if config.validation:
        training, held_out = dataset.split(training, config.validation, config.seed)
    size = config.network.input_size
    parts = [dataset.images_and_labels(rows, size, source.draw) for rows in (training, held_out)]
    for part, what in zip(parts, ("training", config.held_out), strict=True):
        dataset.check_readable(*part, what, progress)
    return _Data(table, *parts)


def _meet(team: Team, data: _Data, journal: Journal) -> None:
    """Wait for the other workers, and make sure that all have the same images."""
    journal.write(state="starting", message="Waiting for the other workers.")
    team.compare([file for images in data.images for file in images.files])
    team.stop_together(journal)


def _share(team: Team | None) -> tuple[int, int]:
    """Return which part of each batch this process takes, and how many parts there are."""
    return (team.part, team.parts) if team else (0, 1)


def _network_of(model: keras.Model, team: Team | None) -> keras.Model:
    """Return the network that a model trains; a run of an older version is trained by its network itself."""
    network = getattr(model, "network", model)
    if team and team.parts > 1 and network is model:
        raise TrainingError(
            f"An older version began this run. Remove {cluster.VARIABLE} to continue it on one machine."
        )
    return network


def _server(config: TrainingConfig, data: _Data, team: Team | None) -> Callable[[range], tf.data.Dataset]:
    """Return what serves the training batches with some numbers."""
    from cnn_core.engine.batches import training_batches

    part, parts = _share(team)
    return partial(
        training_batches, *data.training, config.batch_size, seed=config.seed, change=augmentation(config), part=part,
        parts=parts,
    )  # fmt: skip


def build(config: TrainingConfig, steps: int, team: Team | None = None) -> keras.Model:
    """Return the training of a network, compiled for this number of steps in an epoch; one that a team shares."""
    import keras

    from cnn_core.engine.fast_blocks import FastTraining
    from cnn_core.engine.fused_adam import fuse
    from cnn_core.engine.image_by_image import ImageByImage, pays
    from cnn_core.engine.learning import learning_rate
    from cnn_core.engine.shared_training import SharedTraining

    network = config.network.build()
    way = ImageByImage if pays(config.network, steps * config.epochs) else FastTraining
    model = SharedTraining(network, team, max(config.batch_size, TEST_BATCH)) if team else way(network)
    # One batch with a gradient far above the usual would move every weight by three learning rates at once; and one
    # with a gradient that is no number would end it all: now and then oneDNN's bfloat16 convolution gives one, and a
    # right one when asked again. The scaling optimizer leaves such a batch out.
    adam = keras.optimizers.Adam(learning_rate(config, steps), global_clipnorm=CLIP_NORM)
    fuse(adam)
    optimizer = keras.optimizers.LossScaleOptimizer(adam, initial_scale=1.0)
    # XLA on a CPU trains this network as a whole seven times as slowly as the plain graph.
    for part in (network, model):  # the network too, so that its file holds the optimizer
        part.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    optimizer.build(network.trainable_variables)
    return model


def augmentation(config: TrainingConfig) -> Callable[..., Any] | None:
    """Return what changes a batch of training images, as `batches.training_batches` calls it; None for none."""
    strength = AUGMENTATIONS[config.augment]
    if strength is None:
        return None
    from cnn_core.engine.augmentation import RandomAffine

    return RandomAffine(**strength, seed=config.seed)


def _sentence(error: Exception, folder: Path) -> str:
    if isinstance(error, CnnLabError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            "The disk is full. Free some disk space (old runs can be deleted on the Train page), then "
            f"{checkpoint.to_go_on(folder)}."
        )
    if type(error).__name__ in cluster.BROKEN_OFF:
        return cluster.LOST
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "There was not enough memory for this network. Use a smaller batch size, input size or network."
    traceback.print_exception(error)
    return f"The training ended with an error ({type(error).__name__}: {error}). The details are in log.txt."


def main() -> None:
    """Carry out the run in the folder named on the command line; a polite kill stops it gracefully."""
    folder = warm.wait_for_folder() if sys.argv[1] == warm.WAIT else Path(sys.argv[1])
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: (folder / "stop").touch())
    try:
        train(folder)
    except (TrainingError, LockError) as error:
        sys.exit(str(error))
    finally:
        gc.freeze()  # Python looks for garbage before it ends: in all of TensorFlow, for 1 s


if __name__ == "__main__":
    main()
