"""What documents, docstrings and comments name exists; the maps are complete; the language is American English."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for top in ("cnn_core", "pages")
    for file in ROOT.glob(f"{top}/**/*.py")
}
MARKDOWN = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
TEXTS = [
    *MARKDOWN, ROOT / ".streamlit" / "config.toml", ROOT / "streamlit_app.py",
    *(file for top in ("cnn_core", "pages", "tests", "benchmarks") for kind in ("py", "js", "html", "css")
      for file in ROOT.glob(f"{top}/**/*.{kind}") if file != Path(__file__)),
]  # fmt: skip

DOTTED = re.compile(r"(?<!`)`{1,2}([a-z_]+(?:\.[A-Za-z_]\w*)+)(?:\(\))?`")
"""A name with dots between backticks, such as `engine.config.TrainingConfig` or `sliding.js`."""

NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
OTHER_FILES = ("json", "npz", "zip", "tflite", "toml")

OF_OTHERS = ("st", "tf", "np", "keras", "model")
"""What stands before a dot without being a module of the project."""

BRITISH = re.compile(
    r"colour|neighbour|behaviour|favour|centre\b|\bgrey\b|\w+isation|recognis|organis|normalis|optimis|visualis|"
    r"labell|modell|cancell|licence|catalogue|programme\b|analys(?:e|ing)\b",
    re.IGNORECASE,
)
KEPT = re.compile(r"neighbours\"|recognised\"|licence|CancelledError")
"""Labels of older links, a key of the model cards, and a name of TensorFlow's."""


@cache
def defined(file: Path) -> set[str]:
    """Return all names that a module gives to something: at its top, and in its classes."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, NAMED):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                names |= {getattr(part, "attr", getattr(part, "id", "")) for part in ast.walk(target)}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


@cache
def functions() -> set[str]:
    """Return the names of the project's functions and classes."""
    tops = (node for file in MODULES.values() for node in ast.parse(file.read_text("utf-8")).body)
    return {node.name for node in tops if isinstance(node, NAMED)}


def leads_nowhere(dotted: str) -> bool:
    parts = dotted.split(".")
    if parts[-1] in OTHER_FILES:
        return False
    if parts[-1] in ("py", "js", "html", "css"):
        return dotted not in {file.name for file in TEXTS}
    for count in range(len(parts), 0, -1):
        start, rest = ".".join(parts[:count]), parts[count:]
        if found := [name for name in MODULES if f".{name}".endswith(f".{start}")]:
            return not any(set(rest) <= defined(MODULES[name]) for name in found)
    return parts[0] not in OF_OTHERS and parts[-1] in functions()  # it has moved


def test_names_in_backticks_exist():
    texts = {file.relative_to(ROOT): file.read_text("utf-8") for file in [*MODULES.values(), *MARKDOWN]}
    names = [(file, dotted) for file, text in texts.items() for dotted in DOTTED.findall(text)]
    assert not [f"{file}: {dotted}" for file, dotted in names if leads_nowhere(dotted)]


def the_map() -> str:
    """Return the list of folders and files in ARCHITECTURE.md."""
    return (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("\n## ")[1]


@pytest.mark.parametrize("top", ["cnn_core", "pages/widgets"])
def test_the_map_names_every_folder(top):
    folders = {f"{file.parent.name}/" for file in ROOT.glob(f"{top}/*/__init__.py")}
    assert not {name for name in folders if name not in the_map()}


def test_each_folder_of_the_library_lists_its_modules():
    for room in ROOT.glob("cnn_core/*/__init__.py"):
        listed = set(re.findall(r"^- `(\w+)`:", room.read_text("utf-8"), re.MULTILINE))
        assert listed == {file.stem for file in room.parent.glob("[a-z]*.py")}, room.parent.name


def test_the_map_names_every_piece_of_the_pages():
    assert not {file.name for file in ROOT.glob("pages/widgets/[a-z]*.py") if file.name not in the_map()}


def test_the_readme_names_every_folder_of_the_library():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert not {
        file.parent.name for file in ROOT.glob("cnn_core/*/__init__.py") if f"{file.parent.name}/" not in readme
    }


def test_the_spelling_is_american():
    lines = ((file, line) for file in TEXTS for line in file.read_text("utf-8").splitlines())
    found = [(file, line) for file, line in lines if BRITISH.search(line) and not KEPT.search(line)]
    assert not [f"{file.relative_to(ROOT)}: {line.strip()}" for file, line in found]
