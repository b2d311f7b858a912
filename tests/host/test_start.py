"""What is wrong with the host's settings is one sentence at start, and nothing is left half started."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_core.host import limits, start
from pages.widgets.host import upkeep

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CNN_LAB_MODE", raising=False)
    return tmp_path / "home"


WRONG = [
    ("CNN_LAB_MODE", "open", "CNN_LAB_MODE must be personal or shared; it is “open”. Correct it or remove it."),
    (
        limits.EPOCHS.variable,
        "ten",
        "CNN_LAB_MAX_EPOCHS must be a whole number from 1 on; it is “ten”. Correct it or remove it.",
    ),
    (
        start.TEACHER,
        "a teacher's code",
        "CNN_LAB_TEACHER_CODE is for a shared server. Set CNN_LAB_MODE=shared too, or remove it.",
    ),
    (
        start.TOKEN,
        "short",
        "CNN_LAB_METRICS_TOKEN is too short: it must have at least 16 characters. Choose a longer one.",
    ),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG)
def test_a_wrong_setting_is_named(monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        start.prepared([])
    assert stopped.value.code == sentence


def test_a_teachers_code_that_is_too_short_is_refused(monkeypatch):
    monkeypatch.setenv("CNN_LAB_MODE", "shared")
    monkeypatch.setenv(start.TEACHER, "1234567")
    with pytest.raises(SystemExit, match="CNN_LAB_TEACHER_CODE is too short: it must have at least 8 characters"):
        start.prepared([])
    monkeypatch.setenv(start.TEACHER, "12345678")
    start.prepared([])


def test_a_home_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SystemExit, match=r"Nothing can be written in .*home: .*Set CNN_LAB_HOME to a folder"):
        start.prepared([])


@pytest.mark.parametrize("form", ["--server.port {}", "--server.port={}", "environment"])
def test_a_port_in_use_is_named_and_a_free_one_taken(monkeypatch, form):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        arguments = [] if form == "environment" else form.format(port).split()
        if form == "environment":
            monkeypatch.setenv("STREAMLIT_SERVER_PORT", port)
        with pytest.raises(SystemExit, match=f"cannot listen on port {port} of localhost"):
            start.prepared(arguments)
    assert start.prepared(arguments) == arguments


def test_a_shared_server_is_there_for_the_network_unless_the_host_says_otherwise(monkeypatch):
    assert start.prepared(["--theme.base", "dark"]) == ["--theme.base", "dark"]
    monkeypatch.setenv("CNN_LAB_MODE", "shared")
    assert start.prepared([]) == ["--server.address=0.0.0.0", "--server.headless=true"]
    assert start.prepared(["--server.address", "::1"]) == ["--server.address", "::1"]


def test_a_bare_streamlit_run_ends_with_the_same_sentence():
    name, value, sentence = WRONG[0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
    done = subprocess.run(
        [*command, f"--server.port={port}"],
        cwd=ROOT,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == sentence
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("where", "told"), [(str(ROOT / ".streamlit" / "config.toml"), True), ("command-line argument", False)]
)
def test_a_shared_server_that_only_this_computer_can_open_says_so(monkeypatch, capsys, where, told):
    monkeypatch.setenv("CNN_LAB_MODE", "shared")
    monkeypatch.setattr(upkeep.config, "get_where_defined", lambda option: where)
    monkeypatch.setattr(upkeep.config, "set_option", lambda *_: None)
    monkeypatch.setattr(upkeep.files, "ask_for_home", lambda ask: None)
    upkeep.prepare()
    assert (capsys.readouterr().err == f"{start.ONLY_HERE}\n") is told
