"""What a network computes in while it is trained. Import this only when TensorFlow is wanted."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf


def mixed(model: keras.Model, precision: str) -> keras.callbacks.Callback:
    """Make the callback that trains in `precision` and tests in float32, in which the model will be used."""
    precision = settled(precision)
    return keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: compute_in(model, precision),
        on_test_begin=lambda logs: compute_in(model, "float32"),
    )


def settled(precision: str) -> str:
    """Return what "auto" means on this machine, and any other precision as it is."""
    return best_precision() if precision == "auto" else precision


def compute_in(model: keras.Model, precision: str) -> None:
    """Set what the layers between rescaling and softmax compute in; their weights are float32 in any case."""
    for layer in model.layers[1:-1]:
        layer.dtype_policy = precision


def best_precision() -> str:
    """Return "mixed_bfloat16" where it is faster than "float32": where the hardware multiplies bfloat16 itself.

    Graphics cards do so from compute capability 8.0 on, processors with AMX.
    """
    cards = tf.config.list_physical_devices("GPU")
    if cards:
        details = tf.config.experimental.get_device_details(cards[0])
        multiplies = details.get("compute_capability", (0, 0)) >= (8, 0)
    else:
        try:
            multiplies = " amx_bf16 " in Path("/proc/cpuinfo").read_text(encoding="utf-8")
        except OSError:
            multiplies = False
    return "mixed_bfloat16" if multiplies else "float32"
