"""The virtual environment ``.venv``: the Python that it is made from, and the packages in it."""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import sys
from pathlib import Path

from cnn_core.setup import processes

OLDEST, NEWEST = (3, 10), (3, 13)  # TensorFlow 2.20 and 2.21 have builds for these
PACKAGES = ("numpy", "pandas", "PIL", "plotly", "skimage", "sklearn", "tensorflow", "keras", "streamlit")
HEAVY = {"tensorflow", "keras"}
ROOM_GB = 3.5  # a full .venv takes 2.5 GB, and pip keeps what it downloads


def prepare(requirements: str) -> Path:
    """Make ``.venv`` if it is missing or broken, and install `requirements` if they changed since the last time.

    Parameters
    ----------
    requirements : str
        ``requirements.txt`` or ``requirements-dev.txt``, which includes it.

    Returns
    -------
    pathlib.Path
        The Python of ``.venv``.

    Raises
    ------
    SystemExit
        With a sentence that says what is wrong and what to do.
    """
    python, stamp = venv_python(), processes.ROOT / ".venv" / (requirements + ".installed")
    try:
        if python.exists() and stamp.exists() and stamp.read_text() == _digest(python):
            return python
        if not processes.starts([str(python), "-m", "pip", "--version"]):
            make_venv()
        install(python, requirements)
        for name in {requirements, "requirements.txt"}:
            (processes.ROOT / ".venv" / (name + ".installed")).write_text(_digest(python))
    except KeyboardInterrupt:
        sys.exit("Interrupted. Run the same command again to continue.")
    except OSError as error:
        where = processes.ROOT / ".venv"
        sys.exit(f"{where} could not be written: {error.strerror}. Free some disk space, or clone elsewhere.")
    return python


def venv_python() -> Path:
    """Return where the Python of ``.venv`` is, or will be."""
    return processes.ROOT / ".venv" / ("Scripts/python.exe" if processes.WINDOWS else "bin/python")


def require_python() -> None:
    """Go on in a newer Python when this one cannot even read the library; without one, say so and end.

    Raises
    ------
    SystemExit
        With a sentence, when there is no suitable Python.
    """
    if sys.version_info < OLDEST:
        sys.exit(processes.become([suitable_python(), "-m", "cnn_core", *sys.argv[1:]]))


def reexec_in_venv() -> None:
    """Run this very command again with the Python of ``.venv``, if this Python lacks the packages.

    Raises
    ------
    SystemExit
        With a sentence, when ``.venv`` is not there yet or lacks them too.
    """
    missing = {name for name in PACKAGES if not importlib.util.find_spec(name)}
    if not missing or (missing <= HEAVY and not venv_python().exists()):  # what needs those says so itself
        return
    if not venv_python().exists() or os.environ.get("CNN_LAB_IN_VENV"):
        start = "py" if processes.WINDOWS else "python3"
        install_them = (
            f"{start} -m cnn_core app" if processes.in_checkout() else "pip install --force-reinstall cnn-lab"
        )
        sys.exit(f"CNN Lab's packages are missing. Install them by running once: {install_them}")
    paths = [str(processes.ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ.update(CNN_LAB_IN_VENV="1", PYTHONPATH=os.pathsep.join(filter(None, paths)))
    sys.exit(processes.become([str(venv_python()), "-m", "cnn_core", *sys.argv[1:]]))


def suitable_python() -> str:
    """Return this Python if TensorFlow has a build for it, else another one on this machine.

    Raises
    ------
    SystemExit
        With a sentence, when there is none.
    """
    if OLDEST <= sys.version_info[:2] <= NEWEST and sys.maxsize > 2**32:
        return sys.executable
    question = "import sys; print(sys.executable if sys.maxsize > 2**32 else '')"
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for command in ([f"python3.{minor}"], ["py", f"-3.{minor}"]):
            path = processes.answer([*command, "-c", question])
            if path:
                return path
    newest = "{}.{}".format(*NEWEST)
    return sys.exit(
        f"CNN Lab needs a 64-bit Python 3.{OLDEST[1]} to {newest}, since TensorFlow has builds for these; this one is "
        f"{platform.python_version()}. Install Python {newest} beside it, or let uv fetch it: pip install uv, then: "
        f"uv run --no-project --python {newest} -m cnn_core {' '.join(sys.argv[1:2])}"
    )


def make_venv() -> None:
    """Make ``.venv`` anew, without packages.

    Raises
    ------
    SystemExit
        With a sentence that says what is wrong and what to do.
    """
    free = shutil.disk_usage(str(processes.ROOT)).free / 1e9
    if free < ROOM_GB:
        sys.exit(f"CNN Lab's packages need {ROOM_GB} GB of disk; {free:.1f} GB are free here. Free some disk space.")
    python = suitable_python()
    processes.say("Making the virtual environment .venv")
    command = [python, "-m", "venv", "--clear", str(processes.ROOT / ".venv")]
    code, words = processes.watch(command, show=False)
    package = "python{}-venv".format(
        processes.answer([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    )
    missing = "ensurepip" in words or "No module named venv" in words
    if missing and processes.may_apt():  # Debian and its kin ship Python without venv
        processes.call(["apt-get", "update"])
        processes.call(["apt-get", "install", "-y", package])
        code, words = processes.watch(command, show=False)
    elif missing:
        sys.exit(
            f"This Python has no venv. On Debian or Ubuntu: sudo apt install {package}. Then run the same command "
            "again."
        )
    if code:
        sys.exit(f"The virtual environment .venv could not be made. {reason(words)}")


def install(python: Path, requirements: str) -> None:
    """Install `requirements`, a file of the checkout, for `python`.

    Raises
    ------
    SystemExit
        With what pip printed and a sentence that explains it.
    """
    processes.say(f"Installing {requirements} into .venv: up to 600 MB to download, only the first time")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    code, words = processes.watch([*pip, "-r", str(processes.ROOT / requirements)])
    if code:
        sys.exit(f"{words[-3000:]}\nThe packages could not be installed. {reason(words)}")


def reason(words: str) -> str:
    """Turn what pip or venv printed into a sentence.

    >>> reason("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device")
    'The disk, or the folder for temporary files, is full: free some space, then run the same command again.'
    """
    known = [
        (
            r"No space left|Errno 28|not enough space|Disk quota",
            "The disk, or the folder for temporary files, is full: free some space, then run the same command again.",
        ),
        (
            r"establish a new connection|ConnectionError|[Nn]ame ?[Rr]esolution|getaddrinfo|timed out|ProxyError"
            r"|SSLError|Network is unreachable|Connection (refused|reset|aborted)|ConnectionResetError|IncompleteRead",
            "The network did not answer: check the connection (or the proxy settings), then run the same command "
            "again; what was already downloaded is kept.",
        ),
        (
            r"No matching distribution found for tensorflow",
            "TensorFlow has no build for this system. It has one for 64-bit Linux with glibc, for 64-bit Windows and "
            "for Macs with an Apple chip.",
        ),
        (r"from versions: none", "No package index was reached: check the connection (or pip's settings)."),
        (r"Permission denied|Access is denied", "A file could not be written: check who owns this folder."),
    ]
    for pattern, sentence in known:
        if re.search(pattern, words):
            return sentence
    return "The lines above say why. Remove the folder .venv and try again; if it fails again, show them to a helper."


def _digest(python: Path) -> str:
    """Identify what is installed: the requirements, and the Python that .venv was made from."""
    parts = [(processes.ROOT / name).read_bytes() for name in ("requirements.txt", "requirements-dev.txt")]
    parts += [(python.parent.parent / "pyvenv.cfg").read_bytes(), str(python.resolve()).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
