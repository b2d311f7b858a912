"""A process that carries out runs, and after each one the Keras script that the page Train shows for it.

    python tests/scripts/repeated_runs.py FOLDER...

Each folder holds a ``config.json``. It receives the run's files, the script's model and ``script.npz``: the script's
history, the images of its sets, and the weights of both models.
"""

import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from cnn_core import training
from cnn_core.engine.config import read_config
from cnn_core.scripts import training_script


def main() -> None:
    """Train twice in each folder."""
    for folder in map(Path, sys.argv[1:]):
        training.train(folder)
        import keras  # not before: a process that trains imports TensorFlow in less time

        script = folder / "script.py"
        script.write_text(training_script.training(read_config(folder)), encoding="utf-8")
        os.chdir(folder)
        scope = runpy.run_path(str(script), run_name="__main__")
        sets = {name: np.stack(scope[name].dropna()["image"]) for name in ("training_set", "test_set")}
        models = {"run": keras.saving.load_model("model.keras"), "script": scope["model"]}
        weights = {f"{of}_{n}": w for of, model in models.items() for n, w in enumerate(model.get_weights())}
        np.savez(folder / "script.npz", **sets, **scope["history"].history, **weights)


if __name__ == "__main__":
    main()
