"""A container image loses what the app never opens, and nothing beside it."""

import subprocess
import sys

from cnn_core.setup import slim


def test_trimming_removes_tests_headers_and_unused_parts_and_keeps_the_rest(tmp_path):
    packages = tmp_path / "lib/python3.13/site-packages"
    keep = ["pandas/frame.py", "pyarrow/libarrow.so.2600", "plotly/package_data/plotly.min.js", "testsuite/main.py"]
    drop = [
        "pandas/tests/test_frame.py",
        "numpy/_core/include/numpy.h",
        "clang/native/libclang.so",
        "plotly/labextension/a.js",
    ]
    drop += ["pandas/__pycache__/frame.pyc", "libclang-18.dist-info/METADATA", "pyarrow/libarrow_flight.so.2600"]
    for name in keep + drop:
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_bytes(b"12345")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "strip").write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'w').write('123')\n")
    (tools / "strip").chmod(0o755)
    done = subprocess.run(
        [sys.executable, slim.__file__, str(tmp_path)],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=True,
    )
    left = {path.relative_to(packages).as_posix() for path in packages.rglob("*") if path.is_file()}
    assert left == set(keep)
    assert (packages / "pyarrow/libarrow.so.2600").read_text() == "123"
    assert slim.size(packages) == 5 * len(keep) - 2
    assert "MB now" in done.stdout
