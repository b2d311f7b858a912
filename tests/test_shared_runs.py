"""Two processes that share a run learn what one learns alone; so do two devices. A run that lost a worker goes on."""

from pathlib import Path

import numpy as np
import pytest

from cnn_core import runs
from cnn_core.engine.cluster import LOST
from tests.forked_runs import carry_out, needs_fork

pytestmark = [pytest.mark.slow, needs_fork]


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> tuple[Path, dict]:
    top = tmp_path_factory.mktemp("shared")
    return top, carry_out("shared_runs.py", top)


@pytest.mark.parametrize("name", ["devices", "shared"])
def test_the_losses_are_those_of_one_process_with_the_same_batches(shared, name):
    top, _ = shared
    alone, together = (runs.Run(top / one) for one in ("alone", name))
    assert together.status().state == alone.status().state == "finished", together.status()
    columns = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    np.testing.assert_allclose(together.history()[columns], alone.history()[columns], atol=1e-3)
    np.testing.assert_allclose(together.steps(), alone.steps(), atol=1e-3)
    assert len(alone.steps()) == 9  # three epochs with batches of 7, 7 and 1
    assert np.ptp(alone.history()["loss"]) > 1e-2  # it learns: a step that was left out or weighed wrongly would show


def test_all_stop_after_the_same_step_when_one_is_asked_to(shared):
    _, lives = shared
    assert lives["stopped"]["states"] == ["stopped", "stopped"]
    assert lives["stopped"]["steps"] == [3, 3]


def test_when_a_worker_is_killed_the_other_one_ends_with_a_sentence(shared):
    _, lives = shared
    first, _ = lives["lost"]["states"]
    assert (first, lives["lost"]["messages"][0]) == ("failed", LOST)
    assert lives["lost"]["seconds"] < 120  # it does not wait for the lost one


def test_it_goes_on_from_its_checkpoint_with_a_worker_that_has_nothing(shared):
    _, lives = shared
    assert lives["resumed"]["states"] == ["finished", "finished"]
    assert lives["lost"]["steps"][0] == 5
    assert lives["resumed"]["steps"] == [9, 4]  # the second worker, in a new folder, learns only what is left


def test_the_run_folder_is_that_of_any_run(shared):
    top, _ = shared
    assert {file.name for file in (top / "shared").iterdir()} == {
        "config.json", "environment.json", "history.csv", "lock", "model.keras", "snapshots", "status.json",
        "steps.jsonl", "test", "train",
    }  # fmt: skip
