"""A process that trains imports TensorFlow without scikit-learn, and still gets scikit-learn when a recipe asks."""

import subprocess
import sys
import threading

import pytest

from cnn_core.engine import loading
from cnn_core.model_io import keras_file
from tests.small_models import network, saved

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


@pytest.mark.slow
def test_while_a_thread_of_the_server_loads_a_model_another_can_import_scikit_learn(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(loading, "import_tensorflow", lambda **how: asked.append(how))
    path = tmp_path / "tiny.keras"
    path.write_bytes(saved(network()))
    keras_file.load(path)
    thread = threading.Thread(target=keras_file.load, args=(path,))
    thread.start()
    thread.join()
    assert asked == [{"alone": True}, {"alone": False}]
    script = SCRIPT.replace("import_tensorflow()", "import_tensorflow(alone=False)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout.split() == ["True", "True", "True", "1"], done.stderr
