"""The event files say what the history says, and a resumed run says it once."""

import pytest

from cnn_core import runs, training
from cnn_core.engine.config import TrainingConfig
from tests.tiny_runs import TINY, folder_with

pytestmark = pytest.mark.slow


def read(folder, tag: str) -> tuple[list[int], list[float]]:
    """Return the steps and the values that TensorBoard shows."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = reader.EventAccumulator(str(folder))
    events.Reload()
    points = events.Scalars(tag)
    return [point.step for point in points], [point.value for point in points]


def test_tensorboard_shows_the_history_and_the_steps(tmp_path):
    folder = folder_with(tmp_path / "run", TrainingConfig(**{**TINY.__dict__, "validation": 0.25}))
    training.train(folder)
    run = runs.Run(folder)
    history, steps = run.history(), run.steps()
    for quantity in ("loss", "accuracy"):
        for part, column in (("train", quantity), ("validation", f"val_{quantity}")):
            epochs, values = read(folder / part, f"epoch_{quantity}")
            assert epochs == [1, 2]
            assert values == pytest.approx(history[column].tolist(), abs=1e-5)
        numbers, values = read(folder / "train", f"batch_{quantity}")
        assert numbers == steps["step"].tolist()
        assert values == pytest.approx(steps[quantity].tolist(), abs=1e-6)


def test_a_resumed_runs_unfinished_epoch_is_there_once(tmp_path):
    """It is killed in its second epoch, as nobody can foresee: the files of then stay, with a step too many."""
    from cnn_core.engine.checkpoint import Place
    from cnn_core.engine.tensorboard import WriteEvents

    values = {"loss": 0.5, "accuracy": 0.5, "val_loss": 0.6, "val_accuracy": 0.5}
    for done, steps, epochs in ((0, 5, 1), (3, 6, 2)):  # three steps an epoch
        place = Place(3, done // 3)
        events = WriteEvents(tmp_path, "test", place)
        events.on_train_begin()
        for step in range(done, steps):
            place.step += 1
            events.on_train_batch_end(step, values | {"loss": 0.1 * steps})
        for epoch in range(done // 3, epochs):
            events.on_epoch_end(epoch, values)
    steps, losses = read(tmp_path / "train", "batch_loss")
    assert steps == [1, 2, 3, 4, 5, 6]
    assert losses == pytest.approx([0.5, 0.5, 0.5, 0.6, 0.6, 0.6])
    assert read(tmp_path / "train", "epoch_loss")[0] == [1, 2]
    assert read(tmp_path / "test", "epoch_accuracy")[0] == [1, 2]
