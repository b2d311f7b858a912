"""Spaces of visitors: emptied when nobody comes back, or by who they belong to; never while a run lives there."""

import os

from cnn_core.data_files import kept
from cnn_core.host import counts, spaces
from cnn_core.storage import files, lock
from tests.shared_server import at, door  # noqa: F401
from tests.tiny_runs import folder_with


def test_only_idle_spaces_are_emptied_and_none_where_a_run_lives(door, at):  # noqa: F811
    for name in ("idle", "training", "here"):
        with at(name):
            kept.keep(b"photos", "pets.zip")
            run = folder_with(files.home() / "runs" / "one")
    long_ago = 1_000_000_000
    for name in ("idle", "training", "here"):
        os.utime(door.space(name), (long_ago, long_ago))
    with at("here"):
        spaces.greet()
    with lock.locked(door.space("training") / "runs" / "one"):
        assert spaces.empty_idle() == [door.space("idle").name]
    assert [path.exists() for path in map(door.space, ("idle", "training", "here"))] == [False, True, True]
    assert run.exists()
    assert spaces.empty_idle() == [door.space("training").name]
    assert counts.read()["spaces_emptied"] == 2
    assert sorted(path.name for path in spaces.root().iterdir()) == [door.space("here").name]


def test_who_only_looks_around_leaves_nothing_behind(door, at):  # noqa: F811
    with at("anna") as _:
        spaces.greet()
    assert not door.space("anna").exists()


def test_a_visitor_deletes_what_is_theirs_but_nothing_that_trains(door, at):  # noqa: F811
    with at("ben"):
        kept.keep(b"photos", "pets.zip")
    with at("anna"):
        run = folder_with(files.home() / "runs" / "one")
        with lock.locked(run):
            assert not spaces.clear()
        assert run.exists()
        assert spaces.clear()
    assert not door.space("anna").exists()
    assert door.space("ben").exists()


def test_at_home_nothing_is_cleared(monkeypatch, tmp_path):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))
    (tmp_path / "runs").mkdir()
    assert not spaces.clear()
    assert (tmp_path / "runs").exists()
