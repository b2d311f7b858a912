"""A process that imports TensorFlow once, without using it, and forks a child for every life of a run.

    python tests/killed_runs.py FOLDER

It trains one run at one go and the same again in many lives, each of which a signal ends at a moment of its own. Then
it prints, as JSON, how each life ended.
"""

# ruff: noqa: E402

import json
import os
import random
import shutil
import signal
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cnn_core.engine import loading

loading.import_tensorflow()  # before all else, as a process that trains does: so it takes two thirds of the time

import sklearn.model_selection  # noqa: F401  # the recipe “accurate” would import it in each life
import tensorflow

from cnn_core import sketches, training
from cnn_core.accurate import backbone, finetuning, sizes
from cnn_core.engine import image_by_image, saving
from cnn_core.engine.config import TrainingConfig
from cnn_core.network import ConvBlock, NetworkSpec
from tests.small_models import random_backbone

CONFIG = TrainingConfig(
    images=24,
    epochs=5,
    batch_size=6,
    learning_rate=0.005,
    deterministic=True,
    precision="float32",
    network=NetworkSpec(input_size=16, blocks=(ConvBlock(2),), dense_units=8),
)
FILES = ("checkpoint.npz", "model.keras", "history.csv")
STEPS = 3  # 18 training images in batches of 6


def moments(count: int, seed: int) -> list[tuple[str, str, float]]:
    """Return where each life ends: before or after a file is renamed, after n steps, or at any time after the first."""
    chance = random.Random(seed)
    found: list[tuple[str, str, float]] = [(when, name, 1) for name in FILES for when in ("before", "after")]
    found += [("after", "a step", chance.randint(1, STEPS)) for _ in range((count - len(found)) // 2)]
    found += [("after", "a time", chance.uniform(0.001, 0.3)) for _ in range(count - len(found))]
    chance.shuffle(found)
    return found[:count]


def kill_at(when: str, what: str, number: float) -> None:
    """Let this process be killed at that moment."""
    seen = 0

    def reached(moment: str, thing: str) -> None:
        nonlocal seen
        seen += (moment, thing) == (when, what)
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    rename, count = Path.replace, saving.KeepPlace.on_train_batch_end

    def replace(self: Path, target: Path) -> Path:
        reached("before", target.name)
        moved = rename(self, target)
        reached("after", target.name)
        return moved

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        count(self, batch, logs)
        if what == "a time" and not signal.getitimer(signal.ITIMER_REAL)[0]:
            signal.setitimer(signal.ITIMER_REAL, number)  # SIGALRM ends a process as suddenly as SIGKILL
        reached("after", "a step")

    Path.replace, saving.KeepPlace.on_train_batch_end = replace, on_train_batch_end


def live(folder: Path, *moment) -> int:
    """Train in a child until it has finished or the moment comes; return the signal that ended it, or 0."""

    def life() -> None:
        if moment:
            kill_at(*moment)
        training.train(folder)

    return in_child(life)


def in_child(do: Callable[[], None]) -> int:
    """Do something in a child, and return the signal that ended it, or 0."""
    child = os.fork()
    if child:
        return os.WTERMSIG(os.waitpid(child, 0)[1])
    try:
        do()
    except BaseException as error:
        print(error, file=sys.stderr, flush=True)
    os._exit(0)


def train_whole_and_killed(top: Path, config: TrainingConfig, kills: list[tuple[str, str, float]]) -> list[dict]:
    """Train one run at one go and another in many lives; return how each life ended."""
    for name in ("whole", "killed"):
        (top / name).mkdir(parents=True)
        (top / name / "config.json").write_text(json.dumps(config.to_dict()))
    live(top / "whole")
    lives = []
    for moment in kills:
        ended = live(top / "killed", *moment)
        steps = top / "killed" / "steps.jsonl"
        files = [top / "killed" / name for name in ("model.keras", "checkpoint.npz")]
        broken = [file.name for file in files if file.exists() and not zipfile.is_zipfile(file)]
        learned = len(steps.read_text().splitlines())
        lives.append({"moment": moment, "signal": ended, "steps": learned, "broken": broken})
    live(top / "killed")
    return lives


def some_broken(top: Path) -> str:
    """Return a folder of pictures, some of which cannot be read."""
    pets = Path(shutil.copytree(sketches.folder(24), top / "pets"))
    for number, name in enumerate(["cat.1.png", "cat.4.png", "dog.0.png", "dog.3.png", "dog.7.png"]):
        (pets / name).write_bytes((pets / name).read_bytes()[: 100 * number])
    return str(pets)


def of_few_blocks(top: Path) -> TrainingConfig:
    """Return a run of the other recipe, with a small backbone that learns from small batches of small pictures."""
    backbone.STAGES = ((3, 2, 1, 8, 1), (3, 2, 6, 8, 1))
    finetuning.FIRST_TRAINABLE = "block_1_widen"
    sizes.IMAGE_SIZE, sizes.BATCH_SIZE, sizes.EPOCHS = 32, 6, 2
    finetuning.WARMUP_STEPS = 2
    in_child(lambda: random_backbone(top / "backbone.npz"))
    return TrainingConfig(
        recipe="accurate", images=32, epochs=sizes.EPOCHS, deterministic=True, backbone=str(top / "backbone.npz")
    )


def main() -> None:
    """Train as TensorFlow is used in earnest, and many more lives without its graphs, which take 2 s to build."""
    top = Path(sys.argv[1])
    saving.CHECKPOINT_SECONDS = saving.TEST_CHECKPOINT_SECONDS = 0.0  # a checkpoint after every step
    best = TrainingConfig(**{**CONFIG.__dict__, "validation": 0.25, "learning_rate": 0.05, "data": some_broken(top)})
    kills = [*moments(2, seed=2), ("before", "last.keras", 1.0)]
    lives = {"graph": train_whole_and_killed(top / "graph", best, kills)}
    image_by_image.WORTHWHILE = 1  # as if each training were a long one
    blocks = NetworkSpec(input_size=16, blocks=(ConvBlock(2), ConvBlock(8)), dense_units=8)
    compiled = TrainingConfig(**{**CONFIG.__dict__, "network": blocks, "epochs": 2})
    lives["compiled"] = train_whole_and_killed(top / "compiled", compiled, [("after", "a step", 4.0)])
    tensorflow.config.run_functions_eagerly(True)
    long = TrainingConfig(**{**CONFIG.__dict__, "augment": "none", "epochs": 12, "precision": "mixed_bfloat16"})
    lives["eager"] = train_whole_and_killed(top / "eager", long, moments(20, seed=20))
    kills = [("after", "a step", 3.0), ("before", "model.keras", 1.0)]
    lives["accurate"] = train_whole_and_killed(top / "accurate", of_few_blocks(top), kills)
    print(json.dumps(lives))


if __name__ == "__main__":
    main()
