"""``python -m cnn_core``: the command line. Python 3.6's syntax, so that a Python that is too old can say so."""

import gc
import sys

from cnn_core.setup import venv

if __name__ == "__main__":
    venv.require_python()
    from cnn_core.cli import main

    code = main()
    gc.freeze()  # Python looks for garbage before it ends: where TensorFlow was imported, for 1 s
    sys.exit(code)
