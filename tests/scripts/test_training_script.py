"""The script that the Train page shows runs as it is, and repeats the run: its images, its network, its history."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core import dataset, runs
from cnn_core.engine.config import TrainingConfig
from cnn_core.network import ConvBlock, NetworkSpec
from cnn_core.scripts import training_script
from tests.tiny_runs import folder_with

TINY = NetworkSpec(input_size=16, blocks=(ConvBlock(4), ConvBlock(4, padding="same", pool_size=0)), dense_units=0)


def scripts(data):
    yield TrainingConfig(data=data, network=TINY)
    yield TrainingConfig(data=data, network=TINY, images=8, augment="none", schedule="cosine", patience=2)
    yield TrainingConfig(data="sketches", images=40, epochs=5, schedule="constant")
    yield TrainingConfig(data=data, network=TINY, validation=0.2, augment="strong", class_weights=True)


@pytest.mark.parametrize("data", ["/home/me/pets", 'C:\\pets\\"mine".zip', "~/Dogs vs. Cats/all.ZIP"])
def test_every_script_is_python_with_the_settings_in_it(data):
    for config in scripts(data):
        text = training_script.training(config)
        compile(text, "script.py", "exec")
        assert f"EPOCHS, BATCH, SEED = {config.epochs}, {config.batch_size}, {config.seed}" in text
        assert ("augment(" in text) == (config.augment != "none")
        assert ("EarlyStopping" in text) == config.keeps_best
        assert ("validation_set" in text) == (config.validation > 0)
        assert ("weights[labels]" in text) == config.class_weights
        assert ("unpack_archive" in text) == config.data.lower().endswith(".zip")
        assert ("enable_op_determinism" in text) == config.deterministic
        assert text.count("layers.Conv2D(") == len(config.network.blocks)
        assert max(map(len, text.splitlines())) <= 120


def test_the_default_script_is_the_articles():
    text = training_script.training(TrainingConfig(data="train"))
    assert text.count('layers.Conv2D(64, 3, activation="relu")') == 2
    assert "SEED = 3, 15, 42" in text
    assert "test_size=0.25, random_state=SEED" in text


COMMON = {"network": TINY, "deterministic": True, "precision": "float32", "learning_rate": 0.01}
SETTINGS = {
    "drawn": {"images": 24, "batch_size": 5, "epochs": 2, **COMMON},
    "zipped": {
        "images": 17, "batch_size": 4, "epochs": 3, "seed": 7, "validation": 0.3, "class_weights": True,
        "augment": "strong", "schedule": "cosine", "patience": 1, **COMMON,
    },
}  # fmt: skip


def pets(top: Path) -> Path:
    """Return a zip within a zip, as Kaggle's: cats in color, fewer dogs in gray, broken files, one without a label."""
    random = np.random.default_rng(1)
    folder = top / "train"
    folder.mkdir(parents=True)
    for number in range(14):
        Image.fromarray(random.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(folder / f"cat.{number}.png")
    for number in range(10):
        Image.fromarray(random.integers(0, 256, (24, 20), dtype=np.uint8)).save(folder / f"dog.{number}.jpg")
    whole = (folder / "cat.3.png").read_bytes()
    for name, content in (("cat.2.png", whole[:200]), ("dog.99.png", b"no image"), ("category.1.png", whole)):
        (folder / name).write_bytes(content)
    shutil.make_archive(str(top / "outer" / "train"), "zip", folder)
    return Path(shutil.make_archive(str(top / "all"), "zip", top / "outer"))


@pytest.fixture(scope="module")
def repeated(tmp_path_factory):
    """The folders of runs, each of them repeated by its script, by name."""
    top = tmp_path_factory.mktemp("repeated")
    data = {"drawn": "sketches", "zipped": str(pets(top / "pets"))}
    folders = {
        name: folder_with(top / name, TrainingConfig(data=data[name], **more)) for name, more in SETTINGS.items()
    }
    environment = os.environ | {"CNN_LAB_HOME": str(top / "home"), "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("repeated_runs.py"))]
    command += map(str, folders.values())
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_LAB_HOME", str(top / "home"))
        yield folders


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_the_script_splits_the_images_as_the_run_did(repeated, name):
    config = TrainingConfig.from_dict(json.loads((repeated[name] / "config.json").read_text()))
    training, test = config.source.split()
    if config.validation:
        training, _ = dataset.split(training, config.validation, config.seed)
    with np.load(repeated[name] / "script.npz") as script:
        for rows, part in ((training, "training_set"), (test, "test_set")):
            images, _ = dataset.images_and_labels(rows, 16)
            np.testing.assert_array_equal(script[part], images.read(range(len(images)))[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_the_script_has_the_runs_history_and_network(repeated, name):
    """Measured on an AMD EPYC: the weights differ by 7e-6 at most, the history by less than it is rounded."""
    history = runs.Run(repeated[name]).history()
    with np.load(repeated[name] / "script.npz") as script:
        for column in ("accuracy", "loss", "val_accuracy", "val_loss"):
            np.testing.assert_allclose(script[column], history[column], atol=2e-5)
        ours, theirs = ([script[name] for name in script.files if name.startswith(of)] for of in ("run_", "script_"))
    assert len(ours) == 6  # two convolutions and the softmax, each with its biases
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-4)
    assert (repeated[name] / "cats-and-dogs.keras").exists()
