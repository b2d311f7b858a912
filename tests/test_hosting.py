"""The files for whoever puts the app on a server stay true: what is copied, asked, mounted and set does exist.

No container engine is needed: the files are read.
"""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from streamlit import config

from tests.conftest import serve

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
WRITTEN = [ROOT / "Dockerfile", ROOT / "compose.yaml", *ROOT.glob("docs/*"), ROOT / "README.md"]


def instructions(word: str) -> list[str]:
    return re.findall(rf"^{word} (.+)$", DOCKERFILE, re.MULTILINE)


def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("Git knows which files are the repository's; here is none.")
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return found.stdout.splitlines()


def sent(name: str) -> bool:
    """Whether a file is sent to the engine that builds: of the lines of .dockerignore the last that fits decides."""
    kept = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if line and line[0] != "#" and re.fullmatch(f"{pattern}(/.*)?", name):  # or a folder that it is in
            kept = line.startswith("!")
    return kept


def test_the_image_holds_what_the_wheel_holds_and_nothing_of_the_tests():
    copied = {part for line in instructions("COPY") if "--from" not in line for part in line.split()[:-1]}
    inside = {
        name for name in tracked() if sent(name) and any(name == one or name.startswith(f"{one}/") for one in copied)
    }
    kinds = (".py", ".typed", ".html", ".css", ".js")
    app = {
        name
        for name in tracked()
        if (name.startswith(("cnn_core/", "pages/")) and name.endswith(kinds)) or name.startswith("cnn_core/weights/")
    }
    assert inside == app | {"LICENSE", "requirements.txt", "streamlit_app.py", ".streamlit/config.toml"}
    assert not any(name.startswith(("tests/", "benchmarks/", "shared/")) for name in tracked() if sent(name))


def test_the_small_image_leaves_out_tensorflow_and_nothing_else():
    (pattern,) = re.findall(r"grep -vE '(.+?)' /build/requirements.txt", DOCKERFILE)
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    left_out = [re.split(r"[ <>=]", line)[0] for line in lines if re.search(pattern, line)]
    assert left_out == ["tensorflow-cpu", "tensorflow", "keras", "tf2onnx"]


def test_the_app_in_the_image_is_nobody_special_and_writes_in_one_volume():
    assert instructions("USER") == ["1000:1000"]
    assert instructions("VOLUME") == ["/data"]
    assert "CNN_LAB_HOME=/data" in instructions("ENV")[0].split()
    lab = COMPOSE["services"]["lab"]
    assert lab["read_only"] is True
    assert lab["volumes"] == ["home:/data"]
    assert [place.split(":")[0] for place in lab["tmpfs"]] == ["/tmp"]


@pytest.mark.slow
def test_the_health_check_tells_a_server_that_answers_from_none(tmp_path):
    (command,) = instructions("HEALTHCHECK")
    program, *arguments = yaml.safe_load(command.partition(" CMD ")[2])
    assert program == "python"

    def healthy(port: int) -> bool:
        environment = os.environ | {"STREAMLIT_SERVER_PORT": str(port)}
        return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True).returncode == 0

    bare = tmp_path / "bare.py"
    bare.write_text("import streamlit as st; st.title('Bare')")
    with serve(tmp_path, bare) as address:
        assert healthy(int(address.rpartition(":")[2]))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        assert not healthy(nobody.getsockname()[1])


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_every_variable_that_the_files_name_exists(file):
    text = file.read_text(encoding="utf-8")
    code = "".join(
        path.read_text(encoding="utf-8") for top in ("cnn_core", "pages") for path in ROOT.glob(f"{top}/**/*.py")
    )
    ours = set(re.findall(r"\bCNN_LAB_[A-Z_]*[A-Z]", text))
    assert ours <= set(re.findall(r"\bCNN_LAB_[A-Z_]*[A-Z]", code))
    names = [re.sub("([A-Z])", r"_\1", name).replace(".", "_") for name in config.get_config_options()]
    options = {f"STREAMLIT_{name.upper()}" for name in names}
    assert set(re.findall(r"\bSTREAMLIT_[A-Z_]*[A-Z]", text)) <= options


def test_the_proxy_finds_its_file_and_the_app_and_keeps_a_visitor_there():
    proxy = COMPOSE["services"]["proxy"]
    caddyfile = (ROOT / proxy["volumes"][0].split(":")[0]).read_text(encoding="utf-8")
    assert re.search(r"name (\w+)", caddyfile)[1] in COMPOSE["services"]
    assert re.search(r"port (\d+)", caddyfile)[1] in instructions("EXPOSE")
    assert "lb_policy cookie" in caddyfile
    assert {name.split(":")[0] for name in re.findall(r"\{\$([^}]+)\}", caddyfile)} <= set(proxy["environment"])


def test_no_file_names_a_place_to_fetch_packages_from():
    for file in WRITTEN[:-1]:
        assert not re.search(
            r"index-url|pypi|debian\.org|docker\.io|ghcr\.io|quay\.io", file.read_text(encoding="utf-8"), re.IGNORECASE
        )
