"""Lesson 5: what the curves of a run mean is said in words: overfitting, or that nothing was learned."""

import pytest

from cnn_core import runs
from tests.pages.fake_runs import fake_run
from tests.pages.train_page import text


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))


def test_overfitting_is_called_by_its_name_at_the_ending_and_at_the_curves(app):
    fake_run(overfitted=True)
    test = app("train")
    assert not test.exception
    (ending,) = (success.value for success in test.main.success)
    assert "It has **overfitted**" in ending
    assert "97.0\u00a0% of the training pictures correctly, but only 70.0\u00a0% of the test pictures." in ending
    (warning,) = (warning.value for warning in test.main.warning)
    assert warning.startswith("**Overfitting**: after epoch 2")
    assert "More photos, augmentation or fewer epochs help." in warning


def test_a_run_that_has_not_overfitted_is_not_accused(app):
    fake_run()
    test = app("train")
    assert "overfitted" not in text(test)
    assert not test.main.warning
    assert "What is overfitting?" in [expander.label for expander in test.main.expander]


def test_a_network_that_guesses_is_no_success(app):
    fake_run(learned=False)
    test = app("train")
    assert not test.exception
    assert not test.main.success
    ending, why = (warning.value for warning in test.main.warning)
    assert ending.endswith("It has **not learned**: it only guesses. Train again with a lower learning rate.")
    assert why.startswith("**Not learned**: after 3 epochs the training loss is 0.693")


def test_a_run_that_overfits_is_one_click_away(app, spawned):
    test = app("train")
    test.button(key="train_overfit").click().run()
    assert not test.exception
    config = runs.Run(spawned[0]).config
    assert (config.augment, config.data, config.images, config.test_size) == ("none", "sketches", 80, 0.9)
    assert "on only 8 drawn pets" in text(test)
