"""SECURITY.md names functions and tests; each of them is there."""

import re

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
NAMED = re.findall(r"`([^`\n]+)`", TEXT)
FILES = [path for top in ("cnn_core", "pages", "tests") for path in sorted(ROOT.glob(f"{top}/**/*.py"))]
MODULES = [name for name in NAMED if re.fullmatch(r"\S+\.py", name)]
FUNCTIONS = [name for name in NAMED if re.fullmatch(r"[a-z_]+(\.[A-Za-z_]+)+", name) and name not in MODULES]
ELSEWHERE = {"server.maxUploadSize", "html.escape", "requirements.txt"}


@pytest.mark.parametrize("name", sorted(set(MODULES)))
def test_every_file_is_there(name):
    assert [path for path in FILES if path.as_posix().endswith(f"/{name}")]


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - ELSEWHERE))
def test_every_function_is_there(name):
    *_, module, function = name.split(".")
    files = [path.read_text("utf-8") for path in FILES if path.stem == module]
    there = rf"^(async def|def|class) {function}\b|import .*\b{function}\b"
    assert any(re.search(there, text, re.MULTILINE) for text in files)


def test_both_kinds_are_named():
    assert len(FUNCTIONS) > 15
    assert len(MODULES) > 15
