"""The Evaluate page, section by section: the matrix and the pictures behind it, the threshold, what is remembered."""

import json

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnn_core import curves, evaluation, models
from cnn_core.network import NetworkSpec
from cnn_core.source import Source
from pages.widgets import background
from pages.widgets.measure import gallery
from tests.pages.train_page import agreed

CATS, DOGS = (250, 240, 230, 60, 0), (0, 5, 9, 200)
"""Brightness of the pets; two dark cats and a bright dog will be classified as the other."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    background.forget(*background.jobs())
    return tmp_path / "home"


@pytest.fixture
def pets(tmp_path):
    for label, values in (("cat", CATS), ("dog", DOGS)):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for value in values:
            Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(tmp_path / "pets" / label / f"{value}.png")
    return tmp_path / "pets"


@pytest.fixture
def bright_is_cat(home):
    """A model of two weights: a bright first pixel is a cat."""
    model = NetworkSpec(input_size=4, blocks=(), dense_units=0).build()
    weights = np.zeros((48, 2), np.float32)
    weights[0] = 4, -4
    model.set_weights([weights, np.array([-2, 2], np.float32)])
    (home / "models").mkdir(parents=True)
    model.save(home / "models" / "bright.keras")


@pytest.fixture
def open_page(app, pets, bright_is_cat):
    """Return a function that opens the page and waits for its scores."""

    def run(**query):
        test = app(
            "evaluate", model="bright", data="Folder on the server", data_path=str(pets), subset="All pictures", **query
        )
        agreed(test)
        for kept in background.jobs():
            assert kept.ready(60)
        test.run()
        assert not test.exception
        assert not test.error
        return test

    return run


def numbers(test):
    """The metrics of the measurement; a model that was uploaded has no recorded ones."""
    return {item.label: item.value for item in test.metric}


def chart(test, key):
    (found,) = [item.proto for item in test.get("plotly_chart") if item.proto.id.endswith(key)]
    return json.loads(found.spec if hasattr(found, "spec") else found.figure.spec)


def counts(test):
    text = chart(test, "confusion_matrix_chart")["data"][0]["text"]
    return [[int(cell.split("</b>")[0].removeprefix("<b>")) for cell in row] for row in text]


def alts(test):
    """What is told of the pictures behind the chosen number; the worst mistakes follow them."""
    says = [image.alt for block in (*test.get("image"), *test.get("imgs")) for image in block.proto.imgs]
    return [alt for alt in says if alt.startswith(("A cat", "A dog"))]


def subheader(test):
    return next(item.value for item in test.subheader if ":" in item.value)


@pytest.mark.slow
def test_the_numbers_are_those_of_the_library(open_page, pets):
    test = open_page()
    expected = evaluation.evaluate(models.open_model("bright"), Source(str(pets)).subset("all"))
    assert numbers(test) == {
        "Accuracy": "66.7\u00a0%",
        "Loss": f"{expected.log_loss:.3f}",
        "AUC": f"{curves.roc_auc(expected):.3f}",
        "Calibration error": f"{100 * curves.calibration_error(expected):.1f}\u00a0%",
    }
    assert counts(test) == expected.confusion == [[3, 2], [1, 3]]
    for key in ("roc_chart", "calibration_chart", "threshold_chart"):
        assert chart(test, key)["data"]


@pytest.mark.slow
def test_a_cell_that_is_chosen_by_name_shows_its_pictures_surest_first(open_page):
    test = open_page()
    assert subheader(test) == "Cats classified as dogs: 2"
    assert [alt.partition(":")[0] for alt in alts(test)[:2]] == ["A cat, classified as a dog"] * 2
    test.radio(key="cell").set_value("dog as dog").run()
    assert subheader(test) == "Dogs recognized: 3"
    assert [alt.partition(":")[0] for alt in alts(test)[:3]] == ["A dog, recognized"] * 3
    frames = chart(test, "confusion_matrix_chart")["layout"]["shapes"]
    assert [(frame["x0"] > 0, frame["y0"] > 0) for frame in frames] == [(True, True)]


@pytest.mark.slow
def test_the_threshold_moves_the_matrix_and_the_pictures(open_page):
    test = open_page()
    test.slider(key="dog_above").set_value(100).run()
    assert counts(test) == [[5, 0], [4, 0]]
    assert any("There are no such pictures" in item.value for item in test.success)
    test.slider(key="dog_above").set_value(0).run()
    assert counts(test) == [[0, 5], [0, 4]]
    assert subheader(test) == "Cats classified as dogs: 5"
    assert numbers(test)["Accuracy"] == "66.7\u00a0%", "the scores above keep to the likelier class"


@pytest.mark.slow
def test_the_address_holds_cell_and_threshold(open_page):
    test = open_page(cell="Dogs taken for cats", dog_above="20", threshold="150")  # the label of an old link
    assert test.slider(key="dog_above").value == 20
    assert subheader(test).startswith("Dogs classified as cats")


@pytest.mark.slow
def test_many_pictures_are_turned_over_page_by_page(open_page, monkeypatch):
    monkeypatch.setattr(gallery, "PER_PAGE", 2)
    test = open_page(cell="Cats recognized")
    first = alts(test)[:2]
    assert any(item.value == "1 to 2 of 3" for item in test.caption)
    assert test.button(key="cell_from_previous").disabled
    test.button(key="cell_from_next").click().run()
    assert any(item.value == "3 to 3 of 3" for item in test.caption)
    assert test.button(key="cell_from_next").disabled
    assert alts(test)[0] not in first
    test.radio(key="cell").set_value("dog as dog").run()
    assert any(item.value == "1 to 2 of 3" for item in test.caption), "another number begins at its first page"


@pytest.mark.slow
def test_a_restarted_app_remembers_without_asking_the_model(open_page, monkeypatch):
    before = numbers(open_page())
    background.forget(*background.jobs())

    def asked(*_):
        raise AssertionError("the model was asked again")

    monkeypatch.setattr(evaluation, "open_model", asked)
    assert numbers(open_page()) == before


@pytest.mark.slow
def test_measuring_again_sees_pictures_that_have_changed(open_page, pets):
    test = open_page()
    Image.new("RGB", (8, 8), "white").save(pets / "cat" / "0.png")  # in a folder whose own time stays
    (again,) = [item for item in test.button if item.label == "Measure again"]
    again.click().run()
    for kept in background.jobs():
        assert kept.ready(60)
    test.run()
    assert counts(test) == [[4, 1], [1, 3]]


def lonely():
    """A page with only the section, on answers that know one class."""
    import pandas as pd

    from cnn_core.evaluation import Evaluation, decide
    from pages.widgets.measure import errors

    table = pd.DataFrame({"file": ["gone.png"] * 2, "label": ["cat"] * 2, "cat": [0.9, 0.4], "dog": [0.1, 0.6]})
    errors.show(decide(Evaluation(table), 0.5), "some")


def test_one_class_and_missing_files_are_told_not_raised():
    test = AppTest.from_function(lonely).run(timeout=60)
    assert not test.exception
    assert "both cats and dogs" in test.info[0].value
    assert any("gone.png no longer exists" in item.value for item in test.caption)
