"""Runs whose processes are forked by a script that has imported TensorFlow: pytest itself is never forked."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked from one")


def carry_out(script: str, top: Path) -> Any:
    """Let a script in this folder do its runs below `top`, and return the JSON in the last line that it prints."""
    environment = os.environ | {"CNN_LAB_HOME": str(top / "home"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name(script)), str(top)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=420, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
