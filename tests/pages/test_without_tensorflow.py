"""Where TensorFlow is not installed, what needs it says so in a sentence, and all else goes on working."""

import pytest

from cnn_core import models
from cnn_core.engine.config import TrainingConfig
from cnn_core.runs import list_runs, start
from cnn_core.setup.installed import MISSING, MissingError
from pages.widgets import picture
from tests.made_images import photos
from tests.pages.train_page import agreed, finish


@pytest.fixture(autouse=True)
def small(no_tensorflow, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))


def button(test, label: str):
    return next(one for one in (*test.sidebar.button, *test.main.button) if one.label == label)


def test_train_says_it_before_anybody_chooses_settings_and_begins_no_run(app):
    test = app("train")
    assert test.main.info[0].value == MISSING
    assert "Start training" not in [one.label for one in test.sidebar.button]
    button(test, "Start this training").click().run()
    assert not test.exception
    assert test.main.error[0].value == MISSING
    assert list_runs() == []


@pytest.mark.parametrize(("tab", "more"), [("Layer by layer", {}), ("What if?", {"what_if": "Edit a kernel"})])
def test_a_tab_that_needs_it_says_so_below_the_verdict(app, tab, more):
    test = app(why=tab, **more)
    assert not test.exception
    assert [error.value for error in test.main.error] == [MISSING]
    said = [text.value for text in test.main.markdown if text.value.startswith("## ")]
    assert said[0] == "## " + models.open_model().classify(picture.sample("chelsea")[0]).sentence


def test_a_bundled_model_is_measured_all_the_same(app, tmp_path):
    pets = photos(tmp_path / "pets")  # to draw pictures would take 5 s
    test = finish(agreed(app("evaluate", data="Folder on the server", data_path=str(pets), subset="All pictures")))
    assert not test.exception
    assert not test.main.error
    assert "Accuracy" in [item.label for item in test.metric]


def test_the_library_raises_the_same_sentence(tmp_path):
    with pytest.raises(MissingError, match="The person who runs this app can install it"):
        start(TrainingConfig(), tmp_path / "run")
    with pytest.raises(MissingError):
        models.open_model((models.WEIGHTS / "article.keras").read_bytes())
