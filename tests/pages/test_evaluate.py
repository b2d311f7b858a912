"""The Evaluate page: scores, confusion matrix and mistakes of a model that is known."""

import hashlib
import json
import re
import time

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from cnn_core import evaluation, models
from cnn_core.network import NetworkSpec
from cnn_core.scripts import lessons
from cnn_core.source import Source
from pages.widgets import background
from pages.widgets.measure import measurement
from tests.pages.train_page import agreed, finish


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    background.forget(*background.jobs())
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


@pytest.mark.slow
def test_scores_matrix_and_mistakes(app, pets, bright_is_cat):
    test = app("evaluate", model="bright", data="Folder on the server", data_path=str(pets), subset="All pictures")
    test = finish(agreed(test))
    assert not test.exception
    assert not test.error
    assert {item.label: item.value for item in test.metric}["Accuracy"] == "83.3\u00a0%"
    says = " ".join(item.value for item in test.caption)
    assert "On 6 pictures. Broken and left out: 1." in says
    images = [image for block in (*test.get("image"), *test.get("imgs")) for image in block.proto.imgs]
    assert any("A cat, classified as a dog" in image.alt for image in images)


@pytest.mark.slow
def test_bad_data_is_a_sentence_and_the_page_lives_on(app, tmp_path, bright_is_cat):
    test = app("evaluate", model="bright", data="Folder on the server", data_path=str(tmp_path / "nothing"))
    test = finish(agreed(test))
    assert not test.exception
    assert "There is no folder or zip" in test.error[0].value
    test.radio[0].set_value("sketches").run()
    assert not finish(test).error


def test_of_the_drawn_pets_nothing_is_said_that_only_holds_for_a_training(app):
    captions = [item.value for item in app("evaluate").caption]
    assert "Cats and dogs drawn by the computer: nothing to download." in captions


def test_what_a_link_asks_for_in_vain_is_said_until_something_else_is_chosen(app):
    test = app("evaluate", pictures="55", subset="All pictures")
    (warning,) = test.main.warning
    assert "“pictures=55”, which is not one of the choices below" in warning.value
    test.run()  # as when the measurement is ready; the browser has taken it out of the address by then
    assert test.main.warning
    test.selectbox(key="subset").set_value("test").run()
    assert not test.main.warning
    assert not app("evaluate", pictures="2,000", subset="All pictures").main.warning


def test_without_a_model_it_says_what_to_do(app, home, monkeypatch, tmp_path):
    monkeypatch.setattr("cnn_core.models.WEIGHTS", tmp_path)
    test = app("evaluate")
    assert not test.exception
    assert "Train one" in test.info[0].value


def test_the_scores_of_the_bundled_model_are_there_before_anything_is_measured(app, home):
    test = app("evaluate", data="Folder on the server")
    assert not test.exception
    (accuracy, loss) = test.metric
    (cats, dogs) = json.loads((models.WEIGHTS / f"{models.DEFAULT}.card.json").read_text("utf-8"))["confusion"]
    assert accuracy.value == f"{100 * (cats[0] + dogs[1]) / sum(cats + dogs):.1f}\u00a0%"
    assert 0 < float(loss.value) < 0.693
    assert "Choose pictures above" in test.info[0].value
    assert not background.jobs()


@pytest.mark.slow
@pytest.mark.parametrize(("subset", "images"), [("all", None), ("all", 2), ("test", None)])
def test_the_code_prints_what_the_page_shows(pets, bright_is_cat, capsys, subset, images):
    expected = evaluation.evaluate(models.open_model("bright"), Source(str(pets)).subset(subset, images))
    exec(lessons.evaluation("bright", str(pets), subset, images), {})
    printed = capsys.readouterr().out
    assert f"accuracy {expected.accuracy}" in printed
    assert float(re.search(r"loss (\S+)", printed)[1]) == pytest.approx(expected.log_loss, rel=1e-4, abs=1e-6)


@pytest.fixture
def endless(monkeypatch, home):
    """Pictures that never come to an end; a model that never comes to answer."""

    def read(source, progress):
        done = 0
        while True:
            done += 1
            progress(done % 100, 100, f"Reading {source.data}")
            time.sleep(0.01)

    monkeypatch.setattr(Source, "table", read)
    yield
    for running in background.jobs():
        running.stop()
        running.ready(5)


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_one_measurement_at_a_time_and_the_other_visitors_wait(endless):
    first = measurement.Measurement("article", "first", 4, "all")
    wait_for(lambda: first.what == "Reading first")
    second = measurement.Measurement("article", "second", 4, "all")
    wait_for(lambda: second.what == "Waiting for another measurement")
    first.stop()
    wait_for(lambda: second.what == "Reading second")
    third = measurement.Measurement("article", "third", 4, "all")
    wait_for(lambda: third.what == "Waiting for another measurement")
    third.stop()
    assert third.ready(5)
    assert "Stopped" in third.error
    assert not second.ready()
    second.stop()
    assert second.ready(5)


def test_a_visitor_who_chooses_again_no_longer_waits_for_the_first_choice(endless, monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    first = measurement.measure("article", "first", 4, "all", ())
    assert measurement.measure("article", "first", 4, "all", ()) is first
    second = measurement.measure("article", "second", 4, "all", ())
    assert first.ready(5)
    assert not second.ready()
    again = measurement.measure("article", "first", 4, "all", ())
    assert again is not first, "what was broken off begins anew"


def test_another_visitor_ends_nothing(endless, monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    first = measurement.measure("article", "first", 4, "all", ())
    monkeypatch.setattr(st, "session_state", {})
    measurement.measure("article", "second", 4, "all", ())
    assert not first.ready(0.1)


def test_stopping_ends_a_measurement(endless):
    running = measurement.measure("article", "sketches", 4, "all", ())
    assert not running.ready(0.05)
    running.stop()
    assert running.ready(5)
    assert "Stopped" in running.error


def test_an_upload_is_read_once_and_kept_under_its_content(app, home, monkeypatch):
    hashed, sha256 = [], hashlib.sha256
    monkeypatch.setattr(hashlib, "sha256", lambda *data, **options: hashed.extend(data) or sha256(*data, **options))
    contents = [b"no zip", b"nozip!"]  # of the same name and length
    test = app("evaluate", data="Upload a zip")
    for content in contents:
        test.file_uploader(key="data_upload").set_value(("pets.zip", content, "application/zip")).run()
        test.run()
        test.run()
    assert not test.exception
    assert [data for data in hashed if data in contents] == contents
    assert sorted(path.read_bytes() for path in (home / "datasets").iterdir()) == contents
