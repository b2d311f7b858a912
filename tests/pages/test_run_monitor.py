"""The sidebar's short run: started from any page, seen on every page, stopped and resumed there."""

import os

import pandas as pd
import pytest

from cnn_core import runs
from cnn_core.engine.journal import Status
from cnn_core.storage.files import home
from pages.widgets import run_monitor
from tests.pages.fake_runs import fake_run, rewrite_status


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))


def sentences(app) -> str:
    """All that the sidebar says."""
    bar = app.sidebar
    return " ".join(str(e.value) for kind in (bar.caption, bar.success, bar.info, bar.warning, bar.error) for e in kind)


def labels(app) -> list[str]:
    return [button.label for button in app.sidebar.button]


@pytest.mark.parametrize("page", ["classify", "pixels", "train"])
def test_one_click_starts_a_short_run_on_drawn_pets_from_any_page(app, spawned, page):
    test = app(page)
    test.sidebar.button(key="short_start").click().run()
    assert not test.exception
    (folder,) = spawned
    assert folder.parent == home() / "runs"
    config = runs.Run(folder).config
    assert (config.data, config.images, config.epochs, config.batch_size) == ("sketches", 800, 3, 15)
    assert "Stop" in labels(test)
    assert "Start training" not in labels(test)


def test_the_settings_reach_the_run(app, spawned, tmp_path):
    test = app("convolution")
    test.sidebar.number_input(key="short_pictures").set_value(2000).run()
    test.sidebar.number_input(key="short_epochs").set_value(1).run()
    test.sidebar.number_input(key="short_batch").set_value(32).run()
    assert "2,000 drawn pets, 1 epoch, batches of 32" in sentences(test)
    test.sidebar.radio(key="short_source").set_value(run_monitor.OWN).run()
    (tmp_path / "pets").mkdir()
    test.sidebar.text_input(key="short_path").set_value(f" {tmp_path / 'pets'} ").run()
    test.sidebar.button(key="short_start").click().run()
    config = runs.Run(spawned[0]).config
    assert (config.data, config.images, config.epochs, config.batch_size) == (str(tmp_path / "pets"), 2000, 1, 32)


def test_the_settings_are_still_there_when_the_run_is_over(app, spawned):
    test = app("convolution")
    test.sidebar.number_input(key="short_epochs").set_value(7).run()
    test.sidebar.button(key="short_start").click().run()
    test.switch_page("pages/pooling.py").run()
    assert not test.sidebar.number_input
    rewrite_status(spawned[0], state="finished")
    test.run()
    assert test.sidebar.number_input(key="short_epochs").value == 7
    assert "800 drawn pets, 7 epochs" in sentences(test)


WRONG_PATHS = [("", "Choose the pictures first"), ("/no/such/pets.zip", "no folder or zip at")]


@pytest.mark.parametrize(("path", "sentence"), WRONG_PATHS)
def test_a_wrong_path_gets_a_sentence_and_no_run(app, spawned, path, sentence):
    test = app("convolution")
    test.sidebar.radio(key="short_source").set_value(run_monitor.OWN).run()
    test.sidebar.text_input(key="short_path").set_value(path).run()
    test.sidebar.button(key="short_start").click().run()
    assert sentence in sentences(test)
    assert not test.exception
    assert not spawned
    assert "Start training" in labels(test)


def test_a_full_disk_at_the_start_gets_a_sentence(app, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, "replace_file", full)
    test = app("convolution")
    test.sidebar.button(key="short_start").click().run()
    assert "No space left on device" in sentences(test)
    assert not test.exception


def test_a_run_started_elsewhere_is_seen_and_its_end_too(app):
    folder = fake_run(state="running", done=1, step=5)
    test = app("convolution")
    assert "Start training" not in labels(test)
    assert "Training accuracy this epoch: 81.2\u00a0%" in sentences(test)
    rewrite_status(folder, state="finished", seconds=65)
    test.run()
    assert "Finished: 1 epoch in 1 min 05 s. Test accuracy: 65.0\u00a0%." in sentences(test)
    assert "Start training" in labels(test)


def test_stop_asks_the_run_to_stop_and_says_so(app):
    folder = fake_run(state="running", done=1, step=5)
    test = app("convolution")
    test.sidebar.button(key="strip_stop").click().run()
    assert (folder / "stop").exists()
    assert test.sidebar.button(key="strip_stop").disabled


def test_those_that_wait_stand_below_the_running_one_in_the_order_of_their_turn(app):
    names = [f"2026010{day}-000000-aaaa" for day in (1, 2, 3)]
    fake_run(names[1], state="running", done=1, step=5)
    for name, place in ((names[0], 2), (names[2], 1)):  # the older one was resumed, so it stands at the end
        message = f"Waiting: place {place} in the line."
        rewrite_status(fake_run(name, state="waiting", done=0, step=0, message=message), place=place)
    test = app("convolution")
    shown = [element.proto.text for element in test.sidebar.get("progress")]
    assert [text.partition(" · ")[0] for text in shown] == [
        "Epoch 2 of 3", "Waiting: place 1 in the line.", "Waiting: place 2 in the line.",
    ]  # fmt: skip
    assert labels(test) == ["Stop", "Leave the line", "Leave the line"]
    test.sidebar.button(key=f"strip_stop_{names[2]}").click().run()
    assert [(home() / "runs" / name / "stop").exists() for name in names] == [False, False, True]


@pytest.mark.parametrize("state", ["failed", "stopped", "interrupted"])
def test_a_run_that_breaks_off_under_our_eyes_says_why_and_can_be_resumed(app, spawned, state):
    folder = fake_run(state="running", done=1, step=5)
    test = app("convolution")
    if state == "interrupted":  # a killed process writes nothing any more
        rewrite_status(folder, silent=60)
    else:
        rewrite_status(folder, state=state, message="The disk is full.")
    test.run()
    assert ("interrupted" if state == "interrupted" else "The disk is full.") in sentences(test)
    test.sidebar.button(key="strip_resume").click().run()
    assert spawned == [folder]
    assert "Stop" in labels(test)


def test_a_broken_run_folder_does_not_break_the_sidebar(app):
    folder = fake_run()
    (folder / "status.json").write_text("{half")
    (folder / "config.json").write_text("[]")
    (folder / "history.csv").write_bytes(b"\xff\x00")
    os.utime(folder, (1, 1))
    test = app("convolution")
    assert not test.exception
    assert "Start training" in labels(test)


@pytest.mark.parametrize(
    ("epoch", "step", "expected"), [(0, 0, 0.0), (1, 1, 1 / 60), (2, 10, 0.5), (3, 20, 1.0), (9, 20, 1.0)]
)
def test_the_progress_bar_grows_from_nothing_to_all(epoch, step, expected):
    assert run_monitor.share_done(Status(epoch=epoch, epochs=3, step=step, steps=20)) == pytest.approx(expected)


def test_a_run_without_steps_has_no_progress_yet():
    assert run_monitor.share_done(Status()) == 0.0


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (Status("starting", "Loading TensorFlow."), "Starting. Loading TensorFlow."),
        (Status("reading", "Reading the pictures: 5 of 9."), "Reading the pictures: 5 of 9."),
        (Status("waiting", "Waiting: place 2 in the line.", place=2), "Waiting: place 2 in the line."),
        (
            Status("running", "", 2, 3, 1200, 1250, seconds_left=3725),
            "Epoch 2 of 3 · step 1,200 of 1,250 · 1 h 02 min left",
        ),
        (
            Status("running", "", 1, 3, 0, 30),
            "TensorFlow is preparing the first step, which takes longer than the others.",
        ),
        (Status("running", "", 1, 3, 1, 30), "Epoch 1 of 3 · step 1 of 30"),
    ],
)
def test_a_living_run_says_where_it_stands(status, sentence):
    assert run_monitor.where(status) == sentence


def test_a_run_that_failed_at_once_says_only_why():
    assert run_monitor.ending(Status("failed", "It broke."), pd.DataFrame()) == "It broke."


@pytest.mark.parametrize(
    ("saved", "label"), [(None, "Start again"), ("checkpoint.npz", "Resume"), ("model.keras", "Resume")]
)
def test_only_a_run_that_has_saved_something_is_resumed_and_any_other_starts_again(app, spawned, saved, label):
    folder = fake_run(state="failed", done=0, step=0, message="The disk is full.", model=False)
    if saved:
        (folder / saved).touch()
    test = app("train")
    assert {button.label for button in test.main.button} & {"Resume", "Start again"} == {label}
    test.button(key="train_resume").click().run()
    assert spawned == [folder]
