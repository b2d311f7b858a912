"""A long training is compiled before its first step; that changes nothing but the time."""

import random
import sys
from dataclasses import replace

import numpy as np
import pytest

from cnn_core import training
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


def trained(compiles: bool) -> tuple[list[np.ndarray], list[int]]:
    """Train for two epochs; return the weights, and how often what is compiled was traced before and in the end."""
    from cnn_core.engine import image_by_image
    from cnn_core.engine.learning import set_seed

    image_by_image.convolve_and_pool_one.cache_clear()
    if compiles:
        image_by_image.compile_ahead(CONFIG.network)
    set_seed(CONFIG)
    model = training.build(CONFIG, LONG)
    assert isinstance(model, image_by_image.ImageByImage)
    kinds = tuple((layer.padding, layer.activation) for layer in model.network.layers if "conv" in layer.name)
    compiled = image_by_image.convolve_and_pool_one(kinds)
    traced = [compiled.experimental_get_tracing_count()]
    model.fit(*batch(), batch_size=5, epochs=2, verbose=0)
    return model.get_weights(), [*traced, compiled.experimental_get_tracing_count()]


@pytest.fixture(scope="module")
def without_and_after():
    """The same training without a compilation beside it, and with one."""
    return trained(compiles=False), trained(compiles=True)


def test_the_training_asks_for_what_was_compiled_and_for_nothing_else(without_and_after):
    assert [traced for _, traced in without_and_after] == [[0, 1], [1, 1]]


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
            compile_ahead(CONFIG.network).join()
        legacy = np.random.random(3)  # noqa: NPY002  (Keras seeds it, too)
        drawn = [random.random(), legacy, tf.random.uniform([3]), keras.random.uniform([3])]
        found.append([*drawn, *map(np.asarray, (*model.variables, *model.optimizer.variables))])
    for without, after in zip(*found, strict=True):
        np.testing.assert_array_equal(without, after)


def test_the_first_step_waits_for_the_compilation(monkeypatch):
    from cnn_core.engine.image_by_image import compile_ahead

    thread, waited = compile_ahead(CONFIG.network), []
    join = thread.join
    monkeypatch.setattr(thread, "join", lambda: waited.append(join()))
    model = training.build(CONFIG, LONG)
    assert not waited
    model.fit(*batch(), batch_size=5, epochs=2, verbose=0)
    assert waited


def test_a_step_gives_the_same_numbers_after_a_compilation_beside_it(without_and_after):
    for without, after in zip(*(weights for weights, _ in without_and_after), strict=True):
        np.testing.assert_array_equal(without, after)


@pytest.fixture
def compiled(monkeypatch):
    """The networks that were compiled; in truth none is."""
    from cnn_core.engine import image_by_image

    networks = []
    monkeypatch.setattr(image_by_image, "compile_ahead", networks.append)
    return networks


@pytest.mark.parametrize(("patience", "times"), [(60, 0), (0, 1)])
def test_it_begins_once_where_listing_takes_long(compiled, monkeypatch, patience, times):
    from cnn_core.engine import ahead

    monkeypatch.setattr(ahead, "PATIENCE_SECONDS", patience)
    told = []
    begins = ahead.Ahead(CONFIG, lambda *progress: told.append(progress), alone=True)
    for number in range(3):
        begins.reading(number, 3, "Looking")
    assert told == [(number, 3, "Looking") for number in range(3)]
    assert compiled == [CONFIG.network] * times
    begins.begin(LONG)
    assert compiled == [CONFIG.network]


@pytest.mark.parametrize(("steps", "alone", "precision"), [(10, True, "float32"), (LONG, False, "float32"),
                                                          (LONG, True, "mixed_bfloat16")])  # fmt: skip
def test_it_does_not_begin_where_the_training_will_not_ask_for_it(compiled, steps, alone, precision):
    from cnn_core.engine.ahead import Ahead

    Ahead(replace(CONFIG, precision=precision), print, alone=alone).begin(steps)
    assert not compiled
