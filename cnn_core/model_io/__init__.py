"""Model files.

- `keras_file`: check and load a ``.keras`` file
- `allowed_layers`: which layers a file may contain
- `weights_check`: check of the weights in it
- `pet_model`: a loaded model and its answer
- `together`: questions of several visitors in one call
- `lite_file`: the LiteRT file of a bundled model
- `lite_bundle`: write this file
- `export`: Keras, LiteRT and ONNX for other programs
- `bundle`: from a run to a bundled model
- `cards`: model cards
"""

from cnn_core import CnnLabError


class ModelError(CnnLabError):
    """A model cannot be found, or its file is not one that tells cats from dogs."""
