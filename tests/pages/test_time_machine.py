"""The time machine on Train: a slider over the moments of a training, on the picture of all pages."""

import numpy as np
import pytest

from cnn_core.dataset import LABELS
from cnn_core.engine import snapshots
from cnn_core.models import Prediction
from cnn_core.replay import Frame, ReplayError
from pages.widgets import background
from pages.widgets.train import time_machine
from tests.pages.fake_runs import STEPS, fake_run, rewrite_status
from tests.pages.train_page import looked, text
from tests.tiny_runs import until

MOMENTS = {0: 0.5, 4: 0.625, STEPS: 0.25, 3 * STEPS: 0.875}
"""After how many batches → the probability of a cat."""


@pytest.fixture(autouse=True)
def asked(tmp_path, monkeypatch):
    """The pictures that the networks were asked about; the networks themselves are pretended."""
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    pictures = []

    def replay(run, image, progress):
        pictures.append(image)
        return [frame(batches) for batches in run.snapshots()]

    monkeypatch.setattr(time_machine, "replay", replay)
    return pictures


def frame(batches: int) -> Frame:
    cat = MOMENTS[batches]
    shares = {"cat": cat, "dog": 1 - cat}
    answer = Prediction("cat" if cat >= 0.5 else "dog", max(shares.values()), shares, "run")
    kernels = np.full((3, 3, 3, 4), cat, np.float32)
    heat = {label: np.full((128, 128), cat, np.float32) for label in LABELS}
    return Frame(batches, answer, kernels, np.full((63, 63, 4), cat, np.float32), heat)


def keep(folder, *moments):
    (folder / snapshots.FOLDER).mkdir(exist_ok=True)
    for batches in moments:
        (folder / snapshots.FOLDER / f"{batches:09d}.npz").touch()


def replayed(test):
    """Run the page again when the networks have been asked."""
    until(lambda: all(job.ready() for job in background.jobs(time_machine.Replay)))
    return test.run()


def test_the_slider_goes_through_the_moments_of_the_training(app, asked):
    keep(fake_run(), *MOMENTS)
    test = looked(app("train", replay="true", picture="coffee"))
    assert not test.exception
    slider = test.select_slider(key="replay_at")
    assert list(slider.options) == ["untrained", "step 4", "epoch 1", "epoch 3"]
    assert "**Epoch 3: cat**, 87.5\u00a0%" in text(test)
    slider.set_value(STEPS).run()
    assert "**Epoch 1: dog**, 75.0\u00a0%" in text(test)
    assert "raise the score for cat" in text(test)
    test.segmented_control(key="replay_label").set_value("dog").run()
    assert "**Epoch 1: dog**" in text(test)
    assert "raise the score for dog" in text(test)
    assert [picture.shape for picture in asked] == [(128, 128, 3)]  # the size of the network's input, and only once


def test_another_picture_is_another_replay(app, asked):
    keep(fake_run(), *MOMENTS)
    looked(app("train", replay="true", picture="coffee"))
    looked(app("train", replay="true", picture="cat"))
    assert len(asked) == 2
    assert (asked[0] != asked[1]).any()


def test_a_training_is_followed_until_somebody_goes_back(app):
    folder = fake_run(state="running", done=1, step=5)
    test = app("train", replay="true")
    assert "The first one comes before the first step" in text(test)
    keep(folder, 0, 4)
    test = replayed(test.run())
    assert test.select_slider(key="replay_at").value == 4
    keep(folder, STEPS)
    test = replayed(test.run())
    assert test.select_slider(key="replay_at").value == STEPS
    assert "replay_play" not in [button.key for button in test.main.button]
    test.select_slider(key="replay_at").set_value(0).run()
    keep(folder, 3 * STEPS)
    rewrite_status(folder, state="finished")
    test = replayed(test.run())
    assert not test.exception
    assert test.select_slider(key="replay_at").value == 0
    assert "epoch 3" in test.select_slider(key="replay_at").options
    assert "**Untrained: cat**, 50.0\u00a0%" in text(test)


def test_the_slider_stays_where_it_is_while_a_resumed_run_waits_in_line(app):
    folder = fake_run(state="stopped", epochs=9)
    keep(folder, *MOMENTS)
    test = looked(app("train", replay="true"))
    test.select_slider(key="replay_at").set_value(STEPS).run()
    rewrite_status(folder, state="waiting", step=0, steps=0, epoch=0, epochs=0, place=1)
    test.run()
    assert not test.exception
    slider = test.select_slider(key="replay_at")
    assert (slider.value, list(slider.options)) == (STEPS, ["untrained", "step 4", "epoch 1", "epoch 3"])


def test_what_goes_wrong_gets_a_sentence_and_another_try(app, monkeypatch, asked):
    keep(fake_run(), *MOMENTS)

    def fail(*_):
        raise ReplayError("This run has kept no snapshot that can be read.")

    monkeypatch.setattr(time_machine, "replay", fail)
    test = looked(app("train", replay="true"))
    assert not test.exception
    assert "no snapshot that can be read" in text(test)
    monkeypatch.setattr(time_machine, "replay", lambda run, *_: [frame(batches) for batches in run.snapshots()])
    next(button for button in test.main.button if button.label == "Try again").click().run()
    assert "**Epoch 3: cat**" in text(looked(test))


def test_a_run_whose_first_layer_does_not_learn_says_why_it_has_no_replay(app):
    fake_run(recipe="accurate")
    test = app("train")
    assert not test.exception
    assert "only later layers learn" in text(test)
    assert "Time machine" not in [header.value for header in test.subheader]


def test_nothing_is_computed_before_it_is_wanted_nor_offered_where_nothing_was_kept(app, asked):
    folder = fake_run()
    assert "Time machine" not in [header.value for header in app("train").subheader]
    keep(folder, *MOMENTS)
    test = app("train")
    assert "Time machine" in [header.value for header in test.subheader]
    assert not asked
