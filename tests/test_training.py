"""Training on a handful of images: its scores, its saved model, and the status when something goes wrong."""

import errno
import json
import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cnn_core import dataset, runs, training
from cnn_core.engine import loading, run_size
from cnn_core.engine.config import TrainingConfig, TrainingError
from cnn_core.engine.journal import HISTORY, Status
from cnn_core.network import ConvBlock, NetworkSpec
from cnn_core.storage import files, lock
from tests.tiny_runs import LONG, TINY, folder_with, until


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full.*then start the run again"),
        (MemoryError(), "smaller batch"),
        (TrainingError("A sentence."), "A sentence."),
        (type("UnavailableError", (Exception,), {})(), "--resume.*from the beginning if it has saved none"),
        (ZeroDivisionError("division by zero"), "log.txt"),
    ],
)
def test_whatever_goes_wrong_ends_as_a_failed_status_with_a_sentence(tmp_path, monkeypatch, capfd, error, words):
    def fit(*_):
        raise error

    monkeypatch.setattr(training, "fit", fit)
    folder = folder_with(tmp_path / "run")
    with pytest.raises(TrainingError, match=words):
        training.train(folder)
    status = runs.Run(folder).status()
    assert status.state == "failed"
    assert re.search(words, status.message)
    printed = capfd.readouterr().err  # which goes into log.txt
    assert ("in fit" in printed) == ("log.txt" in words)


@pytest.mark.parametrize(("saved", "words"), [(True, "the model was saved"), (False, "before there was a model")])
def test_a_run_stopped_while_it_reads_says_whether_there_is_a_model(tmp_path, monkeypatch, saved, words):
    def fit(config, folder, journal, *_):
        (folder / "stop").touch()
        journal.reading(1, 2, "Reading")

    monkeypatch.setattr(training, "fit", fit)
    folder = folder_with(tmp_path / "run")
    if saved:
        (folder / "model.keras").touch()
    training.train(folder)
    status = runs.Run(folder).status()
    assert status.state == "stopped"
    assert words in status.message


def test_a_stop_before_the_process_has_begun_its_work_is_heeded(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "fit", lambda *_: pytest.fail("The run was to stop."))
    run = runs.Run(folder_with(tmp_path / "run"))
    run.stop()
    training.train(run.folder)
    assert run.status().state == "stopped"
    assert not (run.folder / "stop").exists()  # or the run could not go on


@pytest.mark.slow
def test_a_stop_while_tensorflow_is_imported_is_heeded_before_the_network_is_built(tmp_path, monkeypatch):
    run = runs.Run(folder_with(tmp_path / "run"))
    monkeypatch.setattr(loading, "import_tensorflow", run.stop)
    monkeypatch.setattr(training, "build", lambda *_: pytest.fail("The run was to stop."))
    training.train(run.folder)
    assert (run.status().state, run.begun) == ("stopped", False)


@pytest.mark.slow
def test_a_run_from_start_to_plain_keras():
    import keras

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
    made_with = json.loads((run.folder / "environment.json").read_text())
    assert made_with["keras"] == keras.__version__
    assert made_with["numpy"] == np.__version__
    assert {"python", "tensorflow", "cnn_core", "processor"} <= set(made_with)
    assert made_with["command"][1:] == ["-m", "cnn_core.training", str(run.folder)]
    assert (made_with["seed"], made_with["network"]) == (42, json.loads(json.dumps(TINY.network.to_dict())))
    assert made_with["fingerprint"] == TINY.source.fingerprint([])  # drawn pets follow from their number and the seed


def test_two_processes_never_train_in_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.05)
    folder = folder_with(tmp_path / "run")
    with lock.locked(folder), pytest.raises(lock.LockError, match="Another process is at work"):
        training.train(folder)
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "lock"]  # nothing else was touched


@pytest.mark.slow
def test_a_run_of_an_older_version_goes_on_from_its_model_and_its_history(tmp_path):
    folder = folder_with(tmp_path / "run", TrainingConfig(**{**TINY.__dict__, "epochs": 3}))
    training.build(TINY, 3).network.save(folder / "model.keras")
    row = "1,0.5,0.7,0.5,0.7,1.0"
    (folder / "history.csv").write_text(",".join(HISTORY) + f"\n{row}\n")
    training.train(folder)
    run = runs.Run(folder)
    assert run.status().state == "finished"
    assert run.history()["epoch"].tolist() == [1, 2, 3]
    assert (folder / "history.csv").read_text().splitlines()[1] == row
    for name in ("model.keras", "history.csv"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:50])
        with pytest.raises(TrainingError, match="damaged"):
            training.train(folder)
        (folder / name).write_bytes(whole)


@pytest.mark.slow
def test_a_validation_set_is_kept_aside_from_the_training_set_and_chooses_the_epoch(monkeypatch, tmp_path):
    import keras

    seen = []
    load = dataset.images_and_labels
    monkeypatch.setattr(
        dataset, "images_and_labels", lambda table, *how: seen.append(set(table["file"])) or load(table, *how)
    )
    config = TrainingConfig(**{**TINY.__dict__, "validation": 0.25, "learning_rate": 0.05, "epochs": 6})
    training.train(folder_with(tmp_path / "run", config))
    learned, validation = seen
    _, test = config.source.split()
    assert (len(learned), len(validation)) == (13, 5)  # of 18 training images
    assert not learned & validation
    assert not (learned | validation) & set(test["file"])
    run = runs.Run(tmp_path / "run")
    assert run.held_out == "validation"
    history = run.history()
    images, labels = load(config.source.split()[0].pipe(lambda rows: rows[rows["file"].isin(validation)]), 16)
    model = keras.saving.load_model(run.model_path)
    loss, _ = model.evaluate(images.read(range(len(images)))[0].astype("float32"), labels, verbose=0)
    assert loss == pytest.approx(history["val_loss"].min(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "steps", "rises"),
    [("constant", 10, 0), ("cosine", 10, 0), ("warmup_cosine", 10, 50), ("warmup_cosine", 100, 375),
     ("warmup_cosine", 500, 500)],
)  # fmt: skip
def test_the_learning_rate_follows_its_schedule(schedule, steps, rises):
    """It rises in a tenth of all steps, in at least 375, but in at most half."""
    config = TrainingConfig(**{**TINY.__dict__, "schedule": schedule, "epochs": 10, "learning_rate": 0.01})
    model = training.build(config, steps)
    rates, t = [], np.arange(0, 10 * steps, max(1, steps // 10))
    for step in t:
        model.optimizer.iterations.assign(step)
        rates.append(float(model.optimizer.inner_optimizer.learning_rate))
    falls = 0.005 * (1 + np.cos(np.pi * (t - rises) / (10 * steps - rises)))
    expected = falls if rises == 0 else np.where(t < rises, 0.01 * (1 + (rises - 1) * t / rises) / rises, falls)
    np.testing.assert_allclose(rates, 0.01 if schedule == "constant" else expected, atol=1e-7)


@pytest.mark.slow
def test_stopped_run_with_patience_keeps_its_best_epochs_model_and_the_last_ones(tmp_path):
    config = TrainingConfig(**{**LONG.__dict__, "patience": 1000, "learning_rate": 0.05})
    run = runs.Run(folder_with(tmp_path / "run", config))

    def stop_after_five_epochs() -> None:
        until(lambda: len(run.history()) >= 5)
        run.stop()

    threading.Thread(target=stop_after_five_epochs, daemon=True).start()
    training.train(run.folder)
    assert run.status().state == "stopped"
    assert evaluated(run.model_path, run)["loss"] == pytest.approx(run.history()["val_loss"].min(), abs=1e-4)
    assert evaluated(run.last_path, run)["loss"] == pytest.approx(run.history()["val_loss"].iloc[-1], abs=1e-4)


@pytest.mark.slow
def test_patience_ends_a_training_so_many_epochs_after_its_lowest_loss():
    """Also in a run that was resumed before."""
    from cnn_core.engine.callbacks import StopEarly, is_over

    random = np.random.default_rng(0)
    for patience in (1, 2, 3, 5) * 20:
        losses = random.integers(0, 12, 40) / 10
        ages = [number - int(np.argmin(losses[: number + 1])) for number in range(40)]
        end = next(number for number, age in enumerate(ages) if age >= patience)
        rows = [{"val_loss": loss} for loss in losses[: end + 1]]
        assert is_over(rows, patience)
        assert not is_over(rows[:-1], patience)
        resumed = rows[: random.integers(0, end + 1)]
        stopping = StopEarly(resumed, patience)
        stopping.set_model(SimpleNamespace(stop_training=False))
        stopping.on_train_begin()
        for number in range(len(resumed), end + 1):
            assert not stopping.model.stop_training
            resumed.append(rows[number])
            stopping.on_epoch_end(number)
        assert stopping.model.stop_training


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_scores_are_the_saved_models_whatever_it_learned_in(precision, tmp_path):
    run = runs.Run(folder_with(tmp_path / "run", TrainingConfig(**{**TINY.__dict__, "precision": precision})))
    training.train(run.folder)
    last = run.history().iloc[-1]
    scores = evaluated(run.model_path, run)
    assert scores["loss"] == pytest.approx(last["val_loss"], abs=2e-5)  # the history is rounded to five places
    assert scores["accuracy"] == pytest.approx(last["val_accuracy"], abs=2e-5)


def evaluated(path: Path, run: runs.Run) -> dict[str, float]:
    """Test a saved model by plain Keras, on the pictures that its run tested it on."""
    import keras

    config = run.config
    table = config.source.table()
    _, test = dataset.split(table, config.test_size, config.seed)
    images, labels = dataset.images_and_labels(test, config.network.input_size)
    model = keras.saving.load_model(path)
    return model.evaluate(images.read(range(len(images)))[0].astype("float32"), labels, verbose=0, return_dict=True)


@pytest.mark.slow
def test_a_batch_whose_gradient_is_no_number_is_left_out():
    import numpy as np

    model = training.build(TINY, steps=1)
    before = [weight.numpy() for weight in model.trainable_variables]
    no_numbers = [np.full_like(weight, np.nan) for weight in before]
    model.optimizer.apply(no_numbers, model.trainable_variables)
    for weight, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    model.optimizer.apply([np.ones_like(weight) for weight in before], model.trainable_variables)
    assert all((weight.numpy() != value).all() for weight, value in zip(model.trainable_variables, before, strict=True))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limits on a file's size")
def test_disk_that_fills_up_during_training_fails_with_a_sentence_and_can_be_resumed(tmp_path):
    """No file may be written past 1 MB, which the model does not fit into: the system's own 'no room' error."""
    import resource

    wide = TrainingConfig(**{**TINY.__dict__, "network": NetworkSpec(16, (ConvBlock(8),), dense_units=1024)})
    run = runs.Run(folder_with(tmp_path / "run", wide))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(TrainingError, match="disk is full"):
            training.train(run.folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert run.status().state == "failed"
    assert "disk is full" in run.status().message
    assert not list(run.folder.glob(".*"))
    training.train(run.folder)
    assert run.status().state == "finished"
    assert run.history()["epoch"].tolist() == [1, 2]
    assert run.steps()["step"].tolist() == [1, 2, 3, 4, 5, 6]
    assert run_size.most_bytes(wide) / 3 < files.size(run.folder) < run_size.most_bytes(wide)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["article", "accurate"])
def test_data_that_is_not_there_fails_with_the_datasets_sentence(tmp_path, tensorflow_not_yet, recipe):
    run = runs.start(TrainingConfig(**{**TINY.__dict__, "data": str(tmp_path / "nothing"), "recipe": recipe}))
    status = run.wait(60)
    assert status == Status(**{**status.__dict__, "state": "failed"})
    assert "There is no folder or zip" in status.message
    assert not run.model_path.exists()
