"""A process that waits for a run: there is one at most, it carries out one run, and it never outlives its use."""

import json
import subprocess
import sys

import pytest

from cnn_core import runs
from cnn_core.engine import child, process, warm
from tests.tiny_runs import TINY, folder_with, until

WITHOUT_TENSORFLOW = """
from cnn_core.engine import warm
warm.MODULES, warm.sketches.folder, warm.loading.import_tensorflow = ("json",), lambda **_: None, lambda: None
folder = warm.wait_for_folder()
warm.finish_loading()
print("the run of", folder, flush=True)
"""


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    monkeypatch.setenv(warm.SWITCH, "1")
    yield
    warm.dismiss()


@pytest.fixture
def begun(monkeypatch):
    """The processes that were begun; they import nothing that takes long."""
    found = []

    def begin(argument, stdin, output):
        found.append(
            subprocess.Popen(
                [sys.executable, "-c", WITHOUT_TENSORFLOW], stdin=stdin, stdout=output, stderr=subprocess.STDOUT
            )
        )
        return found[-1]

    monkeypatch.setattr(child, "begin", begin)
    yield found
    for one in found:
        one.kill()
        one.wait()


def ends(one) -> bool:
    return one.wait(20) == 0


def test_one_is_begun_however_often_a_page_asks_and_it_takes_the_next_run(begun, tmp_path):
    warm.prepare()
    warm.prepare()
    (one,) = begun
    folder = folder_with(tmp_path / "run of “pets”\n")
    process.spawn(folder)
    assert ends(one)
    assert (folder / "log.txt").read_text() == f"the run of {folder}\n"
    assert warm.take(folder) is None, "it is gone"


def test_it_ends_when_it_is_dismissed_and_when_it_was_not_needed_for_long(begun, monkeypatch):
    warm.prepare()
    warm.dismiss()
    monkeypatch.setattr(warm, "IDLE_SECONDS", 0.1)
    warm.prepare()
    assert len(begun) == 2
    assert all(map(ends, begun))


def test_it_ends_with_the_process_that_began_it():
    script = f"""
import subprocess, sys
from cnn_core.engine import child, warm
child.begin = lambda argument, stdin, output: subprocess.Popen(
    [sys.executable, "-c", {WITHOUT_TENSORFLOW!r}], stdin=stdin, stdout=output)
warm.prepare()
print(warm.available())
"""
    server = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=True)
    assert int(server.stdout) > 0  # communicate() returns once all who could write to the pipe have ended


def test_none_is_begun_where_memory_is_short_or_somebody_forbids_it(begun, monkeypatch):
    monkeypatch.setattr(warm, "available", lambda: warm.MEMORY - 1)
    warm.prepare()
    monkeypatch.undo()
    monkeypatch.setenv(warm.SWITCH, "0")
    warm.prepare()
    assert not begun


def test_one_of_another_environment_is_not_used(begun, tmp_path, monkeypatch):
    warm.prepare()
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))
    assert warm.take(tmp_path) is None
    assert ends(begun[0])


def test_where_it_has_died_the_run_gets_a_process_of_its_own(begun, tmp_path):
    warm.prepare()
    begun[0].kill()
    begun[0].wait()
    process.spawn(folder_with(tmp_path / "run"))
    until(lambda: len(begun) == 2, 5)


@pytest.mark.slow
def test_a_run_that_it_carries_out_is_as_any_other():
    warm.prepare()
    run = runs.start(TINY)
    assert warm.take(run.folder) is None, "it was used"
    assert run.wait(120).state == "finished", run.log()
    made_with = json.loads((run.folder / "environment.json").read_text())
    assert made_with["command"][1:] == ["-m", "cnn_core.training", str(run.folder)]
