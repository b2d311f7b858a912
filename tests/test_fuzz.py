"""Whatever is damaged in a file, its door answers with its own exception, soon, in little memory, inside its home.

Each door is given damaged files for a few seconds, in a process of its own. `CNN_LAB_FUZZ_SECONDS=600` is a longer
search; then models are opened by TensorFlow too, not only checked.
"""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT

SECONDS = float(os.environ.get("CNN_LAB_FUZZ_SECONDS", "3"))
LONG = "CNN_LAB_FUZZ_SECONDS" in os.environ
SEED = int(time.time()) if LONG else 1
"""In CI always the same files: what fails there fails here."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS + 240),
    pytest.mark.skipif(sys.platform == "win32", reason="the module resource is not there"),
]


@pytest.mark.parametrize(
    "door",
    ["image", "dataset", "model", pytest.param("model tensorflow", marks=pytest.mark.skipif(not LONG, reason="long"))],
)
def test_damaged_files(door, tmp_path):
    name, *with_keras = door.split()
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz", name, str(SECONDS), str(SEED), str(tmp_path)]
    done = subprocess.run([*command, *with_keras], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 200)
    assert done.returncode == 0, f"seed {SEED}, file {tmp_path / 'input'}: {done.stderr[-3000:]}"
    report = json.loads(done.stdout.splitlines()[-1])
    assert not report["found"], f"seed {SEED}, files in {tmp_path}: {report['found'][:3]}"
    assert report["tried"] > 20
    assert 0.2 < report["refused"] / report["tried"] < 0.98  # some damage does no harm, most does
