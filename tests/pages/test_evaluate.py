"""The Evaluate page: scores, confusion matrix and mistakes of a model that is known."""

import numpy as np
import pytest
from PIL import Image

from cnn_core.network import NetworkSpec
from pages.widgets import measurement


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    measurement._kept().clear()
    return tmp_path / "home"


@pytest.fixture
def pets(tmp_path):
    """White cats, black dogs, and one black cat."""
    for label, values in (("cat", (250, 240, 0)), ("dog", (0, 5, 9))):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for value in values:
            Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(tmp_path / "pets" / label / f"{value}.png")
    (tmp_path / "pets" / "cat" / "broken.png").write_bytes(b"")
    return tmp_path / "pets"


@pytest.fixture
def bright_is_cat(home):
    """A model of two weights: a bright first pixel is a cat."""
    model = NetworkSpec(input_size=4, blocks=(), dense_units=0).build()
    weights = np.zeros((48, 2), np.float32)
    weights[0] = 8, -8
    model.set_weights([weights, np.array([-4, 4], np.float32)])
    (home / "models").mkdir(parents=True)
    model.save(home / "models" / "bright.keras")


def finish(test):
    for kept in list(measurement._kept().values()):
        assert kept.ready(60)
    return test.run()


@pytest.mark.slow
def test_scores_matrix_and_mistakes(app, pets, bright_is_cat):
    test = finish(
        app("evaluate", model="bright", data="Folder or zip here", data_path=str(pets), subset="All pictures")
    )
    assert not test.exception
    assert not test.error
    assert {item.label: item.value for item in test.metric}["Accuracy"] == "83.3%"
    says = " ".join(item.value for item in test.caption)
    assert "On 6 pictures; 1 broken ones were left out." in says
    images = [image for block in (*test.get("image"), *test.get("imgs")) for image in block.proto.imgs]
    assert any("A cat, taken for a dog" in image.alt for image in images)


@pytest.mark.slow
def test_bad_data_is_a_sentence_and_the_page_lives_on(app, tmp_path, bright_is_cat):
    test = finish(app("evaluate", model="bright", data="Folder or zip here", data_path=str(tmp_path / "nothing")))
    assert not test.exception
    assert "There is no folder or zip" in test.error[0].value
    test.radio[0].set_value("sketches").run()
    assert not finish(test).error


def test_without_a_model_it_says_what_to_do(app, home, monkeypatch, tmp_path):
    monkeypatch.setattr("cnn_core.models.WEIGHTS", tmp_path)
    test = app("evaluate")
    assert not test.exception
    assert "Train one" in test.info[0].value


def test_stopping_ends_a_measurement(monkeypatch, tmp_path, home):
    from cnn_core import sketches

    def endless(source, images, progress):
        while True:
            progress(0, 1, "Reading")

    monkeypatch.setattr(sketches, "open_source", endless)
    running = measurement.measure("article", "sketches", 4, "all", ())
    assert not running.ready(0.05)
    running.stop()
    assert running.ready(5)
    assert "Stopped" in running.error
