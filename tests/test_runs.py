"""Runs as folders: started, listed, read, stopped, killed, resumed and deleted."""

import io
import json
import os
import signal
import time
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core import runs
from cnn_core.engine import liveness
from cnn_core.engine.config import TrainingConfig, TrainingError
from cnn_core.engine.journal import HISTORY, STEPS
from cnn_core.network import ConvBlock, NetworkError, NetworkSpec
from cnn_core.storage import lock
from tests.tiny_runs import LONG, TINY, folder_with, until


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_config_survives_json_and_is_checked():
    config = TrainingConfig(data="pets.zip", images=100, patience=3, network=NetworkSpec(64))
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(TrainingError, match="not the settings"):
        TrainingConfig.from_dict({"color": "red"})


@pytest.mark.parametrize(("older", "today"), [(True, "article"), (False, "none")])
def test_a_config_of_an_older_version_is_read(older, today):
    values = {**TrainingConfig().to_dict(), "augment": older}
    del values["validation"]
    config = TrainingConfig.from_dict(values)
    assert (config.augment, config.validation) == (today, 0.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 0}, "epochs must be"),
        ({"batch_size": 0}, "batch size must be"),
        ({"learning_rate": 0.0}, "learning rate must be"),
        ({"learning_rate": float("nan")}, "learning rate must be"),
        ({"images": 3}, "pictures must be at least 4"),
        ({"test_size": 1.0}, "test set's share"),
        ({"schedule": "linear"}, "schedule must be"),
        ({"validation": 1.0}, "validation set's share"),
        ({"augment": "wild"}, "augmentation must be"),
        ({"patience": 0}, "patience must be"),
        ({"precision": "float16"}, "precision must be"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_starts(home, change, words):
    with pytest.raises(TrainingError, match=words):
        runs.start(TrainingConfig(**change))
    assert not home.exists()


def test_impossible_network_is_refused_before_anything_starts():
    with pytest.raises(NetworkError, match="conv_1"):
        runs.start(TrainingConfig(network=NetworkSpec(input_size=4, blocks=(ConvBlock(kernel_size=5),))))


def test_folder_in_use_is_refused(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(runs.RunError, match="not empty"):
        runs.start(TINY, tmp_path / "full")
    assert [file.name for file in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_list_find_and_delete(home):
    for name in ("20260101-000000-aaaa", "20260102-000000-bbbb"):
        folder_with(home / "runs" / name, status_json=json.dumps({"state": "finished"}))
    (home / "runs" / "no-run").mkdir()
    assert [run.id for run in runs.list_runs()] == ["20260102-000000-bbbb", "20260101-000000-aaaa"]
    runs.find("20260101-000000-aaaa").delete()
    assert [run.id for run in runs.list_runs()] == ["20260102-000000-bbbb"]
    with pytest.raises(runs.RunError, match="no run 20260101-000000-aaaa"):
        runs.find("20260101-000000-aaaa")


def test_damaged_files_read_as_nothing_yet(tmp_path):
    run = runs.Run(
        folder_with(tmp_path / "run", status_json="{", history_csv="", steps_jsonl='{"step": 1, "loss": 2}\n{"st')
    )
    assert run.status().state == "starting"
    assert run.history().empty
    assert list(run.history().columns) == HISTORY
    assert run.steps()["step"].tolist() == [1]
    (run.folder / "config.json").write_text("[]")
    with pytest.raises(runs.RunError, match="not a training run"):
        _ = run.config


def test_silent_run_is_interrupted_and_living_one_cannot_be_deleted_or_resumed(tmp_path):
    run = runs.Run(folder_with(tmp_path / "run", status_json=json.dumps({"state": "running", "epoch": 1})))
    assert run.active
    with pytest.raises(runs.RunError, match="Stop it first"):
        run.delete()
    with pytest.raises(runs.RunError, match="Stop it first"):
        run.resume()
    long_ago = time.time() - liveness.SILENCE_SECONDS - 1
    os.utime(run.folder / "status.json", (long_ago, long_ago))
    assert run.status().state == "interrupted"
    assert "Start it again" in run.status().message
    assert not run.active


def test_a_run_whose_lock_is_free_is_interrupted_at_once(tmp_path):
    run = runs.Run(folder_with(tmp_path / "run", status_json=json.dumps({"state": "running", "epoch": 1}), lock=""))
    assert run.status().state == "interrupted"
    assert "Start it again" in run.status().message
    (run.folder / "checkpoint.npz").touch()
    assert "Resume it to continue" in run.status().message


def test_a_process_that_has_just_been_started_is_not_taken_for_dead(tmp_path):
    """It has not taken the lock yet, which the one before it has left free; and there is no status."""
    run = runs.Run(folder_with(tmp_path / "run", lock=""))
    assert run.status().state == "starting"


def test_a_run_resumed_while_somebody_looks_is_not_taken_for_dead(tmp_path, monkeypatch):
    """The look at the lock was before the new process took it, the look at the status after its first one."""
    run = runs.Run(folder_with(tmp_path / "run", status_json=json.dumps({"state": "stopped"}), lock=""))
    was_held = lock.held

    def resumed_meanwhile(folder):
        answer = was_held(folder)
        process.enter_context(lock.locked(folder))
        (folder / "status.json").write_text(json.dumps({"state": "starting"}))
        monkeypatch.setattr(lock, "held", was_held)
        return answer

    monkeypatch.setattr(lock, "held", resumed_meanwhile)
    with ExitStack() as process:
        assert run.status().state == "starting"


def test_a_silent_run_that_holds_its_lock_is_paused_and_cannot_be_doubled(tmp_path):
    run = runs.Run(folder_with(tmp_path / "run", status_json=json.dumps({"state": "running", "epoch": 1})))
    long_ago = time.time() - liveness.SILENCE_SECONDS - 1
    os.utime(run.folder / "status.json", (long_ago, long_ago))
    with lock.locked(run.folder):
        assert run.status().state == "paused"
        assert "paused, or the computer was asleep" in run.status().message
        assert run.active
        with pytest.raises(runs.RunError, match="cannot be resumed"):
            run.resume()
        with pytest.raises(runs.RunError, match="Stop it first"):
            run.delete()
    assert run.status().state == "interrupted"


WHOLE = {
    "config.json": json.dumps(TINY.to_dict()).encode(),
    "status.json": json.dumps({"state": "finished", "epoch": 2, "epochs": 2}).encode(),
    "history.csv": (",".join(HISTORY) + "\n1,0.5,0.7,0.5,0.7,1.0\n2,0.5,0.7,0.5,0.7,1.0\n").encode(),
    "environment.json": json.dumps({"seed": 42}).encode(),
    "steps.jsonl": b"".join(b'{"step": %d, "epoch": 1, "loss": 0.7, "accuracy": 0.5}\n' % n for n in range(1, 7)),
}


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("numbers", bytes(range(256)) * 8)
    return content.getvalue()


WHOLE |= {"model.keras": archive(), "checkpoint.npz": archive(), "snapshots/000000004.npz": archive()}


def run_of_files(path: Path, **changed: bytes) -> runs.Run:
    (path / "snapshots").mkdir(parents=True)
    for name, content in (WHOLE | changed).items():
        (path / name).write_bytes(content)
    return runs.Run(path)


@pytest.mark.parametrize("name", WHOLE)
@given(damage=st.one_of(st.just(0.0), st.just(0.5), st.binary(max_size=200)))
@settings(max_examples=20, deadline=None)
def test_a_damaged_file_gets_a_sentence_and_the_other_runs_go_on(tmp_path_factory, name, damage):
    home = tmp_path_factory.mktemp("home")
    content = damage if isinstance(damage, bytes) else WHOLE[name][: int(len(WHOLE[name]) * damage)]
    harmless = name == "steps.jsonl" and b"\n" not in content  # its last line is always thought to be under way
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_LAB_HOME", str(home))
        run = run_of_files(home / "runs" / "20260102-000000-bbbb", **{name: content})
        other = run_of_files(home / "runs" / "20260101-000000-aaaa")
        assert runs.list_runs() and [found.id for found in runs.list_runs()] == [run.id, other.id]
    assert other.damage() == []
    assert len(other.history()) == 2 and len(other.steps()) == 6
    cut_between_lines = damage == 0.5 and name in ("history.csv", "steps.jsonl")
    if not (harmless or cut_between_lines):
        assert [name in sentence for sentence in run.damage()] == [True]
    assert run.status().state in ("starting", "finished", "interrupted")
    assert list(run.history().columns) == HISTORY
    assert list(run.steps().columns) == STEPS
    if name == "config.json":
        with pytest.raises(runs.RunError, match="cannot be read"):
            run.resume()


@pytest.mark.slow
def test_stop_saves_the_model_and_resume_goes_on(in_this_process):
    run = runs.start(LONG)
    until(lambda: len(run.history()) >= 2)
    run.stop()
    status = run.wait(60)
    assert status.state == "stopped", run.log()
    assert run.model_path.exists()
    done = len(run.history())
    assert done < 1000
    (run.folder / "config.json").write_text(json.dumps({**LONG.to_dict(), "epochs": done + 2}))
    run.resume()
    assert run.wait(120).state == "finished", run.log()
    assert run.history()["epoch"].tolist() == list(range(1, done + 3))
    assert run.steps()["step"].tolist() == list(range(1, 3 * (done + 2) + 1))
    with pytest.raises(runs.RunError, match="has finished"):
        run.resume()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the process is found in Linux's /proc")
def test_killed_process_is_noticed_and_resumed(monkeypatch):
    run = runs.start(LONG)
    until(lambda: len(run.history()) >= 1)
    os.kill(_process_of(run), signal.SIGKILL)
    monkeypatch.setattr(liveness, "SILENCE_SECONDS", 3.0)
    until(lambda: run.status().state == "interrupted", 20)
    done = len(run.history())
    (run.folder / "config.json").write_text(json.dumps({**LONG.to_dict(), "epochs": done + 1}))
    run.resume()
    monkeypatch.undo()
    assert run.wait(120).state == "finished", run.log()
    assert len(run.history()) == done + 1


def _process_of(run: runs.Run) -> int:
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and str(run.folder) in (process / "cmdline").read_text():
            return int(process.name)
    raise AssertionError("the run has no process")
