"""A source: the same images and the same split for whoever trains on it and whoever measures on it."""

import json

import pytest
from PIL import Image

from cnn_core import cli, dataset, runs
from cnn_core.engine.config import TrainingConfig
from cnn_core.model_io.bundle import write_card
from cnn_core.source import DRAWN, Source
from tests.small_models import network


@pytest.fixture
def pets(tmp_path):
    """Forty images, named so that each is told apart."""
    folder = tmp_path / "pets"
    for number in range(40):
        label = dataset.LABELS[number % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / label / f"{label}.{number}.png")
    return folder


@pytest.fixture
def run(home, pets):
    """A finished run with settings of its own, without the training."""
    folder = home / "runs" / "mine"
    folder.mkdir(parents=True)
    config = TrainingConfig(data=str(pets), images=24, seed=7, test_size=0.5)
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    network().save(folder / "model.keras")
    return runs.Run(folder)


@pytest.mark.slow
def test_the_command_line_measures_a_run_on_its_own_test_set(run, pets, monkeypatch, capsys):
    learned, kept = run.config.source.split()
    asked = []
    monkeypatch.setattr("cnn_core.evaluation.evaluate", lambda model, table, progress: asked.append(table) or stop())

    def stop():
        raise dataset.DatasetError("seen")

    for model in ("mine", str(run.folder), str(run.model_path)):
        assert cli.main(["evaluate", "--data", str(pets), "--model", model]) == 1
    for table in asked:
        assert set(table["file"]) == set(kept["file"])
        assert not set(table["file"]) & set(learned["file"])
    assert len(asked) == 3


@pytest.mark.slow
def test_a_card_remembers_the_split_that_its_model_learned_from(tmp_path, home, pets):
    path = tmp_path / "weights" / "small.keras"
    path.parent.mkdir(exist_ok=True)
    network().save(path)
    source = Source(str(pets), images=24, seed=7, test_size=0.5)
    card = write_card(path, source)
    assert Source.for_model(card, str(pets)) == source
    assert Source.for_model(card, str(tmp_path / "others.zip")) == Source(str(tmp_path / "others.zip"))


def test_the_drawn_source_needs_no_path(home):
    source = Source(DRAWN, images=8)
    assert source.drawn
    assert source.exists
    training, test = source.split()
    assert len(training) + len(test) == 8


def test_a_run_file_from_before_still_gives_its_source():
    config = TrainingConfig.from_dict({"data": "x.zip", "images": 9, "seed": 1, "test_size": 0.2})
    assert config.source == Source("x.zip", 9, 1, 0.2, corrections={})  # there were none: it goes on without
    assert set(config.to_dict()) >= {"data", "images", "seed", "test_size"}
