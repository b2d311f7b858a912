"""One process that imports TensorFlow before a training is asked for: then the first step comes some seconds sooner.

It then draws the pets from which most first runs learn, unless they are there. It waits for the folder of a run on its
standard input, and ends when that is closed: by `dismiss`, after `IDLE_SECONDS`, or with the process that began it.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cnn_core import CnnLabError, sketches
from cnn_core.engine import child, loading
from cnn_core.setup import installed
from cnn_core.storage.files import visiting

SWITCH = "CNN_LAB_WARM"
"""The environment variable that, set to 0, says that no process is begun before it is needed."""

WAIT = "-"
"""The argument, in the place of a folder, that lets a training process wait for one."""

IDLE_SECONDS = 600.0
"""For how long the process waits, from the last `prepare` on."""

MEMORY = 2 * 2**30
"""Bytes that must be available: the process takes a third of them while it waits."""

MODULES = (
    "pandas",
    *(f"cnn_core.engine.{name}" for name in ("learning", "augmentation", "image_by_image", "fused_adam")),
)


class _NotNow(Exception):
    """A run has come; if it learns from drawn pets, it draws its own."""


@dataclass
class _Warm:
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    timer: threading.Timer


_turn = threading.Lock()
_warm: _Warm | None = None

# In the process itself:
_waiting = False
_taken, _loaded = threading.Event(), threading.Event()


def prepare() -> None:
    """Begin the process, unless it is there, memory is short or unknown, or `SWITCH` forbids it.

    A visitor of a shared server waits in line anyway, and the memory is for those who train.
    """
    global _warm
    if os.environ.get(SWITCH) == "0" or visiting() or not installed.has_tensorflow():
        return
    with _turn:
        process = None
        if _warm:
            _warm.timer.cancel()
            if _warm.process.poll() is None and _warm.environment == dict(os.environ):
                process = _warm.process
            else:
                _close(_warm)
                _warm = None
        if process is None:
            if available() < MEMORY:
                return
            try:
                process = child.begin(WAIT, subprocess.PIPE, subprocess.DEVNULL)
            except OSError:  # the run itself will say so
                return
            threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie
        timer = threading.Timer(IDLE_SECONDS, dismiss)
        timer.daemon = True
        timer.start()
        _warm = _Warm(process, dict(os.environ), timer)


def dismiss() -> None:
    """End the process, if there is one."""
    global _warm
    with _turn:
        if _warm:
            _close(_warm)
        _warm = None


def take(folder: Path) -> subprocess.Popen[bytes] | None:
    """Let the process carry out the run of this folder, and return it; None when there is no such process."""
    global _warm
    if visiting():
        return None
    with _turn:
        ready, _warm = _warm, None
        if ready is None:
            return None
        stdin = ready.process.stdin
        fits = stdin and ready.process.poll() is None and ready.environment == dict(os.environ)
        try:
            if stdin and fits:
                stdin.write(json.dumps(str(folder.absolute())).encode() + b"\n")
                stdin.flush()
        except OSError:  # it has died
            fits = False
        _close(ready)
        return ready.process if fits else None


def _close(warm: _Warm) -> None:
    warm.timer.cancel()
    with suppress(OSError):
        if warm.process.stdin:
            warm.process.stdin.close()


def available() -> int:
    """Return how many bytes of memory are available, within the container's limit; 0 where Linux does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 0
    group = Path("/sys/fs/cgroup")
    try:
        return min(free, int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):  # there is no limit
        return free


def wait_for_folder() -> Path:
    """In the process itself: begin to import TensorFlow, and wait for the folder of a run."""
    global _waiting
    _waiting = True
    threading.Thread(target=_get_ready, daemon=True).start()
    line = sys.stdin.readline()
    _taken.set()
    if not line:  # nobody needs this process any more
        os._exit(0)
    folder = Path(json.loads(line))
    with (folder / "log.txt").open("ab") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    sys.orig_argv[-1] = str(folder)  # as if it had been begun for this run
    return folder


def finish_loading() -> None:
    """In the process itself, before anything else imports TensorFlow: wait until it has been imported."""
    if _waiting:
        _loaded.wait()


def _get_ready() -> None:
    try:
        with suppress(Exception):  # the run will import it again and say so
            loading.import_tensorflow()
            for name in MODULES:
                importlib.import_module(name)
    finally:
        _loaded.set()
    with suppress(_NotNow, CnnLabError):
        sketches.folder(progress=_while_nobody_waits)


def _while_nobody_waits(*_: object) -> None:
    if _taken.is_set():
        raise _NotNow
