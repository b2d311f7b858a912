"""The rules of the house, read from the code's own imports: one way through, no screen, light until needed."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from cnn_core.setup import commands

ROOT = Path(__file__).parents[1]
LESSON = (
    "pixels", "kernels", "convolution", "pooling", "chain", "network", "dataset", "sketches", "source", "training",
    "runs", "models", "walk", "thread", "explain", "replay", "what_if", "evaluation", "curves", "cli",
)  # fmt: skip
"""The chapters, in reading order: a chapter uses only what stands before it."""

MAX_LINES = 300


def sources(*tops: str) -> list[Path]:
    return sorted(file for top in tops for file in ROOT.glob(f"{top}/**/*.py"))


def module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(file): file for file in [*sources("cnn_core", "pages"), ROOT / "streamlit_app.py"]}


@cache
def imports(file: Path, everywhere: bool = True) -> set[str]:
    """Return the modules that a file imports; those inside functions and for type checks only where `everywhere`."""
    tree = ast.parse(file.read_text("utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{name.name}" for name in node.names}
            if not all(f"{node.module}.{name.name}" in MODULES for name in node.names):
                found.add(node.module)
    return found


def of_project(names: set[str]) -> set[str]:
    """Keep the project's modules, a name inside a module as that module."""
    return {
        name if name in MODULES else name.rpartition(".")[0]
        for name in names
        if name in MODULES or name.rpartition(".")[0] in MODULES
    }


def test_no_import_circle():
    graph = {name: of_project(imports(file)) - {name, "cnn_core"} for name, file in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(reversed(error.args[1])))


def test_no_chapter_uses_a_later_one():
    for number, name in enumerate(LESSON):
        later = {f"cnn_core.{chapter}" for chapter in LESSON[number + 1 :]}
        used = of_project(imports(MODULES[f"cnn_core.{name}"]))
        assert not used & later, f"{name} uses {used & later}"


def test_the_list_of_chapters_is_complete():
    flat = {name.split(".")[1] for name in MODULES if name.count(".") == 1 and MODULES[name].parent.name == "cnn_core"}
    rooms = {file.parent.name for file in sources("cnn_core") if file.name == "__init__.py"}
    assert flat - rooms == set(LESSON) | {"__main__", "wording"}


def test_the_library_has_no_screen():
    for file in sources("cnn_core"):
        assert not {name for name in imports(file) if name.split(".")[0] == "streamlit"}, file


def test_arrays_of_the_library_have_types():
    bare = []
    for file in sources("cnn_core"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            hints = [getattr(node, "annotation", None), getattr(node, "returns", None)]
            bare += [f"{file.name}:{hint.lineno}" for hint in hints if hint and "np.ndarray" in ast.unparse(hint)]
    assert not bare


@pytest.mark.parametrize("top", ["cnn_core.network", "cnn_core.explain", "pages.classify"])
def test_tensorflow_waits_until_it_is_needed(top):
    heavy, seen, todo = {"tensorflow", "keras"}, set(), {top}
    while todo:
        name = todo.pop()
        seen.add(name)
        found = imports(MODULES[name], everywhere=False)
        assert not {part.split(".")[0] for part in found} & heavy, name
        todo |= of_project(found) - seen


def test_the_fast_tests_import_no_tensorflow_to_look_for_examples():
    heavy, needs = {"tensorflow", "keras"}, set()
    for name in MODULES:
        seen, todo = set(), {name}
        while todo:
            seen.add(top := todo.pop())
            found = imports(MODULES[top], everywhere=False)
            todo |= of_project(found) - seen
            if {part.split(".")[0] for part in found} & heavy:
                needs.add(name)
    assert needs == {f"cnn_core.{file.removesuffix('.py').replace('/', '.')}" for file in commands.NEED_TENSORFLOW}


def test_a_networks_table_takes_no_tensorflow():
    code = (
        "import sys; from cnn_core import pixels, kernels, convolution, pooling, network; "
        "network.NetworkSpec().table(); assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


SCRIPTS = sorted(ROOT.glob("pages/**/*.js"))


@pytest.mark.parametrize("file", sources("cnn_core", "pages") + SCRIPTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_is_too_long(file):
    assert len(file.read_text("utf-8").splitlines()) <= MAX_LINES


def test_tests_name_no_private_name():
    private = []
    for file in sources("tests"):
        tree = ast.parse(file.read_text("utf-8"))
        names = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("cnn_core", "pages")
            for alias in node.names
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            if node.value.id in names and node.attr.startswith("_") and not node.attr.startswith("__"):
                private.append(f"{file.name}:{node.lineno} {node.value.id}.{node.attr}")
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) > 1):
            owner, name = call.args[:2]  # as in monkeypatch.setattr(module, "_name", ...)
            if isinstance(owner, ast.Name) and owner.id in names and str(getattr(name, "value", "")).startswith("_"):
                private.append(f"{file.name}:{call.lineno} {ast.unparse(name)}")
        private += [f"{file.name} {name}" for name in names if name.startswith("_")]
    assert not private
