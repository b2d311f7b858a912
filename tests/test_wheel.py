"""What pip installs: the library, the app beside it, the bundled models, and one command."""

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import cnn_core

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, since setuptools writes into the folder that it builds."""
    from shutil import copytree, ignore_patterns

    out = tmp_path_factory.mktemp("wheel")
    skip = ignore_patterns(".*_cache", ".venv", ".git", "build", "__pycache__", "tests")
    source = copytree(ROOT, out / "source", ignore=skip)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(out), str(source)]
    installed = [one.version for one in metadata.distributions(name="setuptools")]  # none from Python 3.12 on
    if installed and int(installed[0].split(".")[0]) >= 77:
        command.append("--no-build-isolation")
    done = subprocess.run(command, capture_output=True, text=True)
    if "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("Building needs setuptools 77 or newer, and no package index was reached.")
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


@pytest.mark.slow
def test_the_wheel_holds_the_library_the_app_and_the_models(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    kinds = (".py", ".typed", ".html", ".css", ".js")
    library = [path for path in (ROOT / "cnn_core").rglob("*") if path.suffix in kinds or path.parent.name == "weights"]
    app = [ROOT / "streamlit_app.py", ROOT / ".streamlit/config.toml", *(ROOT / "pages").rglob("*")]
    wanted = {path.relative_to(ROOT).as_posix() for path in library if path.is_file()}
    wanted |= {"cnn_core/app/" + path.relative_to(ROOT).as_posix() for path in app if path.suffix in (*kinds, ".toml")}
    assert names == wanted  # and so nothing but cnn_core is at the top


@pytest.mark.slow
def test_the_wheel_names_its_command_version_and_readme(wheel):
    (folder,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert folder == f"cnn_lab-{cnn_core.__version__}.dist-info"
    points = wheel.read(f"{folder}/entry_points.txt").decode()
    assert points.split() == ["[console_scripts]", "cnn-lab", "=", "cnn_core.cli:main"]
    assert (ROOT / "README.md").read_text(encoding="utf-8") in wheel.read(f"{folder}/METADATA").decode()
