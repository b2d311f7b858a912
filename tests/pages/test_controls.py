"""Controls and the address: one row in one table for each, no name twice, and old links that keep working."""

import ast
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core import evaluation
from cnn_core.source import Source
from pages.widgets import background, controls, picture

PAGES = Path(__file__).parents[2] / "pages"
SOURCES = {path.relative_to(PAGES).as_posix(): ast.parse(path.read_text("utf-8")) for path in PAGES.rglob("*.py")}

SHARED_KEYS: dict[str, str] = {}
"""Keys that two files give to a widget on purpose, each with the reason."""

AREAS = {"container", "form"}
"""Calls that take a key and keep no state: the same area may be drawn by two files."""


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def literal(call: ast.Call, argument: str) -> str | None:
    """Return what the call passes as that argument, where it is written out as a text."""
    values = [keyword.value for keyword in call.keywords if keyword.arg == argument]
    return next((value.value for value in values if isinstance(value, ast.Constant)), None)


@pytest.fixture
def measured(monkeypatch):
    """A model that has answered at once, on one picture of each class."""
    told = pd.DataFrame({"file": ["1.png", "2.png"], "label": ["cat", "dog"], "cat": [0.9, 0.2], "dog": [0.1, 0.8]})
    told["pet"] = np.nan
    monkeypatch.setattr(Source, "subset", lambda *_: told)
    monkeypatch.setattr(evaluation, "remembered", lambda *_: evaluation.decide(evaluation.Evaluation(told), 0.5))


def test_the_threshold_of_pixels_is_not_the_one_of_evaluate(app, measured):
    """Both were called `threshold` once: 150 of 256 on Pixels ended in a traceback on Evaluate, which ends at 100."""
    test = app("pixels")
    test.slider(key=controls.THRESHOLD.name).set_value(150).run()
    test.switch_page("pages/evaluate.py").run()
    for job in background.jobs():
        assert job.ready(60)
    test.run()
    assert not test.exception
    assert not test.error
    assert test.slider(key=controls.DOG_ABOVE.name).value == 50


def test_a_menu_does_not_keep_the_label_of_what_was_deleted():
    """A browser changes the label only when it is told the value."""

    def page():
        import streamlit as st

        from pages.widgets import address

        names = st.session_state["names"]
        address.read("model", names, names[0])
        st.selectbox("Model", names, key="model", persist_state="session")

    test = AppTest.from_function(page)
    test.session_state["names"] = ["bundled", "mine"]
    test.query_params["model"] = "mine"
    assert test.run().selectbox(key="model").value == "mine"
    test.session_state["names"] = ["bundled"]
    shown = test.run().selectbox(key="model").proto
    assert (shown.set_value, shown.raw_value) == (True, "bundled")


@pytest.mark.parametrize("file", sorted(SOURCES))
def test_a_widget_takes_its_place_in_the_address_from_the_table(file):
    if file == "widgets/controls.py":
        return
    own = [
        f"{file}:{call.lineno}"
        for call in calls(SOURCES[file])
        if literal(call, "bind") is not None or literal(call, "key") in controls.CONTROLS
    ]
    assert not own, "these widgets write `bind` or a name of the address themselves; take them from controls.py"


def test_no_key_is_given_to_widgets_of_two_files():
    files = defaultdict(set)
    for file, tree in SOURCES.items():
        for call in calls(tree):
            area = isinstance(call.func, ast.Attribute) and call.func.attr in AREAS
            if not area and (key := literal(call, "key")):
                files[key].add(file)
    shared = {key: sorted(names) for key, names in files.items() if len(names) > 1 and key not in SHARED_KEYS}
    assert not shared


def test_two_controls_of_one_name_are_refused():
    again = controls.Switch(controls.THRESHOLD.name)
    with pytest.raises(ValueError, match="Two controls are called threshold"):
        controls.table({"FIRST": controls.THRESHOLD, "SECOND": [again]})
    assert controls.table({"FIRST": controls.THRESHOLD, "other": 3}) == {"threshold": controls.THRESHOLD}


def test_the_default_of_a_choice_is_one_of_its_options():
    for control in controls.CONTROLS.values():
        if isinstance(control, controls.Choice):
            assert control.default in control.options, control.name
            assert set(control.renamed.values()) <= set(control.labels), control.name
            assert not control.renamed.keys() & set(control.labels), control.name


def test_the_samples_of_the_sidebar_are_those_of_the_address():
    assert list(picture.SAMPLES) == list(controls.PICTURE.options)


def test_a_link_with_a_label_of_an_older_version_chooses_today_s_option(app, home):
    test = app("train", data="Folder or zip here")
    assert not test.exception
    assert test.radio(key=controls.DATA.name).value == "path"
    assert test.query_params[controls.DATA.name] in ("Folder on the server", ["Folder on the server"])
