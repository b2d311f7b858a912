"""What several tests of pages share."""

import pytest

from cnn_core import runs
from tests.pages.fake_runs import rewrite_status


@pytest.fixture
def spawned(monkeypatch):
    """Runs are written but no process begins; the list holds their folders."""
    folders = []

    def spawn(folder):
        folders.append(folder)
        rewrite_status(folder, state="starting", message="Loading TensorFlow.")

    monkeypatch.setattr(runs, "spawn", spawn)
    return folders
