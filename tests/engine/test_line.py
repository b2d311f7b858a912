"""Runs train one at a time, in the order in which they came, and none waits for a run that has died."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnn_core import runs
from cnn_core.engine import line
from cnn_core.host import limits
from cnn_core.storage import lock
from tests.tiny_runs import TINY, folder_with, until

ROOT = Path(__file__).parents[2]

TRAIN = """
import sys
from pathlib import Path
from cnn_core import training
folder = Path(sys.argv[1])
training.line.POLL_SECONDS = 0.05
def ahead(folder, count=training.line.ahead):
    assert not {"tensorflow", "pandas"} & set(sys.modules)  # a process that waits is cheap
    return count(folder)
training.line.ahead = ahead
def fit(*_):
    (folder / "training").touch()
    sys.stdin.read()
training.fit = fit
training.train(folder)
"""
"""A process that takes its turn as a training does, but then only waits until its input is closed."""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@given(st.lists(st.one_of(st.just("come"), st.integers(0, 6)), max_size=20))
def test_each_run_stands_behind_the_living_ones_that_came_before(tmp_path_factory, events):
    top = tmp_path_factory.mktemp("line")
    expected: list[Path] = []
    with pytest.MonkeyPatch.context() as patch, ExitStack() as end:
        patch.setenv("CNN_LAB_HOME", str(top / "home"))
        processes: dict[Path, ExitStack] = {}
        for number, event in enumerate(events):
            if event == "come":
                folder = top / str(number)
                folder.mkdir()
                processes[folder] = end.enter_context(ExitStack())
                processes[folder].enter_context(lock.locked(folder))
                line.join(folder)
                expected.append(folder)
            elif event < len(expected):
                processes[expected.pop(event)].close()  # it ends, and says nothing to anybody
            assert [line.ahead(folder) for folder in expected] == list(range(len(expected)))


def test_a_run_that_comes_back_stands_at_the_end(tmp_path):
    first, second = folder_with(tmp_path / "first"), folder_with(tmp_path / "second")
    with lock.locked(first):
        line.join(first)
    with lock.locked(second), lock.locked(first):
        line.join(second)
        line.join(first)
        assert (line.ahead(second), line.ahead(first)) == (0, 1)


@pytest.mark.parametrize("damage", ["", "{half", '{"a": 1}', "[1, null]"])
def test_a_damaged_line_is_joined_anew(tmp_path, home, damage):
    folder = folder_with(tmp_path / "run")
    line.join(folder)
    (home / "line" / "order.json").write_text(damage)
    assert line.ahead(folder) == 0


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_wrong_number_of_runs_is_refused_before_anything_starts(monkeypatch, home, value):
    monkeypatch.setenv(limits.RUNS.variable, value)
    with pytest.raises(line.LineError, match="whole number from 1 on"):
        runs.start(TINY)
    assert not home.exists()


@pytest.fixture
def trained(tmp_path):
    """Return what starts a process that trains in a folder of this name, and waits until it is heard of."""
    processes = []

    def begin(name: str, state: str) -> tuple[runs.Run, subprocess.Popen]:
        run = runs.Run(folder_with(tmp_path / name))
        process = subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(run.folder)], cwd=ROOT, env=os.environ, stdin=subprocess.PIPE
        )
        processes.append(process)
        reached(run, state)
        return run, process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def reached(run: runs.Run, state: str, place: int = 0) -> None:
    if state == "training":
        until(lambda: (run.folder / "training").exists(), 30)
    else:
        until(lambda: run.status().state == state and (not place or run.status().place == place), 30)


def test_the_next_run_begins_by_itself_however_those_before_it_end(trained):
    _, killed = trained("first", "training")
    second, impatient = trained("second", "waiting")
    third, stopped = trained("third", "waiting")
    fourth, patient = trained("fourth", "waiting")
    assert [run.status().place for run in (second, third, fourth)] == [1, 2, 3]
    assert second.status().message == "Waiting: place 1 in the line."
    impatient.kill()
    impatient.wait()
    reached(third, "waiting", place=1)
    third.stop()
    assert stopped.wait(30) == 0
    assert (third.status().state, third.status().message) == (
        "stopped", "The run left the line before its turn. It can wait in line again.",
    )  # fmt: skip
    reached(fourth, "waiting", place=1)
    turn = time.monotonic()
    killed.kill()
    reached(fourth, "training")
    assert fourth.status().place == 0
    assert not (third.folder / "training").exists()
    patient.communicate()
    assert (fourth.status().state, patient.returncode) == ("finished", 0)
    assert fourth.status().seconds <= time.monotonic() - turn  # the wait does not count


def test_two_train_at_once_where_that_is_asked_for(trained, monkeypatch):
    monkeypatch.setenv(limits.RUNS.variable, "2")
    trained("first", "training")
    _, second = trained("second", "training")
    third, _ = trained("third", "waiting")
    assert third.status().place == 1
    second.communicate()  # it ends
    reached(third, "training")


@settings(max_examples=40)
@given(st.lists(st.one_of(st.sampled_from("ABC"), st.integers(0, 8)), max_size=24), st.integers(1, 3))
@example(["A", "A", "A", "C", "B", "B", "B", 3, "C"], 2)  # the third run of B is its second by now
def test_visitors_take_turns(tmp_path_factory, events, together):
    """Whoever has fewer runs before it goes first, nobody overtakes who trains, and a visitor's own runs keep order."""
    top = tmp_path_factory.mktemp("turns")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as end:
        patch.setenv("CNN_LAB_HOME", str(top))
        patch.setenv(limits.RUNS.variable, str(together))
        living: dict[Path, ExitStack] = {}
        training: set[Path] = set()
        for number, event in enumerate(events):
            if isinstance(event, str):
                folder = top / "spaces" / event / "runs" / str(number)
                folder.mkdir(parents=True)
                living[folder] = end.enter_context(ExitStack())
                living[folder].enter_context(lock.locked(folder))
                before = sorted(living.keys() - {folder}, key=line.ahead)
                line.join(folder)
                after = sorted(living, key=line.ahead)
                assert [run for run in after if run != folder] == before
                mine = sum(run.parts[-3] == event for run in before)
                assert [run for run in after if run.parts[-3] == event][-1] == folder
                for place in range(after.index(folder), len(before)):  # whom it stands before
                    run = before[place]
                    assert run not in training
                    assert sum(other.parts[-3] == run.parts[-3] for other in before[:place]) > mine
                assert line.living() == len(living)
            elif event < len(living):
                gone = sorted(living, key=line.ahead)[event]
                living.pop(gone).close()
                training.discard(gone)
            training |= {run for run in living if line.ahead(run) < together}
            assert len(training) <= together


def test_a_second_training_waits_behind_everyones_first(home):
    names = ["anna/runs/1", "anna/runs/2", "ben/runs/1", "anna/runs/3", "ben/runs/2", "carla/runs/1"]
    with ExitStack() as end:
        folders = [folder_with(home / "spaces" / name) for name in names]
        for folder in folders:
            end.enter_context(lock.locked(folder))
            line.join(folder)
        order = [names[folders.index(run)] for run in sorted(folders, key=line.ahead)]
    assert order == ["anna/runs/1", "ben/runs/1", "carla/runs/1", "anna/runs/2", "ben/runs/2", "anna/runs/3"]
