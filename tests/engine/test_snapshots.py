"""A run keeps few and small copies of its network, at moments settled before, and reads them back as they were."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_core.engine import snapshots
from cnn_core.network import ARTICLE
from cnn_core.runs import Run


def network(*values: float) -> SimpleNamespace:
    """What a snapshot needs to know of a Keras model."""
    return SimpleNamespace(get_weights=lambda: [np.full((3, 3, 3, 4), value, np.float32) for value in values])


@given(st.integers(1, 5000), st.integers(1, 1000), st.integers(1, 50_000_000))
def test_the_plan_is_bounded_and_has_the_beginning_and_the_end(steps, epochs, parameters):
    plan = snapshots.plan(steps, epochs, parameters)
    assert len(plan) <= snapshots.MOST
    assert 2 * parameters * len(plan) <= snapshots.MAX_BYTES
    assert all(earlier < later for earlier, later in pairwise(plan))
    if plan:
        assert {0, steps, epochs * steps} <= set(plan)
        assert all(batches % steps == 0 for batches in plan if batches > steps)
    else:
        assert 2 * parameters * snapshots.LEAST > snapshots.MAX_BYTES


@pytest.mark.parametrize("steps", [40, 1250])
def test_every_epoch_of_a_short_run_of_the_articles_network_is_in_the_plan(steps):
    plan = snapshots.plan(steps, 12, ARTICLE.parameters)
    assert {epoch * steps for epoch in range(1, 13)} <= set(plan)
    assert {0, 1, 2, 4, 8, 16, 32} <= set(plan)


def test_what_is_kept_is_read_again_and_what_will_be_learned_again_is_dropped(tmp_path):
    for batches in (0, 2, 40, 120):
        snapshots.save(tmp_path, network(batches, 0.1), batches)
    assert list(Run(tmp_path).snapshots()) == [0, 2, 40, 120]
    (tmp_path / snapshots.FOLDER / ".000000160-ab.npz").write_bytes(b"half")
    snapshots.drop_after(tmp_path, 40)
    kept = snapshots.kept(tmp_path)
    assert list(kept) == [0, 2, 40]
    assert len(list((tmp_path / snapshots.FOLDER).iterdir())) == 3
    first, second = snapshots.read(kept[40])
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, np.full((3, 3, 3, 4), 40, np.float32))
    np.testing.assert_allclose(second, 0.1, rtol=2**-11)  # half a unit in the last place of float16


def test_a_run_without_snapshots_has_none(tmp_path):
    snapshots.drop_after(tmp_path, 0)
    assert snapshots.kept(tmp_path) == {}


@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_a_damaged_snapshot_gets_a_sentence(tmp_path, damage):
    snapshots.save(tmp_path, network(1.0), 8)
    (path,) = snapshots.kept(tmp_path).values()
    path.write_bytes(path.read_bytes()[:-30] if damage is None else damage)
    with pytest.raises(snapshots.SnapshotError, match="Delete it to see the others"):
        snapshots.read(path)
