"""A process that trains imports TensorFlow without scikit-learn, and still gets scikit-learn when a recipe asks."""

import subprocess
import sys

import pytest

SCRIPT = """
import gc, sys
from cnn_core.engine import loading
loading.import_tensorflow()
import tensorflow, keras
print(gc.isenabled(), "sklearn" in sys.modules, "scipy.stats" in sys.modules)
from sklearn.linear_model import LogisticRegression
print(LogisticRegression().fit([[0.0], [1.0]], [0, 1]).predict([[1.0]])[0])
"""


@pytest.mark.slow
def test_scikit_learn_is_imported_when_it_is_asked_for_and_not_before():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "False", "False", "1"]
