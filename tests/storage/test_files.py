"""A file that is replaced is the old one or the new one, whatever happens; if it has to last, also on the disk."""

import os

import pytest

from cnn_core.storage.files import replace_file


@pytest.fixture
def waits(tmp_path, monkeypatch):
    """What the system was told to write to the disk: its number in the file system, and what was in the file then."""
    found, wait = [], os.fsync

    def fsync(opened):
        found.append((os.fstat(opened).st_ino, (tmp_path / "file").read_text()))
        wait(opened)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


@pytest.mark.skipif(os.name != "posix", reason="this system opens no folders")
def test_a_power_loss_finds_the_content_on_the_disk_before_the_name(tmp_path, waits):
    file = tmp_path / "file"
    file.write_text("old")
    replace_file(file, "new", lasting=True)
    assert waits == [(file.stat().st_ino, "old"), (tmp_path.stat().st_ino, "new")]


def test_what_may_be_lost_does_not_wait_for_the_disk(tmp_path, waits):
    replace_file(tmp_path / "file", "new")
    assert waits == []


def test_a_disk_that_cannot_write_leaves_the_old_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    target = tmp_path / "file"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(target, "new", lasting=True)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
