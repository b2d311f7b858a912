"""Training runs: real child processes on a handful of pictures, watched, stopped, killed and resumed."""

import errno
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from cnn_core import dataset, runs, training
from cnn_core.engine import journal
from cnn_core.engine.config import TrainingConfig, TrainingError
from cnn_core.engine.journal import HISTORY, Journal, Status
from cnn_core.network import ConvBlock, NetworkError, NetworkSpec

TINY = TrainingConfig(
    images=24, epochs=2, batch_size=6, network=NetworkSpec(input_size=16, blocks=(ConvBlock(4),), dense_units=4)
)
LONG = TrainingConfig(**{**TINY.__dict__, "epochs": 1000})


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def folder_with(path: Path, config: TrainingConfig = TINY, **files: str) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(config.to_dict()))
    for name, text in files.items():
        (path / name.replace("_", ".")).write_text(text)
    return path


def until(condition, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def test_config_survives_json_and_is_checked():
    config = TrainingConfig(data="pets.zip", images=100, patience=3, network=NetworkSpec(64))
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(TrainingError, match="no settings"):
        TrainingConfig.from_dict({"colour": "red"})


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
    with pytest.raises(runs.RunError, match="no training run"):
        _ = run.config


def test_silent_run_is_interrupted_and_living_one_cannot_be_deleted_or_resumed(tmp_path):
    run = runs.Run(folder_with(tmp_path / "run", status_json=json.dumps({"state": "running", "epoch": 1})))
    assert run.active
    with pytest.raises(runs.RunError, match="Stop it first"):
        run.delete()
    with pytest.raises(runs.RunError, match="Stop it first"):
        run.resume()
    long_ago = time.time() - runs.SILENCE_SECONDS - 1
    os.utime(run.folder / "status.json", (long_ago, long_ago))
    assert run.status().state == "interrupted"
    assert "Resume" in run.status().message
    assert not run.active


def test_heartbeat_and_full_disk_in_the_journal(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(journal, "HEARTBEAT_SECONDS", 0.02)
    written = Journal(folder_with(tmp_path / "run"))
    os.utime(tmp_path / "run" / "status.json", (1, 1))
    until(lambda: (tmp_path / "run" / "status.json").stat().st_mtime > 1, 5)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal, "replace_file", full)
    written.write(state="running")  # goes on
    written.close()
    assert "No space left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (MemoryError(), "smaller batch"),
        (TrainingError("A sentence."), "A sentence."),
        (ZeroDivisionError("division by zero"), "log.txt"),
    ],
)
def test_whatever_goes_wrong_ends_as_a_failed_status_with_a_sentence(tmp_path, monkeypatch, error, words):
    def fit(*_):
        raise error

    monkeypatch.setattr(training, "fit", fit)
    folder = folder_with(tmp_path / "run")
    with pytest.raises(TrainingError, match=words):
        training.train(folder)
    status = runs.Run(folder).status()
    assert status.state == "failed"
    assert words in status.message


def test_steps_of_an_unfinished_epoch_are_dropped_on_resume(tmp_path):
    path = tmp_path / "steps.jsonl"
    path.write_text("".join(f'{{"step": {n}}}\n' for n in range(1, 8)))
    assert journal.keep_steps(path, 4) == 4
    assert path.read_text().splitlines() == [f'{{"step": {n}}}' for n in range(1, 5)]
    assert journal.keep_steps(tmp_path / "none.jsonl", 4) == 0


@pytest.mark.slow
def test_a_run_from_start_to_plain_keras():
    import keras
    import numpy as np

    run = runs.start(TINY)
    status = run.wait(120)
    assert status.state == "finished", run.log()
    assert (status.epoch, status.epochs, status.steps) == (2, 2, 3)
    assert status.images_per_second > 0
    history = run.history()
    assert history["epoch"].tolist() == [1, 2]
    assert history[["accuracy", "val_accuracy"]].stack().between(0, 1).all()
    assert (history[["loss", "val_loss"]] > 0).all(axis=None)
    steps = run.steps()
    assert steps["step"].tolist() == [1, 2, 3, 4, 5, 6]  # 18 training pictures in batches of 6, twice
    assert steps["epoch"].tolist() == [1, 1, 1, 2, 2, 2]
    assert steps["loss"].iloc[-1] == pytest.approx(history["loss"].iloc[-1], abs=1e-4)
    model = keras.saving.load_model(run.model_path)
    answer = model.predict(np.zeros((1, 16, 16, 3)), verbose=0)
    assert answer.shape == (1, 2)
    assert answer.sum() == pytest.approx(1, abs=1e-5)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}


@pytest.mark.slow
def test_stop_saves_the_model_and_resume_goes_on():
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
def test_stopped_run_with_patience_keeps_its_best_epochs_model():
    run = runs.start(TrainingConfig(**{**LONG.__dict__, "patience": 1000, "learning_rate": 0.05}))
    until(lambda: len(run.history()) >= 5)
    run.stop()
    assert run.wait(60).state == "stopped", run.log()
    assert evaluated(run)["loss"] == pytest.approx(run.history()["val_loss"].min(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_scores_are_the_saved_models_whatever_it_learned_in(precision):
    run = runs.start(TrainingConfig(**{**TINY.__dict__, "precision": precision}))
    assert run.wait(120).state == "finished", run.log()
    last = run.history().iloc[-1]
    scores = evaluated(run)
    assert scores["loss"] == pytest.approx(last["val_loss"], abs=2e-5)  # the history is rounded to five places
    assert scores["accuracy"] == pytest.approx(last["val_accuracy"], abs=2e-5)


def evaluated(run: runs.Run) -> dict[str, float]:
    """Test the saved model by plain Keras, on the pictures that its run tested it on."""
    import keras

    config = run.config
    table = config.source.table()
    _, test = dataset.split(table, config.test_size, config.seed)
    images, labels = dataset.load_images(test, config.network.input_size)
    model = keras.saving.load_model(run.model_path)
    return model.evaluate(images.astype("float32"), labels, verbose=0, return_dict=True)


@pytest.mark.slow
def test_a_batch_whose_gradient_is_no_number_is_left_out(tmp_path):
    import numpy as np

    model = training.open_or_build(TINY, tmp_path / "none.keras", steps=1)
    before = [weight.numpy() for weight in model.trainable_variables]
    no_numbers = [np.full_like(weight, np.nan) for weight in before]
    model.optimizer.apply(no_numbers, model.trainable_variables)
    for weight, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    model.optimizer.apply([np.ones_like(weight) for weight in before], model.trainable_variables)
    assert all((weight.numpy() != value).all() for weight, value in zip(model.trainable_variables, before, strict=True))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the process is found in Linux's /proc")
def test_killed_process_is_noticed_and_resumed(monkeypatch):
    run = runs.start(LONG)
    until(lambda: len(run.history()) >= 1)
    os.kill(_process_of(run), signal.SIGKILL)
    monkeypatch.setattr(runs, "SILENCE_SECONDS", 3.0)
    until(lambda: run.status().state == "interrupted", 20)
    done = len(run.history())
    (run.folder / "config.json").write_text(json.dumps({**LONG.to_dict(), "epochs": done + 1}))
    run.resume()
    monkeypatch.undo()
    assert run.wait(120).state == "finished", run.log()
    assert len(run.history()) == done + 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limits on a file's size")
def test_disk_that_fills_up_during_training_fails_with_a_sentence_and_can_be_resumed(home):
    """The child may write no file past 1 MB, which its model does not fit into: the system's own 'no room' error."""
    import resource

    wide = TrainingConfig(**{**TINY.__dict__, "network": NetworkSpec(16, (ConvBlock(8),), dense_units=1024)})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        run = runs.start(wide)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    status = run.wait(120)
    assert status.state == "failed", run.log()
    assert "disk is full" in status.message
    assert not list(run.folder.glob(".*part*"))
    run.resume()
    assert run.wait(120).state == "finished", run.log()


@pytest.mark.slow
def test_data_that_is_not_there_fails_with_the_datasets_sentence(tmp_path):
    run = runs.start(TrainingConfig(**{**TINY.__dict__, "data": str(tmp_path / "nothing")}))
    status = run.wait(60)
    assert status == Status(**{**status.__dict__, "state": "failed"})
    assert "There is no folder or zip" in status.message
    assert not run.model_path.exists()


def _process_of(run: runs.Run) -> int:
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and str(run.folder) in (process / "cmdline").read_text():
            return int(process.name)
    raise AssertionError("the run has no process")
