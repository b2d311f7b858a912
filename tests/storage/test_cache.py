"""The cache: nothing half written, nothing stale, bounded in size."""

import pytest

from cnn_core.storage import cache


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))
    return tmp_path


def test_a_result_is_computed_once():
    calls = []

    def write(path):
        calls.append(path)
        path.write_text("result")

    first = cache.cached("exports", ["a"], write, ".txt")
    assert cache.cached("exports", ["a"], write, ".txt") == first
    assert first.read_text() == "result"
    assert len(calls) == 1


def test_what_fails_leaves_nothing(home):
    def write(path):
        path.write_text("half")
        raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        cache.cached("exports", ["a"], write)
    assert list((home / "cache").iterdir()) == []


def test_the_result_used_longest_ago_is_deleted_first(monkeypatch):
    import os

    monkeypatch.setitem(cache.MAX_BYTES, "exports", 25)
    paths = [cache.cached("exports", [name], lambda path: path.write_bytes(bytes(10))) for name in "ab"]
    for age, path in zip((200, 100), paths, strict=True):
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    cache.cached("exports", ["a"], lambda path: None)  # a is used again, so b is the oldest
    newest = cache.cached("exports", ["c"], lambda path: path.write_bytes(bytes(10)))
    assert [path.exists() for path in (*paths, newest)] == [True, False, True]


def test_a_changed_file_has_another_fingerprint(home):
    file = home / "photo.jpg"
    file.write_bytes(b"one")
    before = cache.fingerprint([file])
    file.write_bytes(b"three")
    assert cache.fingerprint([file]) != before
