"""Whatever control a link sets to what it does not offer: the page says so, until the visitor's next choice."""

import numpy as np
import pandas as pd
import pytest

from cnn_core import evaluation
from cnn_core.engine import snapshots
from cnn_core.source import Source
from pages.widgets import background, controls
from pages.widgets.controls import Choice, Control, Number
from pages.widgets.measure.measurement import Measurement
from tests.pages.fake_runs import fake_run

BLOCKS = " ".join(f"filters_{block} kernel_{block} padding_{block} pool_{block}" for block in range(1, 9))
WHERE: list[tuple[str, dict[str, str], str]] = [
    ("classify", {}, "picture model why"),
    ("classify", {"why": "What if?"}, "blank_size blank_right blank_down what_if"),
    ("pixels", {}, "region_row region_column region_size region_numbers pixel_row pixel_column threshold"),
    ("convolution", {}, "conv_stride conv_padding conv_bias conv_relu conv_channel conv_view kernel"),
    ("convolution", {}, "conv_row conv_column"),
    ("pooling", {}, "pool_kind pool_size pool_stride pool_padding pool_kernel"),
    ("pooling", {}, "kernel chain chain_place"),
    ("pooling", {}, "grid_side"),
    ("pooling", {}, "grid_window"),
    ("network", {}, f"blocks size dense {BLOCKS}"),
    ("network", {}, "depth_size depth_kernel depth_pool depth_padding compare_maps kernels_seed"),
    ("train", {}, "epochs batch_size learning_rate schedule class_weights data test_percent augment"),
    ("train", {}, "run replay curve_axis smoothing compare_axis compare_smoothing"),
    ("train", {"data": "Datasets folder"}, "dataset"),
    ("evaluate", {}, "pictures subset data model"),
    ("evaluate", {}, "cell dog_above"),
    ("evaluate", {"data": "Datasets folder"}, "dataset"),
]
"""A page, what else the address says, and controls that the page has then; with the first of them a choice is made."""

SENTENCES = {"kernel": "asks for the kernel “nonsense”", "chain": "asks for a chain that cannot be shown"}
"""What is said of a control, where that is not its name and its value."""

ELSEWHERE = {
    "data_path": "a visitor is asked before it is read",
    "kernel_of": "the network's answer says that there is no such kernel",
    "walk_layer": "needs TensorFlow: test_thread.py",
    "thread": "needs TensorFlow: test_thread.py",
}
KINDS = ("slider", "number_input", "selectbox", "radio", "button_group")


@pytest.fixture
def everything(lab, monkeypatch):
    """A lab with a run, two datasets, and a model that has answered at once, on one picture of each class."""
    folder = fake_run() / snapshots.FOLDER
    folder.mkdir()
    (folder / f"{0:09d}.npz").touch()
    for name in ("first", "second"):
        (lab / "datasets" / name / "cat").mkdir(parents=True)
    told = pd.DataFrame({"file": ["1.png", "2.png"], "label": ["cat", "dog"], "cat": [0.9, 0.2], "dog": [0.1, 0.8]})
    told["pet"] = np.nan
    monkeypatch.setattr(Source, "subset", lambda *_: told)
    monkeypatch.setattr(evaluation, "remembered", lambda *_: evaluation.decide(evaluation.Evaluation(told), 0.5))


def not_offered(control: Control) -> str:
    if isinstance(control, Number) and control.high is not None:
        return str(control.high + 1)
    return "-1" if isinstance(control, Number) and control.low is not None else "nonsense"


def choose(test, control: Control) -> None:
    """Choose something else with the control, or another picture where it has no widget."""
    widgets = {widget.key: widget for kind in KINDS for widget in test.get(kind)}
    if control.name not in widgets:
        control = controls.PICTURE
    widget = widgets[control.name]
    if isinstance(control, Choice):
        widget.set_value(next(value for value in control.options if value not in (None, control.default)))
    elif isinstance(control, Number):
        widget.set_value(1 if control.high is None else control.high)
    else:
        widget.select_index(1)
    test.run()


def warnings(test) -> str:
    return " ".join(warning.value for warning in test.warning)


@pytest.mark.parametrize(("page", "query", "names"), WHERE)
def test_what_a_control_does_not_offer_is_said_until_the_next_choice(app, everything, page, query, names):
    asked = {name: not_offered(controls.CONTROLS[name]) for name in names.split()}
    test = app(page, **query | asked)
    for job in background.jobs(Measurement):
        assert job.ready(60)
    for _ in range(2):  # when the measurement is ready the page runs again
        test.run()
        assert not test.exception
        for name, text in asked.items():
            assert SENTENCES.get(name, f"{name}={text}") in warnings(test)
    choose(test, controls.CONTROLS[names.split()[0]])
    assert not test.exception
    assert "The address asks for" not in warnings(test)


@pytest.mark.parametrize(
    ("page", "name", "text"),
    [
        ("train", "epochs", "inf"),
        ("train", "augment", ""),
        ("network", "blocks", "3.5"),
        ("pooling", "grid_side", "5.5"),
    ],
)
def test_what_streamlit_would_misread_is_the_default_and_said(app, lab, page, name, text):
    """It would break off, leave the choice empty, or cut the fraction off."""
    test = app(page, **{name: text})
    assert f"“{name}={text}”" in warnings(test)
    found = [widget for kind in KINDS for widget in test.get(kind) if widget.key == name]
    assert [widget.value for widget in found] == [controls.CONTROLS[name].default]
    choose(test, controls.CONTROLS[name])
    assert "The address asks for" not in warnings(test)


def test_two_values_are_said_in_one_sentence(app, lab):
    said = "“augment=” and “epochs=inf”, which are not among the choices below. The defaults are used instead."
    assert said in warnings(app("train", epochs="inf", augment=""))


def test_every_control_of_the_table_is_tried():
    tried = {name for _, _, names in WHERE for name in names.split()}
    assert tried | ELSEWHERE.keys() == controls.CONTROLS.keys()


def test_labels_of_older_versions_are_not_asked_for_in_vain(app, everything):
    for control in controls.CONTROLS.values():
        for old in getattr(control, "renamed", ()):
            page = next(page for page, _, names in WHERE if control.name in names.split())
            assert "The address asks for" not in warnings(app(page, **{control.name: old})), old


def test_a_run_that_is_not_here_is_said_also_where_there_is_none(app, lab):
    test = app("train", run="gone")
    assert "“run=gone”" in warnings(test)
    test.number_input(key="epochs").set_value(2).run()
    assert not test.warning


def test_what_was_deleted_here_is_not_asked_for_in_vain(app, lab):
    """The page itself has written its name into the address."""
    fake_run("20260102-030405-aaaa")
    gone = fake_run("20260101-030405-bbbb")
    test = app("train", run=gone.name)
    assert not test.warning
    gone.rename(lab / "elsewhere")
    assert not test.run().warning
