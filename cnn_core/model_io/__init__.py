"""Model files: checking and loading them, writing other formats, cards, bundling."""

from cnn_core import CnnLabError


class ModelError(CnnLabError):
    """A model cannot be found, or its file is not one that tells cats from dogs."""
