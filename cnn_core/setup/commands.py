"""The commands ``app`` and ``test``: set up what is missing, then run the app, or the checks and tests."""

import os
import sys
import tempfile

from cnn_core.setup import chromium, processes, venv

CHECKS = (
    ["ruff", "check"],
    ["ruff", "format", "--check"],
    ["mypy"],
    ["mypy", "--python-version", "3.11", "pages", "streamlit_app.py"],
)
PROCESSORS = os.cpu_count() or 1
WORKERS = ["-n", str(min(4, PROCESSORS + 1)), "--dist", "loadfile", "--no-loadscope-reorder"]
"""Each file's tests share a process, and what is trained or exported in it; those that drive a browser come first, then
the longest. There is one process more than processors, since those that drive a browser mostly wait for it."""

NEED_TENSORFLOW = (
    "accurate/backbone.py", "accurate/finetuning.py", "engine/ahead.py", "engine/augmentation.py",
    "engine/callbacks.py", "engine/fast_blocks.py", "engine/fused_adam.py", "engine/image_by_image.py",
    "engine/learning.py", "engine/one_image.py", "engine/precision.py", "engine/saving.py",
    "engine/shared_training.py", "engine/team.py", "engine/tensorboard.py",
)  # fmt: skip
FAST = ["-n", str(min(4, PROCESSORS)), "-m", "not slow and not browser"]
FAST += [f"--ignore=cnn_core/{name}" for name in NEED_TENSORFLOW]
"""The examples in those modules are left out too, since to look for them is to import TensorFlow, for 8 s. Nothing
waits for a browser, so one process for each processor is enough: each needs 10 s before its first test."""

NO_CHROMIUM = (
    "No Chromium was found, and none could be installed, so the browser tests are skipped. Install Chromium, Chrome "
    "or Edge, or name one in the variable CNN_LAB_CHROMIUM."
)
NO_TESTS = "The tests are not part of the installed package: they need a clone of CNN Lab's repository."


def app(arguments: "list[str]") -> int:
    """Install what is missing, then become the app.

    Parameters
    ----------
    arguments : list of str
        Passed on to ``streamlit run streamlit_app.py``.

    Returns
    -------
    int
        The app's exit code, on Windows; elsewhere this process becomes the app.

    Raises
    ------
    SystemExit
        With a sentence when something cannot be installed, or the app cannot start.
    """
    # Only here: set-up itself takes any Python.
    from cnn_core.host import start

    arguments = start.prepared(arguments)
    # Streamlit's first start would wait for an e-mail address on the terminal.
    os.environ.setdefault("STREAMLIT_SERVER_SHOW_EMAIL_PROMPT", "false")
    if processes.in_checkout():
        python = str(venv.prepare("requirements.txt"))
        script = "streamlit_app.py"
        os.chdir(str(processes.ROOT))
    else:  # installed by pip, with all that the app needs
        python = sys.executable
        script = str(processes.ROOT / "cnn_core" / "app" / "streamlit_app.py")
    return processes.become([python, "-m", "streamlit", "run", script, *arguments])


def test(arguments: "list[str]") -> int:
    """Install what is missing, then check style and types beside running the tests.

    Parameters
    ----------
    arguments : list of str
        ``--fast`` leaves out the slow tests and those in a browser; all others are passed on to pytest.

    Returns
    -------
    int
        0 when every check and every test passed; 2 outside of a clone of the repository.

    Raises
    ------
    SystemExit
        With a sentence when something cannot be installed.
    """
    if not processes.in_checkout():
        print(NO_TESTS, file=sys.stderr)
        return 2
    python = str(venv.prepare("requirements-dev.txt"))
    if "--fast" in arguments:
        arguments = FAST + [argument for argument in arguments if argument != "--fast"]
    else:
        _name_chromium(python)
    checks = [_Check(python, command) for command in CHECKS]
    processes.say("pytest, and beside it " + ", ".join(check.name for check in checks))
    outcome = processes.call([python, "-m", "pytest", *WORKERS, *arguments])
    failed = [check.name for check in checks if not check.passed()]
    for name in failed:
        processes.say(f"{name} failed: see above.")
    return outcome or int(bool(failed))


test.__test__ = False  # type: ignore[attr-defined]  # for pytest, which takes every test* of a file it is given


def _name_chromium(python: str) -> None:
    found = chromium.obtain_chromium(python)
    if found:
        os.environ["CNN_LAB_CHROMIUM"] = found
    else:
        processes.say(NO_CHROMIUM)


class _Check:
    """A check that runs beside the tests; what it prints is shown when they have ended, if it failed."""

    def __init__(self, python: str, command: "list[str]") -> None:
        self.name = " ".join(command)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # a pipe would fill up, since nobody reads it yet
        self._process = processes.begin([python, "-m", *command], self._output)

    def passed(self) -> bool:
        """Wait for the check to end."""
        passed = self._process.wait() == 0
        with self._output:
            if not passed:
                processes.say(self.name)
                self._output.seek(0)
                sys.stderr.write(self._output.read().decode(errors="replace"))
        return passed
