"""Set-up: made once and only again when something changed, with a sentence for each thing that may go wrong."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_core.setup import chromium, commands, processes, venv

ROOT = Path(__file__).parents[1]
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


def program(folder: Path, name: str, code: int = 0) -> str:
    """Write a program that does nothing but end with `code`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


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
    with pytest.raises(SystemExit, match="goes on from here"):
        venv.prepare("requirements.txt")


@pytest.fixture
def checks(monkeypatch):
    """Programs in the place of ruff, mypy and pytest. Returns how each of them ends, and what was run."""
    ends = dict.fromkeys(["ruff", "mypy", "pytest"], 0)
    ran: list[list[str]] = []

    def stand_in(command):
        ran.append(command[2:])
        return [sys.executable, "-c", f"print('{command[2]} says why'); raise SystemExit({ends[command[2]]})"]

    begin, call = processes.begin, processes.call
    monkeypatch.setenv("CNN_LAB_CHROMIUM", "")
    monkeypatch.setattr(venv, "prepare", lambda requirements: Path("python"))
    monkeypatch.setattr(chromium, "obtain_chromium", lambda python: None)
    monkeypatch.setattr(processes, "begin", lambda command, output: begin(stand_in(command), output))
    monkeypatch.setattr(processes, "call", lambda command: call(stand_in(command)))
    return ends, ran


@pytest.mark.parametrize("bad", [None, "ruff", "mypy", "pytest"])
def test_the_test_command_fails_when_any_check_fails_and_shows_why(bad, checks, capsys):
    ends, ran = checks
    if bad:
        ends[bad] = 1
    assert commands.test(["-k", "pixels"]) == int(bad is not None)
    pytest_command = ["pytest", *commands.WORKERS, "-k", "pixels"]
    assert sorted(ran) == sorted([*commands.CHECKS, pytest_command])
    said = capsys.readouterr().err
    assert commands.NO_CHROMIUM in said
    found = re.findall(r"== (.*) failed", said)
    assert found == {
        "ruff": ["ruff check", "ruff format --check"],
        "mypy": [" ".join(check) for check in commands.CHECKS if check[0] == "mypy"],
    }.get(bad or "", [])
    assert said.count("says why") == len(found)


def test_the_fast_loop_leaves_out_what_is_slow_and_needs_no_browser(checks, capsys):
    _, ran = checks
    assert commands.test(["--fast", "-k", "pixels"]) == 0
    assert ["pytest", *commands.WORKERS, *commands.FAST, "-k", "pixels"] in ran
    assert len(ran) == len(commands.CHECKS) + 1
    assert commands.NO_CHROMIUM not in capsys.readouterr().err


def test_an_installed_package_runs_its_own_app_and_has_no_tests(tmp_path, monkeypatch, capsys):
    became = []
    monkeypatch.setattr(processes, "ROOT", tmp_path)  # without requirements.txt
    monkeypatch.setattr(processes, "become", lambda command: became.append(command) or 0)
    assert commands.app(["--server.port", "8600"]) == 0
    script = str(tmp_path / "cnn_core/app/streamlit_app.py")
    assert became == [[sys.executable, "-m", "streamlit", "run", script, "--server.port", "8600"]]
    assert commands.test([]) == 2
    assert "clone" in capsys.readouterr().err


def test_the_app_is_started_with_the_words_it_was_given(monkeypatch):
    became = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("STREAMLIT_SERVER_SHOW_EMAIL_PROMPT", "false")
    monkeypatch.setattr(venv, "prepare", lambda requirements: Path("python"))
    monkeypatch.setattr(processes, "become", lambda command: became.append(command) or 0)
    assert commands.app(["--server.port", "8600"]) == 0
    assert became == [["python", "-m", "streamlit", "run", "streamlit_app.py", "--server.port", "8600"]]


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


@pytest.mark.skipif(sys.platform == "win32", reason="The stand-ins for browsers are shell scripts.")
class TestChromium:
    @pytest.fixture(autouse=True)
    def _empty_machine(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("CNN_LAB_CHROMIUM", raising=False)
        if any(Path("/Applications").glob("*Chrom*")) or any(Path("/Applications").glob("*Edge*")):
            pytest.skip("A browser in /Applications cannot be hidden.")

    def test_none(self):
        assert chromium.find_chromium() is None

    def test_one_on_the_path_that_starts(self, tmp_path):
        program(tmp_path / "bin", "chromium", code=1)  # such as Ubuntu's stub without snap
        chrome = program(tmp_path / "bin", "google-chrome")
        assert chromium.find_chromium() == chrome

    def test_playwrights_newest(self, tmp_path):
        program(tmp_path / "browsers/chromium-1100/chrome-linux", "chrome")
        newest = program(tmp_path / "browsers/chromium-1200/chrome-linux", "chrome")
        assert chromium.find_chromium() == newest

    def test_the_named_one_and_no_other(self, tmp_path, monkeypatch):
        program(tmp_path / "bin", "chromium")
        mine = program(tmp_path / "mine", "chrome")
        monkeypatch.setenv("CNN_LAB_CHROMIUM", mine)
        assert chromium.find_chromium() == mine
        monkeypatch.setenv("CNN_LAB_CHROMIUM", str(tmp_path / "nowhere"))
        assert chromium.find_chromium() is None
        with pytest.raises(SystemExit, match="does not start"):
            chromium.obtain_chromium(sys.executable)

    @pytest.mark.parametrize("root", [True, False])
    def test_installing_stops_at_the_first_that_starts(self, root, tmp_path, monkeypatch):
        tried = []

        def call(command, **options):
            tried.append(command)
            if command[0] == "apt-get" and "chromium" in command:
                program(tmp_path / "bin", "chromium")
            return 0

        monkeypatch.setattr(processes, "call", call)
        monkeypatch.setattr(processes, "may_apt", lambda: root)
        found = chromium.obtain_chromium("python")
        assert tried[0] == ["python", "-m", "playwright", "install", "chromium"]
        assert found == (str(tmp_path / "bin/chromium") if root else None)
        assert any(command[0] == "apt-get" for command in tried) == root
        tried.clear()
        chromium.obtain_chromium("python")
        assert bool(tried) != root  # once there is one, nothing is tried


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


@pytest.mark.skipif(sys.platform == "win32", reason="The script is for bash.")
def test_ci_runs_the_whole_test_command(tmp_path):
    python = Path(program(tmp_path, "python3"))
    python.write_text('#!/bin/sh\necho "$PWD" "$@"\n')
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", str(ROOT / ".ci/run")], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(ROOT), "-m", "cnn_core", "test"]
