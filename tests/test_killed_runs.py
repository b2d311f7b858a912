"""A run that is killed at any moment and resumed ends with the history, the steps and the model of one that was not."""

import io
import zipfile
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest

from cnn_core import runs
from cnn_core.engine.snapshots import read
from tests.forked_runs import carry_out, needs_fork

pytestmark = [pytest.mark.slow, needs_fork]


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> tuple[Path, dict]:
    """The article's recipe in float32 as a graph, compiled, and in bfloat16 step by step, and the recipe “accurate”."""
    top = tmp_path_factory.mktemp("killed")
    return top, carry_out("killed_runs.py", top)


def weights(model: Path) -> list[np.ndarray]:
    """All that a saved model holds, its optimizer's state included."""
    found = []
    with zipfile.ZipFile(model) as parts, h5py.File(io.BytesIO(parts.read("model.weights.h5"))) as file:
        file.visititems(lambda name, part: found.append(np.array(part)) if isinstance(part, h5py.Dataset) else None)
    return found


@pytest.mark.parametrize(("kind", "kills"), [("graph", 3), ("compiled", 1), ("eager", 20), ("accurate", 2)])
def test_killed_at_any_moment_it_ends_as_if_it_had_not_been(killed, kind, kills):
    top, lives = killed
    assert len(lives[kind]) == kills
    assert all(life["signal"] for life in lives[kind]), lives[kind]  # each was killed indeed
    assert not any(life["broken"] for life in lives[kind]), lives[kind]
    whole, often = (runs.Run(top / kind / name) for name in ("whole", "killed"))
    assert often.status().state == whole.status().state == "finished", often.status()
    columns = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert often.history()[columns].equals(whole.history()[columns])
    assert len(whole.history()) == whole.config.epochs
    assert (often.folder / "steps.jsonl").read_bytes() == (whole.folder / "steps.jsonl").read_bytes()
    broken = ["cat.1.png", "cat.4.png", "dog.0.png", "dog.3.png", "dog.7.png"] if kind == "graph" else []
    for run in (whole, often):  # those of the training and of the validation set
        assert set(run.broken()) <= set(broken)
        assert len(run.broken()) == len(set(run.broken())) == run.status().broken
    assert sorted(often.broken()) == sorted(whole.broken())
    assert bool(whole.broken()) == bool(broken)
    assert whole.last_path.exists() == often.last_path.exists() == whole.config.keeps_best == (kind == "graph")
    for name in ("model.keras", "last.keras") if whole.config.keeps_best else ("model.keras",):
        pairs = list(zip(weights(often.folder / name), weights(whole.folder / name), strict=True))
        assert len(pairs) > 6
        assert all(np.array_equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("kind", ["graph", "eager", "accurate"])
def test_its_snapshots_are_those_of_a_run_that_was_not_killed(killed, kind):
    top, _ = killed
    whole, often = (runs.Run(top / kind / name).snapshots() for name in ("whole", "killed"))
    assert list(whole) == list(often)
    assert len(whole) >= 5
    for one, other in zip(whole.values(), often.values(), strict=True):
        assert all(np.array_equal(*pair) for pair in zip(read(one), read(other), strict=True))


@pytest.mark.parametrize("kind", ["graph", "eager", "accurate"])
def test_no_life_begins_again_before_the_last_checkpoint(killed, kind):
    """With a checkpoint after every step, a life loses one step at most."""
    _, lives = killed
    steps = [life["steps"] for life in lives[kind]]
    assert all(after >= before - 1 for before, after in pairwise(steps)), steps


@pytest.mark.parametrize(("kind", "held_out"), [("graph", "validation"), ("eager", "test")])
def test_nothing_is_left_lying_about(killed, kind, held_out):
    top, _ = killed
    names = {file.name for file in (top / kind / "killed").iterdir()}
    assert names == {
        "config.json", "environment.json", "history.csv", "lock", "model.keras", "snapshots", "status.json",
        "steps.jsonl", "train", held_out, *(["broken.txt", "last.keras"] if kind == "graph" else []),
    }  # fmt: skip
