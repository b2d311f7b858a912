"""The journal of a run: its heartbeat, its steps, and a disk without room."""

import errno
import os

from cnn_core.engine import journal
from cnn_core.engine.journal import Journal
from tests.tiny_runs import folder_with, until


def test_heartbeat_and_full_disk_in_the_journal(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(journal, "HEARTBEAT_SECONDS", 0.02)
    written = Journal(folder_with(tmp_path / "run"))
    os.utime(tmp_path / "run" / "status.json", (1, 1))
    until(lambda: (tmp_path / "run" / "status.json").stat().st_mtime > 1, 5)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal, "replace_file", full)
    written.write(state="running")  # goes on
    written.close()
    assert "No space left" in capsys.readouterr().err


def test_steps_of_an_unfinished_epoch_are_dropped_on_resume(tmp_path):
    path = tmp_path / "steps.jsonl"
    path.write_text("".join(f'{{"step": {n}}}\n' for n in range(1, 8)))
    journal.keep_steps(path, 4)
    assert path.read_text().splitlines() == [f'{{"step": {n}}}' for n in range(1, 5)]
    journal.keep_steps(tmp_path / "none.jsonl", 4)
    assert (tmp_path / "none.jsonl").read_text() == ""
