"""``python -m cnn_core``: the command line. Python 3.6's syntax, so that a Python that is too old can say so."""

import sys

from cnn_core.setup import venv

if __name__ == "__main__":
    venv.require_python()
    from cnn_core.cli import main

    sys.exit(main())
