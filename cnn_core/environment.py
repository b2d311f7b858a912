"""Set-up in one command: the virtual environment ``.venv``, the packages in it, and a Chromium for the browser tests.

This module uses the standard library only, and the syntax of Python 3.6, so that a Python that is too old still gets
far enough to say so. ``python -m cnn_core app`` and ``python -m cnn_core test`` end up in `app` and `test`.
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 10), (3, 13)  # TensorFlow 2.20 and 2.21 have builds for these
PACKAGES = ("numpy", "pandas", "PIL", "plotly", "skimage", "sklearn", "tensorflow", "keras", "streamlit")
ROOM_GB = 3.5  # a full .venv takes 2.5 GB, and pip keeps what it downloads
NO_CHROMIUM = (
    "No Chromium was found, and none could be installed, so the browser tests are skipped. Install Chromium, Chrome "
    "or Edge, or name one in the variable CNN_LAB_CHROMIUM."
)
_WINDOWS = sys.platform == "win32"


def app(arguments: "list[str]") -> int:
    """Install what is missing, then become the app.

    Parameters
    ----------
    arguments : list of str
        Handed on to ``streamlit run streamlit_app.py``.

    Returns
    -------
    int
        The app's exit code, on Windows; elsewhere this process becomes the app.

    Raises
    ------
    SystemExit
        With a sentence when something cannot be installed.
    """
    python = prepare("requirements.txt")
    # Streamlit's first start would wait for an e-mail address on the terminal.
    os.environ.setdefault("STREAMLIT_SERVER_SHOW_EMAIL_PROMPT", "false")
    os.chdir(str(ROOT))
    return _become([str(python), "-m", "streamlit", "run", "streamlit_app.py", *arguments])


def test(arguments: "list[str]") -> int:
    """Install what is missing, check style and types, and run all tests.

    Parameters
    ----------
    arguments : list of str
        Handed on to pytest.

    Returns
    -------
    int
        0 when every check and every test passed.

    Raises
    ------
    SystemExit
        With a sentence when something cannot be installed.
    """
    python = str(prepare("requirements-dev.txt"))
    chromium = obtain_chromium(python)
    if chromium:
        os.environ["CNN_LAB_CHROMIUM"] = chromium
    else:
        _say(NO_CHROMIUM)
    failed = []
    for what in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]):
        _say(" ".join(what))
        if _call([python, "-m", *what]):
            failed.append(" ".join(what))
    for name in failed:  # said before pytest, whose own summary comes last
        _say(f"{name} found something to mend: see above.")
    _say("pytest")
    outcome = _call([python, "-m", "pytest", *arguments])
    return outcome or int(bool(failed))


test.__test__ = False  # type: ignore[attr-defined]  # for pytest, which takes every test* of a file it is given


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
    python, stamp = venv_python(), ROOT / ".venv" / (requirements + ".installed")
    try:
        if python.exists() and stamp.exists() and stamp.read_text() == _digest(python):
            return python
        if not _starts([str(python), "-m", "pip", "--version"]):
            _make_venv()
        _install(python, requirements)
        for name in {requirements, "requirements.txt"}:
            (ROOT / ".venv" / (name + ".installed")).write_text(_digest(python))
    except KeyboardInterrupt:
        sys.exit("Interrupted. The same command goes on from here.")
    except OSError as error:
        sys.exit("{} could not be written: {}. Make room, or clone elsewhere.".format(ROOT / ".venv", error.strerror))
    return python


def venv_python() -> Path:
    """Return where the Python of ``.venv`` is, or will be."""
    return ROOT / ".venv" / ("Scripts/python.exe" if _WINDOWS else "bin/python")


def require_python() -> None:
    """Go on in a newer Python when this one cannot even read the library; without one, say so and end.

    Raises
    ------
    SystemExit
        With a sentence, when there is no suitable Python.
    """
    if sys.version_info < OLDEST:
        sys.exit(_become([_suitable_python(), "-m", "cnn_core", *sys.argv[1:]]))


def reexec_in_venv() -> None:
    """Run this very command again with the Python of ``.venv``, if this Python lacks the packages.

    Raises
    ------
    SystemExit
        With a sentence, when ``.venv`` is not there yet or lacks them too.
    """
    if all(importlib.util.find_spec(name) for name in PACKAGES):
        return
    if not venv_python().exists() or os.environ.get("CNN_LAB_IN_VENV"):
        start = "py" if _WINDOWS else "python3"
        sys.exit(f"CNN Lab's packages are missing. Install them by running once: {start} -m cnn_core app")
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ.update(CNN_LAB_IN_VENV="1", PYTHONPATH=os.pathsep.join(filter(None, paths)))
    sys.exit(_become([str(venv_python()), "-m", "cnn_core", *sys.argv[1:]]))


def find_chromium() -> "str | None":
    """Find a Chromium, Chrome or Edge that starts.

    Returns
    -------
    str or None
        ``$CNN_LAB_CHROMIUM`` if that is set; else one on the PATH, in its usual place, or Playwright's own.
    """
    named = os.environ.get("CNN_LAB_CHROMIUM")
    for candidate in [named] if named else _chromium_places():
        # chrome.exe --version opens a window instead of answering
        if Path(candidate).is_file() and (_WINDOWS or _starts([candidate, "--version"])):
            return candidate
    return None


def obtain_chromium(python: str) -> "str | None":
    """Find a Chromium, or install one: Playwright's build, else on Debian and its kin, for root, the system's.

    Parameters
    ----------
    python : str
        A Python that has Playwright.

    Returns
    -------
    str or None
        None when there is none to be had.

    Raises
    ------
    SystemExit
        When ``CNN_LAB_CHROMIUM`` names something that does not start.
    """
    found = find_chromium()
    if not found and os.environ.get("CNN_LAB_CHROMIUM"):
        sys.exit("CNN_LAB_CHROMIUM names {CNN_LAB_CHROMIUM}, which does not start.".format(**os.environ))
    steps = [[[python, "-m", "playwright", "install", "chromium"]]]
    if _may_apt():
        steps.append([[python, "-m", "playwright", "install-deps", "chromium"]])
        steps.append([["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]])
    for step in steps:
        if found:
            break
        _say("Looking for a Chromium: " + " && ".join(" ".join(command) for command in step))
        for command in step:
            _call(command, timeout=300)
        found = find_chromium()
    return found


def _chromium_places() -> "list[str]":
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"]
    places = [found for found in map(shutil.which, [*names, "msedge"]) if found]
    for name in ("Google Chrome", "Chromium", "Microsoft Edge"):
        places.append(f"/Applications/{name}.app/Contents/MacOS/{name}")
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        for name in ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe"):
            places.append(str(Path(os.environ.get(variable, "."), name)))
    stores = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH", ""), os.environ.get("LOCALAPPDATA", "") + "/ms-playwright"]
    stores += [str(Path.home() / ".cache/ms-playwright"), str(Path.home() / "Library/Caches/ms-playwright")]
    for store in filter(None, stores):
        for pattern in ("chrome-*/chrome", "chrome-*/chrome.exe", "chrome-*/*.app/Contents/MacOS/*"):
            places += map(str, sorted(Path(store).glob("chromium-*/" + pattern), reverse=True))
    return places


def _suitable_python() -> str:
    """Return this Python if TensorFlow has a build for it, else another one on this machine.

    >>> _suitable_python() is not None
    True
    """
    if OLDEST <= sys.version_info[:2] <= NEWEST and sys.maxsize > 2**32:
        return sys.executable
    question = "import sys; print(sys.executable if sys.maxsize > 2**32 else '')"
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for command in ([f"python3.{minor}"], ["py", f"-3.{minor}"]):
            path = _answer([*command, "-c", question])
            if path:
                return path
    newest = "{}.{}".format(*NEWEST)
    return sys.exit(
        f"CNN Lab needs a 64-bit Python 3.{OLDEST[1]} to {newest}, since TensorFlow has builds for these; this one is "
        f"{platform.python_version()}. Install Python {newest} beside it, or let uv fetch it: pip install uv, then: "
        f"uv run --no-project --python {newest} -m cnn_core {' '.join(sys.argv[1:2])}"
    )


def _make_venv() -> None:
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < ROOM_GB:
        sys.exit(f"CNN Lab's packages need {ROOM_GB} GB of disk; {free:.1f} GB are free here. Make room.")
    python = _suitable_python()
    _say("Making the virtual environment .venv")
    command = [python, "-m", "venv", "--clear", str(ROOT / ".venv")]
    code, words = _watch(command, show=False)
    package = "python{}-venv".format(_answer([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]))
    missing = "ensurepip" in words or "No module named venv" in words
    if missing and _may_apt():  # Debian and its kin ship Python without venv
        _call(["apt-get", "update"])
        _call(["apt-get", "install", "-y", package])
        code, words = _watch(command, show=False)
    elif missing:
        sys.exit(f"This Python came without venv. On Debian or Ubuntu: sudo apt install {package}. Then again.")
    if code:
        sys.exit(f"The virtual environment .venv could not be made. {_why(words)}")


def _install(python: Path, requirements: str) -> None:
    _say(f"Installing {requirements} into .venv: up to 600 MB to download, this first time")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-r", str(ROOT / requirements)]
    code, words = _watch(pip)
    if code:
        sys.exit(f"{words[-3000:]}\nThe packages could not be installed. {_why(words)}")


def _why(words: str) -> str:
    """Turn what pip or venv printed into a sentence.

    >>> _why("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device")
    'The disk, or the folder for temporary files, is full: make room, then run the same command again.'
    """
    known = [
        (
            r"No space left|Errno 28|not enough space|Disk quota",
            "The disk, or the folder for temporary files, is full: make room, then run the same command again.",
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
    return "The lines above say why. Remove the folder .venv and try again; if it fails again, they help others help."


def _digest(python: Path) -> str:
    """Identify what is installed: the requirements, and the Python that .venv was made from."""
    parts = [(ROOT / name).read_bytes() for name in ("requirements.txt", "requirements-dev.txt")]
    parts += [(python.parent.parent / "pyvenv.cfg").read_bytes(), str(python.resolve()).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _may_apt() -> bool:
    return not _WINDOWS and os.geteuid() == 0 and bool(shutil.which("apt-get"))


def _say(sentence: str) -> None:
    print("== " + sentence, file=sys.stderr, flush=True)


def _become(command: "list[str]") -> int:
    """Replace this process by `command`; on Windows, which has no such thing, wait for it and return its exit code."""
    if not _WINDOWS:
        os.execv(command[0], command)
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 130


def _call(command: "list[str]", timeout: "float | None" = None) -> int:
    """Run in the checkout and return the exit code; 127 when it could not start, 124 when it took too long."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="2", DEBIAN_FRONTEND="noninteractive")
    try:
        return subprocess.call(command, cwd=str(ROOT), env=environment, timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return 124
    except OSError:
        return 127


def _watch(command: "list[str]", show: bool = True) -> "tuple[int, str]":
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


def _starts(command: "list[str]") -> bool:
    return _answer(command) is not None


def _answer(command: "list[str]") -> "str | None":
    """Return what a short command prints, or None when it fails."""
    try:
        output = subprocess.check_output(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return output.decode(errors="replace").strip()
