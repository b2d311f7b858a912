"""The commands that set-up runs, and what it says about them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
WINDOWS = sys.platform == "win32"


def in_checkout() -> bool:
    """Whether this is a clone of the repository, not a package that pip has installed."""
    return (ROOT / "requirements.txt").exists()


def may_apt() -> bool:
    """Whether this process may install packages of Debian or its kin."""
    return not WINDOWS and os.geteuid() == 0 and bool(shutil.which("apt-get"))


def say(sentence: str) -> None:
    """Tell on stderr how far set-up is."""
    print("== " + sentence, file=sys.stderr, flush=True)


def become(command: "list[str]") -> int:
    """Replace this process by `command`; on Windows, which has no such thing, wait for it and return its exit code."""
    if not WINDOWS:
        os.execv(command[0], command)
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 130


def call(command: "list[str]", timeout: "float | None" = None) -> int:
    """Run in the checkout and return the exit code; 127 when it could not start, 124 when it took too long."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="2", DEBIAN_FRONTEND="noninteractive")
    try:
        return subprocess.call(command, cwd=str(ROOT), env=environment, timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return 124
    except OSError:
        return 127


def begin(command: "list[str]", output: "IO[bytes]") -> "subprocess.Popen[bytes]":
    """Start in the checkout, beside this process, with all that it prints going to the file `output`."""
    return subprocess.Popen(command, cwd=str(ROOT), stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


def watch(command: "list[str]", show: bool = True) -> "tuple[int, str]":
    """Run, showing the lines that tell how far pip is; return the exit code and all that was printed."""
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, stdin=nothing)
    words = []  # type: list[str]
    for line in process.stdout or ():
        words.append(line.decode(errors="replace"))
        if show and re.search(r"Downloading .*MB|^Installing|^ERROR|Retrying", words[-1]):
            sys.stderr.write(words[-1])
            sys.stderr.flush()
    return process.wait(), "".join(words)


def starts(command: "list[str]") -> bool:
    """Whether a short command runs and succeeds."""
    return answer(command) is not None


def answer(command: "list[str]") -> "str | None":
    """Return what a short command prints, or None when it fails."""
    try:
        output = subprocess.check_output(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return output.decode(errors="replace").strip()
