"""Set-up in one command: the virtual environment ``.venv``, the packages in it, and a Chromium for the browser tests.

These modules use the standard library only, and the syntax of Python 3.6, so that a Python that is too old still gets
far enough to say so. ``python -m cnn_core app`` and ``python -m cnn_core test`` end up in `commands`.

- `commands`: ``app`` and ``test``
- `venv`: the virtual environment and its packages
- `chromium`: a Chromium for the browser tests
- `processes`: running other programs
- `installed`: whether TensorFlow is installed
- `slim`: what a container image leaves out
"""
