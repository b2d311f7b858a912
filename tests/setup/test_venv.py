"""The virtual environment: made once, made again when something changed, and a message for each thing that may fail."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_core.setup import processes, venv
from tests.setup.programs import program

ROOT = Path(__file__).parents[2]
EARLY = ["__init__.py", "__main__.py", *(f"setup/{path.name}" for path in (ROOT / "cnn_core/setup").glob("*.py"))]
"""What is read before the Python's version is looked at."""
REQUIREMENT = re.compile(r"^([\w-]+) (>=[\d.]+), (<[\d.]+)( ;.*)?$")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout whose requirements are empty, so that installing them needs no network."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("# nothing\n")
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    monkeypatch.setattr(venv, "ROOM_GB", 0)
    return tmp_path


@pytest.fixture
def called(monkeypatch):
    """The commands that would have been run; none of them is, and all succeed."""
    ran: list[list[str]] = []

    def remember(command, **options):
        ran.append(command)
        return 0

    monkeypatch.setattr(processes, "call", remember)
    monkeypatch.setattr(processes, "watch", lambda command, show=True: (remember(command), ""))
    return ran


@pytest.mark.parametrize("name", EARLY)
def test_an_old_python_can_read_what_comes_before_the_version_is_checked(name):
    ast.parse((ROOT / "cnn_core" / name).read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("name", EARLY)
def test_set_up_needs_the_standard_library_only(name):
    tree = ast.parse((ROOT / "cnn_core" / name).read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= {*sys.stdlib_module_names, "cnn_core"}


def test_the_command_line_reaches_set_up_without_any_package():
    code = "import sys; from cnn_core import cli; sys.stdout.write(' '.join(sys.modules))"
    bare = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "cnn_core.setup.venv" in bare.stdout.split()
    assert not {"numpy", "pandas", "streamlit", "tensorflow"} & set(bare.stdout.split())


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.9"])
def test_an_old_python_says_what_is_needed(version):
    old = processes.answer([f"python{version}", "-c", "import sys; print(sys.executable)"])
    if not old:
        pytest.skip(f"There is no Python {version} here.")
    nowhere = os.environ | {"PATH": "/nowhere"}
    run = subprocess.run([old, "-m", "cnn_core", "app"], cwd=ROOT, env=nowhere, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("CNN Lab needs a 64-bit Python 3.10 to 3.13")
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0)])
def test_an_unsuitable_python_looks_for_a_suitable_one(version, monkeypatch):
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(processes, "answer", lambda command: "/usr/bin/python3.12" * (command[0] == "python3.12"))
    assert venv.suitable_python() == "/usr/bin/python3.12"
    monkeypatch.setattr(processes, "answer", lambda command: None)
    with pytest.raises(SystemExit, match=r"3\.10 to 3\.13"):
        venv.suitable_python()


@pytest.mark.slow
def test_a_second_preparation_does_nothing_and_a_changed_requirement_does(checkout, monkeypatch):
    python = venv.prepare("requirements-dev.txt")
    version = subprocess.check_output([str(python), "-c", "import sys; print(sys.prefix)"], text=True)
    assert Path(version.strip()).resolve() == (checkout / ".venv").resolve()

    installed = []
    monkeypatch.setattr(venv, "install", lambda python, requirements: installed.append(requirements))
    assert venv.prepare("requirements-dev.txt") == venv.prepare("requirements.txt") == python
    assert installed == []
    (checkout / "requirements.txt").write_text("# something else\n")
    venv.prepare("requirements.txt")
    assert installed == ["requirements.txt"]
    venv.prepare("requirements-dev.txt")
    assert installed == ["requirements.txt", "requirements-dev.txt"]

    (checkout / ".venv/pyvenv.cfg").unlink()  # a broken environment is made anew
    python.unlink()
    watch = processes.watch  # pip, whose installation takes 4 s, is not asked for any more
    monkeypatch.setattr(processes, "watch", lambda command, show=True: watch([*command, "--without-pip"], show))
    venv.prepare("requirements.txt")
    assert python.exists()
    assert installed[2:] == ["requirements.txt"]


def test_without_a_network_a_sentence_says_so(checkout, monkeypatch):
    for name, value in {"INDEX_URL": "http://127.0.0.1:9/", "RETRIES": "1", "NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    (checkout / "requirements.txt").write_text("cnn-lab-does-not-need-this\n")
    with pytest.raises(SystemExit, match="The network did not answer"):
        venv.install(Path(sys.executable), "requirements.txt")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "is full"),
        ("[WinError 112] There is not enough space on the disk", "is full"),
        ("ERROR: No matching distribution found for tensorflow-cpu<2.22,>=2.20", "no build for this system"),
        ("NameResolutionError: Failed to resolve\nERROR: No matching distribution found for tensorflow", "network"),
        ("ERROR: No matching distribution found for x (from versions: none)", "No package index"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "could not be written"),
        ("Segmentation fault", "The lines above"),
    ],
)
def test_what_pip_says_becomes_a_sentence(words, sentence):
    assert sentence in venv.reason(words)


def test_a_full_disk_is_noticed_before_downloading(checkout, monkeypatch):
    monkeypatch.setattr(venv, "ROOM_GB", 10**9)
    with pytest.raises(SystemExit, match="GB are free here"):
        venv.prepare("requirements.txt")
    assert not (checkout / ".venv").exists()


def test_a_folder_that_cannot_be_written_gets_a_sentence(checkout):
    (checkout / ".venv").write_text("a file where the environment should be")
    with pytest.raises(SystemExit, match="could not be"):
        venv.prepare("requirements.txt")


@pytest.mark.parametrize("root", [True, False])
def test_a_python_without_venv(root, checkout, monkeypatch, called):
    answers = iter([(1, "The virtual environment was not created because ensurepip is not available."), (0, "")])
    monkeypatch.setattr(processes, "watch", lambda command, show=True: next(answers))
    monkeypatch.setattr(processes, "may_apt", lambda: root)
    package = f"python3.{sys.version_info.minor}-venv"
    if root:
        venv.make_venv()
        assert ["apt-get", "install", "-y", package] in called
    else:
        with pytest.raises(SystemExit, match=f"sudo apt install {package}"):
            venv.make_venv()


def test_an_interruption_is_no_traceback(checkout, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(venv, "make_venv", interrupt)
    with pytest.raises(SystemExit, match="same command again to continue"):
        venv.prepare("requirements.txt")


def test_without_the_packages_the_command_goes_on_in_the_virtual_environment(tmp_path, monkeypatch):
    became = []
    monkeypatch.setattr(processes, "become", lambda command: became.append(command) or 3)
    monkeypatch.setattr(sys, "argv", ["cnn_core", "models", "--json"])
    for name in ("CNN_LAB_IN_VENV", "PYTHONPATH"):
        monkeypatch.setenv(name, "")
    venv.reexec_in_venv()
    assert became == []  # they are all here

    monkeypatch.setattr(venv, "PACKAGES", ("no_such_package",))
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="packages are missing"):
        venv.reexec_in_venv()
    program(venv.venv_python().parent, venv.venv_python().name)
    with pytest.raises(SystemExit) as ended:
        venv.reexec_in_venv()
    assert ended.value.code == 3
    assert became == [[str(venv.venv_python()), "-m", "cnn_core", "models", "--json"]]
    with pytest.raises(SystemExit, match="packages are missing"):  # not for ever
        venv.reexec_in_venv()


def test_without_tensorflow_alone_the_command_goes_on_here_unless_the_virtual_environment_may_have_it(
    tmp_path, monkeypatch
):
    became = []
    monkeypatch.setattr(processes, "become", lambda command: became.append(command) or 0)
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    monkeypatch.setenv("CNN_LAB_IN_VENV", "")
    for heavy in ("tensorflow", "keras"):
        monkeypatch.setitem(sys.modules, heavy, None)
    venv.reexec_in_venv()
    assert became == []
    program(venv.venv_python().parent, venv.venv_python().name)
    with pytest.raises(SystemExit):
        venv.reexec_in_venv()
    assert len(became) == 1


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_has_both_bounds(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert line.startswith(("#", "-r ")) or REQUIREMENT.match(line), line


def test_exactly_one_tensorflow_is_asked_for_on_every_system():
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ours = [Requirement(line) for line in lines if line.startswith("tensorflow")]
    wanted = {
        ("linux", "x86_64"): "tensorflow-cpu",
        ("linux", "aarch64"): "tensorflow",
        ("darwin", "arm64"): "tensorflow",
        ("win32", "AMD64"): "tensorflow",
    }
    for (system, machine), name in wanted.items():
        markers = {"sys_platform": system, "platform_machine": machine}
        assert [one.name for one in ours if one.marker and one.marker.evaluate(markers)] == [name]
