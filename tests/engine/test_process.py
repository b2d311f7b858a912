"""A run whose process dies without a word says why it ended."""

import json
import subprocess
import sys
import threading

import pytest

from cnn_core import runs
from cnn_core.engine import child, process
from cnn_core.storage import lock
from tests.tiny_runs import TINY, folder_with, until

RUNNING = json.dumps({"state": "running", "epoch": 2, "epochs": 3, "step": 4, "steps": 5})


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [(-9, "interrupted", "memory ran out"), (1, "failed", "log.txt"), (0, "failed", "log.txt")],
)
def test_the_exit_code_becomes_a_sentence(tmp_path, code, state, words):
    run = runs.Run(folder_with(tmp_path / "run", status_json=RUNNING, lock=""))
    process.leave_reason(run.folder, code)
    status = run.status()
    assert (status.state, status.epoch, status.step) == (state, 2, 4)
    assert words in status.message


def test_only_what_has_saved_something_is_to_be_resumed(tmp_path):
    run = runs.Run(folder_with(tmp_path / "run", status_json=RUNNING, lock=""))
    process.leave_reason(run.folder, -9)
    assert "then start the run again." in run.status().message
    (run.folder / "checkpoint.npz").touch()
    (run.folder / "status.json").write_text(RUNNING)
    process.leave_reason(run.folder, -9)
    assert "then resume the run." in run.status().message


def test_what_the_run_has_said_itself_stays(tmp_path):
    run = runs.Run(folder_with(tmp_path / "run", status_json=json.dumps({"state": "failed", "message": "Disk full."})))
    process.leave_reason(run.folder, 1)
    assert run.status().message == "Disk full."


def test_an_end_that_is_noticed_late_is_not_that_of_the_next_process(tmp_path, monkeypatch):
    """The next one has not taken the folder's lock yet, and the old status is gone."""
    ended = {"first": threading.Event(), "second": threading.Event()}

    class Process:
        def __init__(self, name):
            self.name = name

        def wait(self):
            assert ended[self.name].wait(30)
            return -9

    begun = iter(map(Process, ended))
    monkeypatch.setattr(child, "begin", lambda *_: next(begun))
    folder = folder_with(tmp_path / "run", status_json=RUNNING)
    process.spawn(folder)
    process.spawn(folder)
    threads = [thread for thread in threading.enumerate() if thread.name == f"waits for {folder.name}"]
    for event, thread in zip(ended.values(), threads, strict=True):
        assert not (folder / "status.json").exists()
        event.set()
        thread.join(30)
    assert "memory ran out" in runs.Run(folder).status().message


def test_a_run_that_goes_on_in_another_process_is_left_alone(tmp_path):
    run = runs.Run(folder_with(tmp_path / "run", status_json=RUNNING))
    with lock.locked(run.folder):
        process.leave_reason(run.folder, 1)
        assert run.status().state == "running"
        with pytest.raises(process.ProcessError, match="Another process is training"):
            process.spawn(run.folder)


def test_a_process_that_cannot_even_begin_is_reported(tmp_path, monkeypatch):
    begin = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: begin([sys.executable, "-c", "1 / 0"], **how))
    run = runs.start(TINY, tmp_path / "run")
    until(lambda: run.status().state == "failed", 20)
    assert "log.txt" in run.status().message
    assert "ZeroDivisionError" in run.log()
