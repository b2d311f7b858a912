"""The script that the Train page shows runs as it is and trains on the same pictures."""

import runpy
import shutil

import numpy as np
import pytest
from PIL import Image

from cnn_core.engine.config import TrainingConfig
from cnn_core.network import ConvBlock, NetworkSpec
from cnn_core.scripts import training_script

TINY = NetworkSpec(input_size=16, blocks=(ConvBlock(4), ConvBlock(4, padding="same", pool_size=0)), dense_units=0)


@pytest.fixture
def pets(tmp_path):
    """Twelve cats, twelve dogs, and one file that is not an image."""
    random = np.random.default_rng(1)
    folder = tmp_path / "pets" / "train"
    folder.mkdir(parents=True)
    for number in range(24):
        image = random.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(image).save(folder / f"{('cat', 'dog')[number % 2]}.{number // 2}.png")
    (folder / "dog.99.png").write_bytes(b"not an image")
    return folder.parent


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
        assert f"epochs={config.epochs}" in text
        assert f".batch({config.batch_size})" in text
        assert ("RandomFlip" in text) == (config.augment != "none")
        assert ("EarlyStopping" in text) == config.keeps_best
        assert ("validation_set" in text) == (config.validation > 0)
        assert ("class_weight=weights" in text) == config.class_weights
        assert ("unpack_archive" in text) == config.data.lower().endswith(".zip")
        assert text.count("layers.Conv2D(") == len(config.network.blocks)


def test_the_default_script_is_the_articles():
    text = training_script.training(TrainingConfig(data="train"))
    assert text.count('layers.Conv2D(64, 3, activation="relu")') == 2
    assert "test_size=0.25, random_state=42" in text


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [False, True])
def test_the_script_runs_and_saves_a_model(pets, tmp_path, monkeypatch, capsys, zipped):
    data, work = pets, tmp_path / "work"
    work.mkdir()
    if zipped:  # as Kaggle does: a zip within a zip
        shutil.make_archive(str(tmp_path / "outer" / "train"), "zip", pets)
        data = shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path / "outer")
    settings = {"augment": "none", "schedule": "constant"} if zipped else {"augment": "light", "validation": 0.3}
    config = TrainingConfig(data=str(data), network=TINY, epochs=1, batch_size=4, **settings)
    (work / "script.py").write_text(training_script.training(config), encoding="utf-8")
    monkeypatch.chdir(work)
    runpy.run_path("script.py", run_name="__main__")
    assert "val_accuracy" in capsys.readouterr().out
    assert (work / "cats-and-dogs.keras").stat().st_size > 1000
