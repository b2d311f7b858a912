"""A bundled model answers through LiteRT, without TensorFlow, and says what its .keras file says."""

import shutil
import sys

import numpy as np
import pytest

from cnn_core import explain, models, pixels, sketches
from cnn_core.dataset import LABELS
from cnn_core.model_io import keras_file, lite_file
from cnn_core.models import PetModel
from pages.widgets import picture

pytest.importorskip("ai_edge_litert", reason="There are systems that LiteRT has no build for.")

BUNDLED = [card.name for card in models.list_models() if card.kind == "bundled"]


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A cat, a cup, drawn pets, and noise of many sizes."""
    random = np.random.default_rng(0)
    photos = [picture.sample(name)[0] for name in ("chelsea", "coffee")]
    drawn = [sketches.draw(LABELS[number % 2], random) for number in range(6)]
    noise = [random.integers(0, 256, (*random.integers(20, 300, 2), 3), dtype=np.uint8) for _ in range(4)]
    return photos + drawn + noise


# Without TensorFlow


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_model_answers_and_explains_itself_without_tensorflow(name, pictures, no_tensorflow):
    model = models.open_model(name)
    assert models.answers_at_once(models.find(name).path)
    assert model.input_size == models.find(name).input_size
    photo = np.asarray(pixels.resize(pictures[0], 90, 60))
    prediction = model.classify(photo)
    assert (prediction.pet is not None) == keras_file.tells_neither(models.find(name).path)
    assert explain.scores(model, photo).probabilities == pytest.approx(prediction.probabilities, abs=1e-5)
    assert explain.heat_map(model, photo, max(prediction.probabilities)).shape == (90, 60)
    assert model.predict([]).shape == (0, 2)


def test_the_answer_about_a_photo_does_not_depend_on_those_beside_it(pictures):
    model = models.open_model("article")
    together = model.predict(pictures)
    np.testing.assert_array_equal(together[5:6], model.predict(pictures[5:6]))


def test_a_file_of_other_weights_is_left_alone(tmp_path, monkeypatch):
    """As after a model was bundled anew: until the file is made again, Keras answers."""
    source, other = (models.find(name).path for name in ("article", "accurate"))
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    path = tmp_path / "article.keras"
    shutil.copy(lite_file.beside(source), lite_file.beside(path))
    assert not models.answers_at_once(path)  # no model
    shutil.copy(source, path)
    assert models.answers_at_once(path)
    shutil.copy(other, path)
    assert not models.answers_at_once(path)


def test_without_litert_the_model_is_left_to_keras(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    assert not models.answers_at_once(models.find("article").path)


def test_the_file_of_a_stranger_is_never_opened(tmp_path):
    source = models.find("article").path
    for file in (source, lite_file.beside(source)):
        shutil.copy(file, tmp_path / file.name)
    assert lite_file.fits(tmp_path / source.name)
    assert not models.answers_at_once(tmp_path / source.name)


def test_the_repository_stays_small():
    assert sum(lite_file.beside(models.find(name).path).stat().st_size for name in BUNDLED) < 500_000


# As Keras


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_litert_says_what_keras_says(name, pictures):
    """For a few pictures; `test_export` asks both about a hundred, but not for the reasons."""
    lite, keras = models.open_model(name), PetModel(name, *keras_file.load(models.find(name).path))
    few = pictures[:2] + pictures[-2:]
    for answer, right in zip(lite.answers(few), keras.answers(few), strict=True):
        assert np.ptp(right) > 0.2  # they differ, so a file that always says the same would be found out
        np.testing.assert_allclose(answer, right, atol=1e-3)
    for image in few:
        mine, right = explain.scores(lite, image), explain.scores(keras, image)
        assert mine.scores == pytest.approx(right.scores, abs=1e-3)
        assert (mine.calibrated, mine.network_ends_in_softmax) == (right.calibrated, right.network_ends_in_softmax)
        for label in LABELS:
            heat, grad_cam = (explain.heat_map(model, image, label) for model in (lite, keras))
            np.testing.assert_allclose(heat, grad_cam, atol=1e-3)
            assert label != max(mine.scores, key=mine.scores.__getitem__) or heat.max() > 0.5
