"""A run becomes a bundled model: half the bytes, the same answers, a card with what was measured."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from cnn_core import models
from cnn_core.engine.config import TrainingConfig
from cnn_core.model_io import bundle
from cnn_core.network import ConvBlock, NetworkSpec
from cnn_core.runs import Run


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run that looks finished: an untrained model, two epochs of history, drawn pictures."""
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    folder = tmp_path / "run"
    folder.mkdir()
    config = TrainingConfig(images=24, network=NetworkSpec(16, (ConvBlock(8),), 256), patience=1)
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    rows = [(1, 0.5, 0.7, 0.5, 0.6, 1.0), (2, 0.5, 0.7, 0.5, 0.65, 1.0)]
    columns = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "seconds"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "history.csv", index=False)
    model = config.network.build()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    model.save(folder / "model.keras")
    return Run(folder)


@pytest.mark.slow
def test_bundled_model_answers_as_the_run_does_in_half_the_bytes(run, tmp_path, monkeypatch):
    target = tmp_path / "weights"
    target.mkdir()
    path = bundle.bundle(run, "small", "A small model", "Drawn pets", target)
    endings = ("card.json", "history.csv", "keras", "tflite.zip")
    assert sorted(file.name for file in target.iterdir()) == [f"small.{ending}" for ending in endings]
    monkeypatch.setattr(models, "WEIGHTS", target)
    assert models.answers_at_once(path)  # so what is compared here is LiteRT in 16 bits with Keras in 32
    with zipfile.ZipFile(path) as archive:
        weights = archive.getinfo("model.weights.h5")
    assert weights.compress_size < 0.65 * weights.file_size
    pictures = list(np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8))
    small, whole = (models.open_model(file).predict(pictures) for file in (path, run.model_path))
    np.testing.assert_allclose(small, whole, atol=2e-3)
    card = json.loads((target / "small.card.json").read_text())
    assert card["images"] == sum(sum(row) for row in card["confusion"]) == 6
    assert card["test_accuracy"] == pytest.approx((card["confusion"][0][0] + card["confusion"][1][1]) / 6, abs=1e-4)
    assert card["epochs"] == 1  # the epoch of the lowest test loss


def test_article_is_bundled_with_its_real_history_and_card():
    card = models.find("article")
    assert card.path.stat().st_size < 16 * 2**20
    history = card.history()
    assert history is not None
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    facts = card.facts
    assert facts["images"] == 6250
    assert facts["training_images"] == 16875  # a tenth of the 18,750 is the validation set
    assert sum(sum(row) for row in facts["confusion"]) == 6250
    right = facts["confusion"][0][0] + facts["confusion"][1][1]
    assert facts["test_accuracy"] == pytest.approx(right / 6250, abs=1e-4)
    assert facts["test_accuracy"] > 0.7505  # the article's
    assert facts["test_accuracy"] >= 0.86
    assert card.held_out == "validation"
    assert facts["epochs"] == history.loc[history["val_loss"].idxmin(), "epoch"]  # chosen there, not on the test set
