"""A training step is computed in another order than Keras's, with the same result: outputs, gradients, new weights."""

import json
import sys
import zipfile

import numpy as np
import pytest

from cnn_core import training
from cnn_core.engine.config import TrainingConfig
from cnn_core.network import ConvBlock, NetworkSpec

pytestmark = pytest.mark.slow

SPECS = {
    "article, small": NetworkSpec(18, (ConvBlock(4), ConvBlock(4)), 5),
    "odd sizes": NetworkSpec(17, (ConvBlock(3), ConvBlock(3)), 5),
    "padded": NetworkSpec(16, (ConvBlock(3, padding="same"), ConvBlock(3, padding="same", activation="elu")), 5),
    "padded, large kernel": NetworkSpec(16, (ConvBlock(3, padding="same"), ConvBlock(3, 5, padding="same")), 5),
    "even kernels": NetworkSpec(19, (ConvBlock(3, 2, padding="same", activation="elu"), ConvBlock(3, 4)), 5),
    "large kernel": NetworkSpec(20, (ConvBlock(3, 7, activation="tanh"),), 0),
    "kernel of one": NetworkSpec(9, (ConvBlock(3, 1, activation="sigmoid"),), 5),
    "other pooling": NetworkSpec(24, (ConvBlock(3, pool_size=3), ConvBlock(3, pool_size=0)), 5),
    "no blocks": NetworkSpec(8, (), 5),
}
COMPILED_SPECS = ("article, small", "odd sizes", "padded")  # by 3×3 kernels, pooled 2×2
SHORT, LONG = 10, 10_000


@pytest.fixture(scope="module")
def random():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "steps"),
    [*((name, SHORT) for name in SPECS), *((name, LONG) for name in (*COMPILED_SPECS, "other pooling"))],
)
def test_outputs_and_gradients_are_the_networks_own(name, steps, random):
    """In a short training, and in a long one, which computes most networks image by image."""
    import tensorflow as tf

    from cnn_core.engine.image_by_image import ImageByImage

    spec = SPECS[name]
    model = training.build(TrainingConfig(network=spec), steps)
    here = sys.platform == "linux" and not tf.config.list_physical_devices("GPU")
    assert isinstance(model, ImageByImage) == (steps == LONG and here and name in COMPILED_SPECS)
    for weights in model.network.weights:  # biases are 0 in the beginning, which would hide where they are added
        weights.assign(random.normal(0, 0.3, weights.shape))
    images = random.uniform(0, 255, (5, spec.input_size, spec.input_size, 3)).astype("float32")
    images[0] = 200.0  # all windows are alike: the gradient goes to the first of them only
    labels = np.array([0, 1, 1, 0, 1])
    found = []
    for way in (model, model.network):
        with tf.GradientTape() as tape:
            answers = way(images, training=True)
            loss = tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(labels, answers))
        found.append([answers, *tape.gradient(loss, model.network.trainable_weights)])
    for ours, keras_own in zip(*found, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(model(images), model.network(images))  # tested as it will be used


def test_a_step_of_adam_is_kerass_own(random):
    import keras

    from cnn_core.engine.fused_adam import fuse

    gradients = [random.normal(size=(4, 3)).astype("float32") for _ in range(5)]
    ends = []
    for fused in (False, True):
        weights = keras.Variable(np.ones((4, 3), "float32"))
        rate = keras.optimizers.schedules.CosineDecay(0.1, 8)
        adam = keras.optimizers.Adam(rate, global_clipnorm=2.0)
        if fused:
            fuse(adam)
        adam.build([weights])
        for gradient in gradients:
            adam.apply([keras.ops.convert_to_tensor(gradient)])
        ends.append([np.asarray(variable) for variable in (weights, *adam.variables)])
    for ours, keras_own in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-5, atol=1e-7)


def test_the_saved_file_names_keras_classes_only(tmp_path):
    model = training.build(TrainingConfig(network=SPECS["article, small"]), steps=10)
    model.network.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        config = json.loads(file.read("config.json"))
    assert config["class_name"] == "Sequential"
    assert config["compile_config"]["optimizer"]["config"]["inner_optimizer"]["class_name"] == "Adam"
    assert "cnn_core" not in json.dumps(config)


@pytest.mark.parametrize(("card", "precision"), [((9, 0), "mixed_bfloat16"), ((7, 5), "float32")])
def test_a_graphics_card_that_multiplies_bfloat16_is_used_so(card, precision, monkeypatch):
    """There is no card here: TensorFlow is told that there is one of this kind."""
    import tensorflow as tf

    from cnn_core.engine.precision import best_precision

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["card"] if kind == "GPU" else [])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: {"compute_capability": card})
    assert best_precision() == precision
