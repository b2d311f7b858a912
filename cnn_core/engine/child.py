"""How the process that trains is begun."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from cnn_core.storage.files import environment

ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "536870912",
}
"""glibc gives big blocks back to the system and fetches them anew at every step; told not to, training is 1.3 to 1.9
times as fast. Other systems' allocators do not read these variables."""


def begin(argument: str, stdin: int, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Begin ``python -m cnn_core.training argument``, cut off from this process's terminal and signals.

    Parameters
    ----------
    argument : str
    stdin : int
        As `subprocess.Popen` takes it.
    output : int or binary file
        Takes what the process prints.

    Raises
    ------
    OSError
        When no process can be started.
    """
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    more = {**ALLOCATOR, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        [sys.executable, "-m", "cnn_core.training", argument],
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment() | more,
        **apart,
    )
