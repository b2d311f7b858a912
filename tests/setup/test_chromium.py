"""Finding a Chromium for the browser tests, and installing one."""

import sys
from pathlib import Path

import pytest

from cnn_core.setup import chromium, processes
from tests.setup.programs import program


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

    @pytest.mark.parametrize(
        ("place", "name"),
        [
            ("bin", "chromium-headless-shell"),
            ("browsers/chromium_headless_shell-1200/chrome-headless-shell-linux64", "chrome-headless-shell"),
        ],
    )
    def test_one_without_windows_comes_first(self, place, name, tmp_path):
        program(tmp_path / "bin", "chromium")
        program(tmp_path / "browsers/chromium-1200/chrome-linux64", "chrome")
        small = program(tmp_path / place, name)
        assert chromium.find_chromium() == small

    def test_the_named_one_and_no_other(self, tmp_path, monkeypatch):
        program(tmp_path / "bin", "chromium")
        mine = program(tmp_path / "mine", "chrome")
        monkeypatch.setenv("CNN_LAB_CHROMIUM", mine)
        assert chromium.find_chromium() == mine
        monkeypatch.setenv("CNN_LAB_CHROMIUM", str(tmp_path / "nowhere"))
        assert chromium.find_chromium() is None
        with pytest.raises(SystemExit, match="does not start"):
            chromium.obtain_chromium(sys.executable)

    @pytest.mark.parametrize(
        ("root", "package"), [(True, "chromium-headless-shell"), (True, "chromium"), (False, "chromium")]
    )
    def test_installing_stops_at_the_first_that_starts(self, root, package, tmp_path, monkeypatch):
        tried = []

        def call(command, **options):
            tried.append(command)
            if command[0] == "apt-get" and package in command:
                program(tmp_path / "bin", package)
            return 0

        monkeypatch.setattr(processes, "call", call)
        monkeypatch.setattr(processes, "may_apt", lambda: root)
        found = chromium.obtain_chromium("python")
        assert tried[0] == ["python", "-m", "playwright", "install", "chromium"]
        assert found == (str(tmp_path / "bin" / package) if root else None)
        assert any(command[0] == "apt-get" for command in tried) == root
        tried.clear()
        chromium.obtain_chromium("python")
        assert bool(tried) != root  # once there is one, nothing is tried
