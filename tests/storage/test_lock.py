"""A lock keeps a second process out, and ends with the first however it ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_core.storage import lock

ROOT = Path(__file__).parents[2]
HOLD = "import sys; from pathlib import Path; from cnn_core.storage.lock import locked\n" + (
    "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.05)
    assert lock.held(tmp_path) is None
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout.readline().strip() == b"held"
        assert lock.held(tmp_path)
        with pytest.raises(lock.LockError, match="Another process is at work"), lock.locked(tmp_path):
            pass
        first.kill()
        first.wait()
    assert lock.held(tmp_path) is False
    with lock.locked(tmp_path):
        assert lock.held(tmp_path)
    assert lock.held(tmp_path) is False


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no signal that pauses a process")
def test_a_paused_process_still_holds_it(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout.readline().strip() == b"held"
        first.send_signal(signal.SIGSTOP)
        assert lock.held(tmp_path)
        first.kill()
