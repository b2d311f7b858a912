"""CNN Lab's library: everything the app shows, computed without a screen.

The modules are meant to be read in the lesson's order: ``pixels`` → ``kernels`` → ``convolution`` → ``pooling`` →
``network`` → ``dataset`` → ``sketches`` → ``training`` → ``runs`` → ``models`` → ``explain`` → ``evaluation``.
Importing this package, or any module up to ``network``, does not import TensorFlow.
"""

__version__ = "0.2.0"


class CnnLabError(ValueError):
    """Something a user can mend. Its message is one or two sentences: what is wrong, and the next step.

    Each module raises its own subclass; pages show the message with ``st.error``, the command line prints it.
    """
