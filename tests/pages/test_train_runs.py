"""Lesson 5: runs are watched, followed, resumed, compared and deleted."""

import pytest

from cnn_core import models
from cnn_core.engine import warm
from cnn_core.storage import lock
from pages.widgets import warmup
from tests.pages.fake_runs import fake_run, rewrite_status
from tests.pages.train_page import chart, chart_lines, text


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))


def test_before_any_training_the_bundled_models_real_curves_are_shown(app):
    test = app("train")
    assert not test.exception
    try:
        history = models.find("article").history()
    except models.ModelError:
        assert "Nothing has been trained here yet" in text(test)
        return
    assert history is not None
    assert {"training", "validation"} <= set(chart_lines(test, "curve_accuracy"))


def test_a_running_training_is_shown_with_its_steps_and_curves(app):
    folder = fake_run(state="running", done=1, step=5)
    test = app("train")
    assert test.selectbox(key="run").value == folder.name
    metrics = {metric.label: metric.value for metric in test.metric}
    assert metrics["Training accuracy"] == "81.2\u00a0%"
    assert metrics["Test accuracy"] == "65.0\u00a0%"
    assert chart_lines(test, "curve_loss") == ["training, step by step", "smoothed", "training", "test"]
    test.button(key="train_stop").click().run()
    assert (folder / "stop").exists()
    assert test.button(key="train_stop").disabled


@pytest.mark.parametrize("state", ["running", "finished"])
def test_pictures_found_broken_while_training_are_counted_and_named(app, state):
    folder = fake_run(state=state, done=1, step=5)
    assert not any("broken" in expander.label for expander in app("train").expander)
    rewrite_status(folder, broken=2)
    (folder / "broken.txt").write_text("cat/1.jpg\ndog/7.jpg\n")
    test = app("train")
    assert "2 broken pictures are left out" in [expander.label for expander in test.expander]
    assert any(list(frame.value.get("file", [])) == ["cat/1.jpg", "dog/7.jpg"] for frame in test.dataframe)


def test_the_page_gets_a_process_ready_for_the_next_run_unless_one_trains(app, monkeypatch):
    asked = []
    monkeypatch.setattr(warm, "prepare", lambda: asked.append(True))
    folder = fake_run(state="running", done=1, step=5)
    test = app("train")
    assert not asked
    rewrite_status(folder, state="finished")
    test.run()
    assert asked


def test_a_run_that_ends_is_followed_to_its_end(app):
    folder = fake_run(state="running", done=2, step=5)
    test = app("train")
    rewrite_status(folder, state="finished")
    test.run()
    assert not test.exception
    assert any("Finished: 2 epochs" in success.value for success in test.main.success)


def test_a_run_begun_in_another_tab_is_followed(app):
    fake_run("20260101-000000-aaaa")
    test = app("train")
    assert test.selectbox(key="run").value == "20260101-000000-aaaa"
    fake_run("20260102-000000-bbbb", state="running", done=0, step=3, model=False)
    test.run()
    assert test.selectbox(key="run").value == "20260102-000000-bbbb"
    test.selectbox(key="run").set_value("20260101-000000-aaaa").run()
    test.run()
    assert test.selectbox(key="run").value == "20260101-000000-aaaa"


@pytest.mark.parametrize(
    ("state", "silent", "sentence"),
    [("failed", -3600, "The disk is full."), ("running", 60, "interrupted"), ("stopped", -3600, "on request")],
)
def test_a_broken_off_run_says_why_and_is_resumed(app, spawned, state, silent, sentence):
    message = {"failed": "The disk is full. Make room.", "stopped": "Stopped on request."}.get(state, "")
    folder = fake_run(state=state, done=1, step=5, message=message, silent=silent)
    test = app("train")
    assert sentence in text(test)
    if state != "stopped":
        assert any("the last words" in code.value for code in test.code)
    test.button(key="train_resume").click().run()
    assert spawned == [folder]
    assert test.button(key="train_stop")


def test_a_finished_run_offers_its_model_but_no_resuming(app, monkeypatch):
    monkeypatch.setattr(warmup, "start", lambda: None)  # Classify would open the model with TensorFlow
    folder = fake_run()
    test = app("train", epochs="9", picture="coffee")
    assert not [button for button in test.main.button if button.key == "train_resume"]
    labels = [download.label for download in test.get("download_button")]
    assert labels == ["Model", "History as CSV", "Report as HTML", "Keras script"]
    assert {'"toImage"' in chart.proto.config for chart in test.get("plotly_chart")} == {True}  # saves it as a PNG
    test.button(key="train_classify").click().run()
    assert not test.exception
    assert test.session_state["model"] == folder.name


def test_while_one_trains_the_next_one_is_started_and_waits(app, spawned):
    fake_run("20260101-000000-aaaa", state="running", done=1, step=5)
    test = app("train")
    assert "This one will wait in line" in text(test)
    test.button(key="train_start").click().run()
    assert not test.exception
    assert test.selectbox(key="run").value == spawned[0].name
    message = "Waiting: place 1 in the line."
    rewrite_status(spawned[0], state="waiting", message=message, place=1)
    test.run()
    assert message in [element.proto.text for element in test.main.get("progress")]
    leave = test.button(key="train_stop")
    assert leave.label == "Leave the line"
    leave.click().run()
    assert (spawned[0] / "stop").exists()
    assert "Leaving the line." in [element.proto.text for element in test.main.get("progress")]
    rewrite_status(spawned[0], state="stopped", message="The run has left the line.")
    test.run()
    assert test.selectbox(key="run").value == spawned[0].name
    assert "The run has left the line." in text(test)
    assert test.button(key="train_resume")


def test_where_two_may_train_the_second_does_not_wait(app, spawned, monkeypatch):
    monkeypatch.setenv("CNN_LAB_MAX_RUNS", "2")
    fake_run("20260101-000000-aaaa", state="running", done=1, step=5)
    test = app("train")
    assert "wait in line" not in text(test)
    monkeypatch.setenv("CNN_LAB_MAX_RUNS", "none")
    test.run().button(key="train_start").click().run()
    assert not test.exception
    assert any("CNN_LAB_MAX_RUNS must be a whole number" in error.value for error in test.main.error)
    assert not spawned


def test_the_address_names_the_run(app):
    for name in ("20260101-000000-aaaa", "20260102-000000-bbbb"):
        fake_run(name)
    test = app("train", run="20260101-000000-aaaa")
    assert test.selectbox(key="run").value == "20260101-000000-aaaa"
    assert test.query_params["run"] == "20260101-000000-aaaa"
    test.selectbox(key="run").set_value("20260102-000000-bbbb").run()
    assert "run" not in test.query_params
    assert app("train", run="20250101-000000-gone").selectbox(key="run").value == "20260102-000000-bbbb"


def test_delete_takes_the_run_away_after_a_second_click(app):
    folder, other = fake_run("20260102-000000-bbbb"), fake_run("20260101-000000-aaaa")
    test = app("train")
    test.button(key=f"delete_run_{folder.name}").click().run()
    assert not folder.exists()
    assert other.exists()
    assert not test.exception
    assert test.selectbox(key="run").value == other.name
    assert test.multiselect(key="compare").value == [other.name]


def test_runs_stand_side_by_side(app):
    fake_run("20260101-000000-aaaa", learning_rate=0.01)
    fake_run("20260102-000000-bbbb", done=2, state="stopped", data="/data/dogs-vs-cats.zip", images=None)
    test = app("train")
    (table,) = [frame.value for frame in test.dataframe if "test accuracy" in frame.value]
    assert list(table["test accuracy"]) == ["75.0\u00a0%", "85.0\u00a0%"]
    assert list(table["training accuracy"]) == ["80.0\u00a0%", "90.0\u00a0%"]
    assert list(table["epochs"]) == ["2 of 3", "3 of 3"]
    assert len(chart_lines(test, "compare_accuracy")) == 4
    test.multiselect(key="compare").set_value(["20260101-000000-aaaa"]).run()
    assert len(chart_lines(test, "compare_loss")) == 2


def test_no_estimate_is_called_100_percent(app):
    folder = fake_run()
    history = folder / "history.csv"
    header = history.read_text().split("\n")[0]
    history.write_text(f"{header}\n1,1.0,0.01,1.0,0.01,9.5\n")
    test = app("train")
    assert "Test accuracy: over 99.9\u00a0%." in text(test)
    assert {metric.label: metric.value for metric in test.metric}["Test accuracy"] == "over 99.9\u00a0%"
    (table,) = [frame.value for frame in test.dataframe if "test accuracy" in frame.value]
    assert list(table["test accuracy"]) == ["over 99.9\u00a0%"]


def test_a_damaged_file_is_named_beside_the_run(app):
    (fake_run() / "history.csv").write_bytes(b"\xff\x00")
    test = app("train")
    assert not test.exception
    (warning,) = (warning.value for warning in test.main.warning)
    assert "history.csv is damaged" in warning


def test_what_a_killed_process_printed_last_is_one_click_away(app):
    fake_run(state="interrupted", message="The training process was killed.")
    test = app("train")
    assert "The training process was killed." in text(test)
    (log,) = (expander for expander in test.main.expander if expander.label == "Last output of the process")
    assert log.code[0].value == "the last words"


def test_a_paused_run_says_so_and_offers_no_resume(app):
    folder = fake_run(state="running", done=1, step=5, silent=60)
    with lock.locked(folder):
        test = app("train")
        assert not test.exception
        assert "paused" in " ".join(element.proto.text for element in test.main.get("progress"))
        assert "Resume" not in [button.label for button in test.main.button]


def test_unreadable_run_folders_do_not_break_the_page(app):
    folder = fake_run()
    for name in ("config.json", "status.json", "history.csv", "steps.jsonl"):
        (folder / name).write_text("{half")
    assert not app("train").exception


def test_the_best_epoch_is_marked_and_said(app):
    fake_run(overfitted=True)
    test = app("train")
    assert "**Best epoch: 2** of 3, with the lowest test loss, 0.400. Its test accuracy is 70.0\u00a0%." in text(test)
    notes = {note["text"]: note["x"] for note in chart(test, "curve_loss")["layout"]["annotations"]}
    assert notes["lowest test loss"] == 2


def test_the_curves_are_smoothed_and_drawn_over_steps(app):
    fake_run()
    test = app("train")
    test.slider(key="smoothing").set_value(0.0).run()
    assert chart_lines(test, "curve_loss") == ["training, step by step", "training", "test"]
    test.segmented_control(key="curve_axis").set_value("step").run()
    assert [chart(test, f"curve_{name}")["layout"]["xaxis"]["title"]["text"] for name in ("accuracy", "loss")] == [
        "step", "step",
    ]  # fmt: skip
    assert not test.exception


def test_runs_are_compared_by_steps_but_for_those_whose_steps_nobody_knows(app):
    fake_run()
    test = app("train")
    test.multiselect(key="compare").set_value(["20260102-030405-abcd", "article"]).run()
    assert len(chart_lines(test, "compare_loss")) == 4
    test.segmented_control(key="compare_axis").set_value("step").run()
    assert not test.exception
    assert len(chart_lines(test, "compare_loss")) == 2
    assert "not known: The bundled model." in text(test)


def test_a_score_on_the_validation_set_is_not_called_a_test_score(app):
    fake_run("20260101-000000-aaaa")
    fake_run("20260102-000000-bbbb", validation=0.1)
    test = app("train")
    assert not test.exception
    (frame,) = [frame for frame in test.dataframe if "test accuracy" in frame.value]
    assert frame.value["validation accuracy"].tolist() == ["85.0\u00a0%", "–"]
    assert frame.value["test accuracy"].tolist() == ["–", "85.0\u00a0%"]
    # A number, so that the table sorts it as one; the browser writes the missing one as said here.
    assert frame.value["validation loss"].tolist() == [0.24, pytest.approx(float("nan"), nan_ok=True)]
    assert frame.proto.placeholder == "–"
    assert "Validation accuracy" in [metric.label for metric in test.metric]
