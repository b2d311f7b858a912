"""A long training is compiled while its images are listed; that changes nothing but the time of its first step."""

import random
import sys
import threading
import time
from contextlib import nullcontext

import numpy as np
import pytest

from cnn_core import training
from cnn_core.engine import ahead
from cnn_core.engine.config import TrainingConfig
from cnn_core.network import ConvBlock, NetworkSpec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="trainings are compiled on Linux only"),
]

BLOCKS = (ConvBlock(3, padding="same", activation="elu"), ConvBlock(4))
CONFIG = TrainingConfig(precision="float32", batch_size=5, epochs=1, network=NetworkSpec(18, BLOCKS, 5))
LONG = 10_000


def batch():
    images = np.random.default_rng(0).uniform(0, 255, (5, 18, 18, 3)).astype("float32")
    return images, np.array([0, 1, 1, 0, 1])


def test_the_training_asks_for_what_was_compiled_and_for_nothing_else():
    from cnn_core.engine import image_by_image

    image_by_image.convolve_and_pool_one.cache_clear()
    image_by_image.compile_ahead(CONFIG.network)
    model = training.build(CONFIG, LONG)
    assert isinstance(model, image_by_image.ImageByImage)
    kinds = tuple((layer.padding, layer.activation) for layer in model.network.layers if "conv" in layer.name)
    compiled = image_by_image.convolve_and_pool_one(kinds)
    assert compiled.experimental_get_tracing_count() == 1
    model.fit(*batch(), batch_size=5, verbose=0)
    assert compiled.experimental_get_tracing_count() == 1


def test_no_weight_and_no_random_number_is_another_one_afterwards():
    import keras
    import tensorflow as tf

    from cnn_core.engine.image_by_image import compile_ahead
    from cnn_core.engine.learning import set_seed

    found = []
    for compiles in (False, True):
        set_seed(CONFIG)
        model = training.build(CONFIG, LONG)
        if compiles:
            compile_ahead(CONFIG.network)
        legacy = np.random.random(3)  # noqa: NPY002  (Keras seeds it, too)
        drawn = [random.random(), legacy, tf.random.uniform([3]), keras.random.uniform([3])]
        found.append([*drawn, *map(np.asarray, (*model.variables, *model.optimizer.variables))])
    for without, after in zip(*found, strict=True):
        np.testing.assert_array_equal(without, after)


@pytest.mark.parametrize("error", [None, OSError()])
@pytest.mark.parametrize(("patience", "compiles"), [(60, False), (0, True)])
def test_it_is_done_where_listing_takes_long_and_never_beside_the_training(monkeypatch, patience, compiles, error):
    from cnn_core.engine import image_by_image

    begun, finished = threading.Event(), []

    def compile_ahead(_):
        begun.set()
        time.sleep(0.1)
        finished.append(True)

    monkeypatch.setattr(image_by_image, "compile_ahead", compile_ahead)
    monkeypatch.setattr(ahead, "PATIENCE_SECONDS", patience)
    with pytest.raises(OSError) if error else nullcontext(), ahead.compiling(CONFIG, alone=True):
        assert begun.wait(20 if compiles else 0.1) == compiles
        if error:
            raise error
    assert bool(finished) == compiles
