"""A run's report: one file that says what the run's folder says, loads nothing, and takes no name for markup."""

import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from PIL import Image

from cnn_core import models, runs
from cnn_core.figures import report
from tests.pages.fake_runs import fake_run

HOSTILE = "<script>alert('1')</script>\"'&amp;<img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The elements of a page, its text outside scripts, and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.text, self.scripts, self.inside = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        (self.scripts if self.inside in ("script", "style") else self.text).append(data)


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))


@pytest.fixture
def written():
    folder = fake_run(overfitted=True, model=False)
    shutil.copyfile(models.find("article").path, folder / "model.keras")
    (folder / "environment.json").write_text(json.dumps(dict.fromkeys(report.ENVIRONMENT, "") | {"keras": "3.99"}))
    return report.html(runs.Run(folder))


def test_it_holds_settings_scores_curves_kernels_and_environment(written):
    page = Page(written)
    words = " ".join(" ".join(page.text).split())
    for part in ("Outcome", "Curves", "Epochs", "Settings", "Network", "First kernels", "Made with", "keras 3.99"):
        assert part in words
    assert "learning rate 0.0007" in words
    assert "Best epoch, 2 test accuracy 70.0 %, loss 0.400" in words
    assert "test loss was lowest after epoch 2" in words
    (picture,) = (attributes for tag, attributes in page.tags if tag == "img")
    kernels = Image.open(io.BytesIO(base64.b64decode(picture["src"].partition(",")[2])))
    assert kernels.size == (8 * 39 - 3, 8 * 39 - 3)  # 64 kernels of 3×3, 12 pixels a weight
    assert "64 kernels" in picture["alt"]
    assert sum(script.count("Plotly.newPlot(") for script in page.scripts if len(script) < 1e6) == 2
    assert sum(len(script) > 1e6 for script in page.scripts) == 1  # Plotly itself, once
    assert len(written) < 5.5e6


def test_it_may_load_nothing_from_anywhere(written):
    page = Page(written)
    rule = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)
    assert rule.startswith("default-src 'none'")
    assert not re.search("https?:|\\*", rule)
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert not attributes.get("href")
        assert attributes.get("src", "data:").startswith("data:")


def test_names_and_messages_are_no_markup():
    folder = fake_run(data=f"/data/{HOSTILE}", message=HOSTILE, model=False)
    folder = folder.rename(folder.with_name(HOSTILE.replace("/", "")))
    run = runs.Run(folder)
    harmless = Page(report.html(runs.Run(fake_run(model=False))))
    page = Page(report.html(run))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    words = "".join(page.text)
    assert f"/data/{HOSTILE}" in words
    assert run.id in words


def test_a_network_that_guesses_is_named():
    words = "".join(Page(report.html(runs.Run(fake_run(learned=False, model=False)))).text)
    assert "The network has not learned: its training loss is that of a network that guesses." in words


def test_a_run_that_has_just_begun_has_a_report_too():
    words = "".join(Page(report.html(runs.Run(fake_run(state="running", done=0, step=0, model=False)))).text)
    assert "running" in words
    assert "Curves" not in words


@pytest.mark.parametrize("content", ["", "[]", '"text"', "{}"])
def test_a_damaged_environment_is_left_out(content):
    folder = fake_run(model=False)
    (folder / "environment.json").write_text(content)
    assert "Made with" not in report.html(runs.Run(folder))
