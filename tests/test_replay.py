"""A replayed training shows what the network said, saw and looked at: at its end, what the saved model does."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from cnn_core import explain, models, replay, training
from cnn_core.dataset import LABELS
from cnn_core.engine.config import TrainingConfig
from cnn_core.figures import replay_pictures
from cnn_core.layers.first_kernels import learned_kernels
from cnn_core.runs import Run
from tests.tiny_runs import TINY, folder_with

PHOTO = np.random.default_rng(5).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def frame(batches: int, cat: float, value: float) -> replay.Frame:
    """A frame of a network with four kernels, of which number 2 changes most."""
    kernels = np.zeros((3, 3, 3, 4), np.float32) + value * np.array([0.1, 0.0, 1.0, 0.2], np.float32)
    shares = {"cat": cat, "dog": 1 - cat}
    label = max(shares, key=shares.__getitem__)
    heat = {name: np.full((16, 16), value, np.float32) for name in LABELS}
    answer = models.Prediction(label, shares[label], shares, "run")
    return replay.Frame(batches, answer, kernels, np.full((14, 14, 4), value, np.float32), heat, "conv_1")


MOMENTS = ["untrained", "step 1", "epoch 1"]
FRAMES = [frame(0, 0.5, 0.0), frame(1, 0.4, 0.3), frame(40, 0.9, 1.0)]


def test_the_gif_shows_every_moment_and_the_last_one_longer():
    with Image.open(io.BytesIO(replay_pictures.gif(FRAMES, PHOTO, "cat", MOMENTS))) as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (
            3, (replay_pictures.WIDTH, replay_pictures.HEIGHT), 0,
        )  # fmt: skip
        times, pages = [], []
        for at in range(3):
            image.seek(at)
            times.append(image.info["duration"])
            pages.append(np.asarray(image.convert("RGB")))
    assert times == [700, 700, 2500]
    assert all((one != other).any() for one, other in pairwise(pages))


def test_colors_mean_the_same_at_every_moment():
    side = replay_pictures.TILE
    (first,), (last,) = (replay_pictures.tiles(FRAMES, at, [2]) for at in (0, 2))
    assert first.shape == (2 * side + replay_pictures.GAP, side, 3)
    assert (first[:side] == 128).all()  # zero is middle gray
    assert (last[:side] == 255).all()
    assert (first[-1, -1] == 247).all()  # zero is white
    assert last[-1, -1].tolist() == [103, 0, 31]  # the strongest red


def test_a_heat_map_changes_the_photo():
    cold, hot = (replay_pictures.photo(FRAMES[at], PHOTO, "dog", 32) for at in (0, 2))
    assert cold.shape == (32, 32, 3)
    assert hot.astype(int).sum() > cold.astype(int).sum()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of six steps, in a home of its own."""
    top = tmp_path_factory.mktemp("replay")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_LAB_HOME", str(top / "home"))
        config = TrainingConfig(**{**TINY.__dict__, "learning_rate": 0.02, "precision": "float32"})
        folder = folder_with(top / "home" / "runs" / "20260101-000000-aaaa", config)
        training.train(folder)
        yield Run(folder)


@pytest.mark.slow
def test_the_last_frame_is_the_saved_model(run):
    frames = replay.replay(run, PHOTO)
    assert [shown.batches for shown in frames] == [0, 1, 2, 3, 6]
    model = models.open_model(run.id)
    last, answer = frames[-1], model.classify(PHOTO)
    assert last.prediction.label == answer.label
    assert last.prediction.probability == pytest.approx(answer.probability, abs=1e-3)
    np.testing.assert_allclose(last.kernels, learned_kernels(run.model_path), atol=1e-3)
    maps = explain.feature_maps(model, PHOTO, explain.layers(model)[1])
    np.testing.assert_allclose(last.maps, maps, atol=3e-3)
    small = np.asarray(Image.fromarray(PHOTO).resize((16, 16), Image.Resampling.BILINEAR))
    for label in LABELS:
        np.testing.assert_allclose(last.heat[label], explain.heat_map(model, small, label), atol=5e-3)
    assert np.abs(frames[0].kernels - last.kernels).max() > 0.01  # it has learned


@pytest.mark.slow
def test_what_was_computed_is_kept_and_a_damaged_snapshot_left_out(run, monkeypatch):
    frames = replay.replay(run, PHOTO)
    seen = []
    monkeypatch.setattr(replay, "grad_cam", None)  # nothing is computed again
    again = replay.replay(run, PHOTO, lambda *told: seen.append(told))
    assert seen[-1] == (4, 5, "Replaying the training")
    assert [shown.prediction for shown in again] == [shown.prediction for shown in frames]
    path = run.snapshots()[2]
    content = path.read_bytes()
    path.write_bytes(b"damaged")
    assert [shown.batches for shown in replay.replay(run, PHOTO)] == [0, 1, 3, 6]
    path.write_bytes(content)


def test_a_run_without_snapshots_says_so(tmp_path):
    with pytest.raises(replay.ReplayError, match="Start a new run"):
        replay.replay(Run(folder_with(tmp_path / "run")), PHOTO)
