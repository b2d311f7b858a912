"""A visitor whom two app processes serve may start as many trainings as one whom a single process serves."""

import subprocess
import sys

import pytest

from cnn_core import runs
from cnn_core.host import limits
from cnn_core.storage import files, lock
from tests.conftest import ROOT
from tests.shared_server import at, door  # noqa: F401
from tests.tiny_runs import TINY

START_FOUR = """
import sys
from pathlib import Path
from cnn_core import runs
from cnn_core.host import limits
from cnn_core.storage import files
from tests.tiny_runs import TINY

runs.spawn = lambda folder: None
print("ready", flush=True)
input()
with files.at_home(Path(sys.argv[1])):
    for _ in range(4):
        try:
            runs.start(TINY)
        except limits.LimitError:
            pass
"""


def test_two_processes_start_no_more_trainings_than_one_would(at):  # noqa: F811
    with at("anna") as _:
        command = [sys.executable, "-c", START_FOUR, str(files.home())]
        both = [
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for process in both:
            assert process.stdout.readline() == "ready\n"
        for process in both:
            process.stdin.write("\n")
            process.stdin.flush()
        for process in both:
            process.communicate(timeout=60)
            assert process.returncode == 0
        assert len(runs.list_runs()) == limits.WAITING.value


def test_who_starts_twice_in_the_same_moment_is_asked_to_wait(at, monkeypatch):  # noqa: F811
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.0)
    with at("anna"):
        files.home().mkdir(parents=True)
        with lock.locked(files.home()), pytest.raises(limits.LimitError, match="Try again soon"):
            runs.start(TINY)
        assert runs.list_runs() == []
