"""What several tests of pages share."""

import numpy as np
import pytest

from cnn_core import runs, sketches
from pages.widgets import background
from tests.pages.fake_runs import rewrite_status


@pytest.fixture(autouse=True)
def no_job_is_left(monkeypatch):
    """End what a test has begun in the background: it would take the processor from those that follow."""
    begun = []
    begin = background.Job.__post_init__

    def begin_noted(job):
        begin(job)
        begun.append(job)

    monkeypatch.setattr(background.Job, "__post_init__", begin_noted)
    yield
    background.forget(*begun)


@pytest.fixture
def spawned(monkeypatch):
    """Runs are written but no process begins; the list holds their folders."""
    folders = []

    def spawn(folder):
        folders.append(folder)
        rewrite_status(folder, state="starting", message="Loading TensorFlow.")

    monkeypatch.setattr(runs, "spawn", spawn)
    return folders


@pytest.fixture
def plain_drawings(monkeypatch):
    """Drawings of one color each: 400 drawn pets take 5 s."""

    def draw(label: str, rng: np.random.Generator, size: int = sketches.SIZE) -> np.ndarray:
        return np.full((size, size, 3), rng.integers(256), np.uint8)

    monkeypatch.setattr(sketches, "draw", draw)
