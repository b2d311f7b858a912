"""Remove from a virtual environment what the app never opens: it halves a container image.

The Dockerfile runs this file while it builds: ``python slim.py /venv``. It needs nothing but ``strip`` (of binutils).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDERS = ("__pycache__", "tests", "include")
"""Folders of these names, in any package. The build compiles again what the app imports."""

UNUSED = (
    "clang", "libclang-*",  # for those who build TensorFlow
    "pyarrow/*flight*", "pyarrow/*_s3*",  # Arrow's own server and cloud storage
    "ai_edge_litert/libLiteRtWebGpuAccelerator.so", "ai_edge_litert/tools", "ai_edge_litert/vendors",  # for other chips
    "pydeck/nbextension", "plotly/labextension", "plotly/package_data/widgetbundle.js",  # for notebooks
)  # fmt: skip

STRIPPED = ("tensorflow", "pyarrow", "ai_edge_litert", "uvloop")
"""Packages whose libraries name all their symbols. NumPy's and SciPy's do not load any more when they are stripped."""


def trim(packages: Path) -> None:
    """Remove all that in a folder ``site-packages``.

    Parameters
    ----------
    packages : Path

    Raises
    ------
    subprocess.CalledProcessError
        When ``strip`` fails.
    """
    for top, folders, _ in os.walk(packages):
        for name in [name for name in folders if name in FOLDERS]:
            shutil.rmtree(Path(top, name))
            folders.remove(name)
    for pattern in UNUSED:
        for path in packages.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in STRIPPED:
        for library in packages.glob(f"{name}/**/*.so*"):
            subprocess.run(["strip", "--strip-unneeded", str(library)], check=True)


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    (where,) = Path(sys.argv[1]).glob("lib/python*/site-packages")
    before = size(where)
    trim(where)
    print(f"{where}: {before / 1e6:,.0f} MB before, {size(where) / 1e6:,.0f} MB now")
