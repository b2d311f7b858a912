"""The commands `app` and `test`: what they start, and what they say when a check fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cnn_core.setup import chromium, commands, processes, venv
from tests.setup.programs import program

ROOT = Path(__file__).parents[2]


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


@pytest.mark.skipif(sys.platform == "win32", reason="The script is for bash.")
def test_ci_runs_the_whole_test_command(tmp_path):
    python = Path(program(tmp_path, "python3"))
    python.write_text('#!/bin/sh\necho "$PWD" "$@"\n')
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", str(ROOT / ".ci/run")], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(ROOT), "-m", "cnn_core", "test"]


def test_pre_commit_has_the_same_checks():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert [hook["entry"].split()[2:] for hook in repository["hooks"]] == list(commands.CHECKS)
    assert all(hook["always_run"] and not hook["pass_filenames"] for hook in repository["hooks"])


def test_the_workflow_runs_fast_tests_on_each_push_and_all_of_them_nightly():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
    assert {"push", "schedule"} <= set(workflow[True])  # YAML reads "on" as true
    job = workflow["jobs"]["test"]
    assert {name.split("-")[0] for name in job["strategy"]["matrix"]["system"]} == {"ubuntu", "macos", "windows"}
    assert job["strategy"]["matrix"]["python"] == ["3.10", "3.13"]
    fast, everything = [step for step in job["steps"] if "cnn_core test" in step.get("run", "")]
    assert ("push" in fast["if"], "--fast" in fast["run"]) == (True, True)
    assert ("schedule" in everything["if"], "--fast" in everything["run"]) == (True, False)
