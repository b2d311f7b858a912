"""Images per second of a training run, against the article's `ImageDataGenerator` script.

    python benchmarks/training.py [--data PATH] [--images 2250] [--epochs 2] [--rounds 2]

Both train the article's network on the same pictures in batches of 15, each in a process of its own, taking turns. Both
are timed in the same way: from the end of the first step, which mostly compiles, to the end of the epoch's last step,
without the test at the epoch's end. The article's script decodes each picture in each epoch, CNN Lab in the first one.
The ratio of the medians should be at least 2.5. A training of fewer steps than `image_by_image.WORTHWHILE` is slower.
`training_operations.py` shows what each part of a step takes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cnn_core import dataset, runs  # noqa: E402
from cnn_core.engine.config import TrainingConfig  # noqa: E402

BATCH, SIZE = 15, 128


def ours(config: TrainingConfig, folder: Path) -> tuple[float, float]:
    """Return images per second, decoding included, and the whole process's seconds."""
    os.environ["CNN_LAB_HOME"] = str(folder / "home")  # where nothing has been decoded yet
    began = time.perf_counter()
    run = runs.start(config, folder / "run")
    status = run.wait()
    if status.state != "finished":
        raise SystemExit(f"{status.message}\n{run.log()}")
    return status.images_per_second, time.perf_counter() - began


def theirs(config: TrainingConfig, folder: Path) -> tuple[float, float]:
    """Return the same two numbers of the article's script."""
    began = time.perf_counter()
    command = [sys.executable, __file__, "--article", str(folder), "--epochs", str(config.epochs)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(command, capture_output=True, env=environment, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])["images_per_second"], time.perf_counter() - began


def article(folder: Path, epochs: int) -> float:
    """Train as the article's script does, and return its images per second."""
    import keras
    import pandas as pd
    from keras import layers
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    training, test = pd.read_csv(folder / "training.csv"), pd.read_csv(folder / "test.csv")
    model = keras.Sequential(
        [
            layers.Input((SIZE, SIZE, 3)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D(2, 2),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D(2, 2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    augmenting = ImageDataGenerator(
        rotation_range=15,
        rescale=1 / 255,
        shear_range=0.1,
        zoom_range=0.2,
        horizontal_flip=True,
        width_shift_range=0.1,
        height_shift_range=0.1,
    )
    flow = {"x_col": "file", "y_col": "label", "target_size": (SIZE, SIZE), "class_mode": "categorical"}
    batches = augmenting.flow_from_dataframe(training, **flow, batch_size=BATCH)
    unseen = ImageDataGenerator(rescale=1 / 255).flow_from_dataframe(test, **flow, batch_size=BATCH)
    clock = _clock(keras, len(training))
    model.fit(batches, epochs=epochs, validation_data=unseen, callbacks=[clock], verbose=0)
    return clock.images / clock.seconds


def _clock(keras, images: int):
    class Clock(keras.callbacks.Callback):
        images, seconds, started = 0, 0.0, False

        def on_epoch_begin(self, epoch, logs=None):
            self.last = time.monotonic()

        def on_train_batch_end(self, batch, logs=None):
            now = time.monotonic()
            if self.started:
                self.seconds += now - self.last
                self.images += min(BATCH, images - batch * BATCH)
            self.last, self.started = now, True

    return Clock()


def main() -> None:
    """Measure, and print both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="sketches", help="zip or folder (default: drawn pets)")
    parser.add_argument("--images", type=int, default=2250, help="training and test pictures together")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--article", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.article:
        print(json.dumps({"images_per_second": article(options.article, options.epochs)}))
        return
    config = TrainingConfig(
        data=options.data,
        images=options.images,
        epochs=options.epochs,
        batch_size=BATCH,
    )
    table = config.source.table()
    parts = dict(zip(("training", "test"), dataset.split(table, config.test_size, config.seed), strict=True))
    measured: dict[str, list[tuple[float, float]]] = {"CNN Lab": [], "article": []}
    for turn in range(options.rounds):
        for name, measure in (("CNN Lab", ours), ("article", theirs)):
            with tempfile.TemporaryDirectory() as scratch:
                for part, rows in parts.items():
                    rows.to_csv(Path(scratch, f"{part}.csv"), index=False)
                measured[name].append(measure(config, Path(scratch)))
            speed, seconds = measured[name][-1]
            print(f"round {turn + 1}  {name:8}{speed:8.1f} images/s in training   {seconds:6.1f} s the whole process")
    speeds = {name: statistics.median(speed for speed, _ in values) for name, values in measured.items()}
    wholes = {name: statistics.median(whole for _, whole in values) for name, values in measured.items()}
    print(
        f"\ntraining, {len(parts['training'])} pictures x {config.epochs} epochs, batch {BATCH}: "
        f"CNN Lab {speeds['CNN Lab']:.1f}, article {speeds['article']:.1f} images/s, "
        f"ratio {speeds['CNN Lab'] / speeds['article']:.2f} (bar 2.5); "
        f"whole process {wholes['article'] / wholes['CNN Lab']:.2f} times as fast"
    )


if __name__ == "__main__":
    main()
