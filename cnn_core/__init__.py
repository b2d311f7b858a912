"""CNN Lab's library: everything the app shows, computed without a screen.

Its chapters, the modules beside this file, are meant to be read in the order that ARCHITECTURE.md gives. It begins
with ``pixels`` → ``kernels`` → ``convolution`` → ``pooling``. Importing this package, or a chapter up to ``source``,
does not import TensorFlow.
"""

import os

# The first process that uses a graphics card would take all of its memory. The app and its trainings share it.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

__version__ = "0.3.0"


class CnnLabError(ValueError):
    """Something a user can mend. Its message is one or two sentences: what is wrong, and the next step.

    Each module raises its own subclass; pages show the message with ``st.error``, the command line prints it.
    """
