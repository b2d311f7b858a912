"""A checkpoint holds all that changes in training, and says so when it is damaged or of another run."""

import numpy as np
import pytest

from cnn_core.engine import checkpoint
from cnn_core.engine.checkpoint import CheckpointError, Place

ROW = {"epoch": 1, "accuracy": 0.5, "loss": 0.7, "val_accuracy": 0.5, "val_loss": 0.7, "seconds": 1.0}


@pytest.fixture
def network():
    import keras
    from keras import layers

    def make(units: int = 4) -> keras.Model:
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [layers.Input((6,)), layers.Dense(units), layers.Dropout(0.5, seed=3), layers.Dense(2)]
        )
        model.compile("adam", "mse", metrics=["mae"], run_eagerly=True)
        model.optimizer.build(model.trainable_variables)
        return model

    return make


@pytest.mark.slow
def test_a_restored_model_learns_on_as_the_one_that_was_saved_dropout_included(network, tmp_path):
    x, y = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")
    model, place = network(), Place(steps=9, epoch=1, step=3, seconds=4.5, rows=[ROW])
    for _ in range(3):
        model.train_on_batch(x, y[:, :2])
    checkpoint.save(tmp_path, model, place)
    assert checkpoint.read_place(tmp_path, 9) == place
    assert place.batches == 12
    other = network()
    checkpoint.restore(tmp_path, other)
    for _ in range(3):
        assert other.train_on_batch(x, y[:, :2]) == model.train_on_batch(x, y[:, :2])
    with pytest.raises(CheckpointError, match="another network"):
        checkpoint.restore(tmp_path, network(units=5))
    with pytest.raises(CheckpointError, match="9 steps and would have 8"):
        checkpoint.read_place(tmp_path, 8)


def test_without_a_checkpoint_there_is_no_place(tmp_path):
    assert checkpoint.read_place(tmp_path, 9) is None


@pytest.mark.parametrize("damage", ["empty", "half", "random"])
def test_a_damaged_checkpoint_gets_a_sentence_with_a_way_on(tmp_path, damage):
    path = tmp_path / checkpoint.NAME
    np.savez(path, place="{}", weights=np.zeros(1000))
    whole = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "half": whole[: len(whole) // 2], "random": np.random.default_rng(0).bytes(500)}[damage]
    )
    with pytest.raises(CheckpointError, match="Delete this file to continue from the last saved model"):
        checkpoint.read_place(tmp_path, 9)
