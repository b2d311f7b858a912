"""The backbone has the published network's shape, and the port joins convolution and normalization rightly."""

import math

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backbone():
    from cnn_core.accurate.backbone import efficientnet_lite2

    return efficientnet_lite2()


def test_shapes_are_those_of_the_papers_table_scaled(backbone):
    """Half the side at the stem and at four stages; a tenth more maps, a fifth more blocks."""
    sides = {"stem": (150, 32), "block_0_narrow": (150, 16), "block_3_narrow": (75, 24), "block_6_narrow": (38, 48)}
    sides |= {"block_10_narrow": (19, 88), "block_14_narrow": (19, 120), "block_19_narrow": (10, 208)}
    sides |= {"block_20_narrow": (10, 352), "head": (10, 1280)}
    for name, (side, maps) in sides.items():
        assert backbone.get_layer(name).output.shape == (None, side, side, maps)
    assert len([layer for layer in backbone.layers if layer.name.endswith("_add")]) == 14


def test_parameters_are_the_published_ones_but_for_the_classes(backbone):
    """6,092,072 with 1,000 classes (in the ported package's file); each normalization had one number more per map."""
    classes = 1281 * 1000
    normalized = sum(layer.bias.shape[0] for layer in backbone.layers if layer.weights)
    assert backbone.count_params() + normalized + classes == 6_092_072


def test_every_layer_can_be_loaded_by_name(backbone, tmp_path):
    from cnn_core.accurate.backbone import efficientnet_lite2

    random = np.random.default_rng(0)
    arrays = {}
    for layer in backbone.layers:
        for kind, weight in zip(("kernel", "bias"), layer.get_weights(), strict=False):
            arrays[f"{layer.name}/{kind}"] = random.normal(0, 0.1, weight.shape).astype("float32")
    np.savez(tmp_path / "weights.npz", **arrays)
    loaded = efficientnet_lite2(tmp_path / "weights.npz")
    for name, values in arrays.items():
        layer, kind = name.split("/")
        np.testing.assert_array_equal(loaded.get_layer(layer).get_weights()[kind == "bias"], values)


@pytest.mark.parametrize("depthwise", [False, True])
def test_folding_equals_convolution_then_normalization(depthwise):
    import tensorflow as tf

    from cnn_core.accurate.port import EPSILON, fold_batch_norm

    random = np.random.default_rng(1)
    maps, channels = 6, 6
    weight = random.normal(size=(maps, 1 if depthwise else channels, 3, 3)).astype("float32")
    arrays = {"conv.weight": weight, "bn.running_var": random.uniform(0.01, 3, maps).astype("float32")}
    arrays |= {f"bn.{name}": random.normal(size=maps).astype("float32") for name in ("weight", "bias", "running_mean")}
    image = random.normal(size=(1, 9, 9, channels)).astype("float32")

    def convolved(kernel):
        convolve = tf.nn.depthwise_conv2d if depthwise else tf.nn.conv2d
        return convolve(image, kernel, strides=[1, 1, 1, 1], padding="SAME")

    plain = weight.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    expected = tf.nn.batch_normalization(
        convolved(plain), arrays["bn.running_mean"], arrays["bn.running_var"], arrays["bn.bias"], arrays["bn.weight"],
        EPSILON,
    )  # fmt: skip
    folded = fold_batch_norm(arrays, "conv", "bn", "layer", depthwise)
    np.testing.assert_allclose(convolved(folded["layer/kernel"]) + folded["layer/bias"], expected, atol=1e-4)


def test_the_real_backbone_takes_a_step_of_fine_tuning_and_only_its_upper_blocks_move(backbone):
    from cnn_core.accurate import finetuning, sizes
    from cnn_core.accurate.recipe import PETS
    from cnn_core.engine import run_size

    random = np.random.default_rng(2)
    head = {
        f"{name}/{kind}": random.normal(0, 0.1, shape).astype("float32")
        for name, count in (("verdict", 2), ("classes", len(PETS)))
        for kind, shape in (("kernel", (1280, count)), ("bias", (count,)))
    }
    for layer in backbone.layers:
        if layer.weights:  # as large as keeps the size of what passes through
            kernel, bias = layer.get_weights()
            around = kernel.shape[0] * kernel.shape[1] * (1 if "look" in layer.name else kernel.shape[2])
            layer.set_weights([random.normal(0, np.sqrt(2 / around), kernel.shape), bias])
    tuned = finetuning.tunable(backbone, head, steps=10)
    numbers = sum(math.prod(variable.shape) for variable in [*tuned.variables, *tuned.optimizer.variables])
    assert 0.9 < 4 * numbers / (sizes.PARAMETERS * run_size.TUNED_CHECKPOINT) < 1
    assert finetuning.answering(tuned).count_params() == finetuning.untrained().count_params() == sizes.PARAMETERS
    tuned.compile(tuned.optimizer, tuned.loss, run_eagerly=True)  # to compile the graph would take a minute
    images = random.uniform(0, 255, (2, 96, 96, 3)).astype("float32")
    assert np.isfinite(tuned.train_on_batch(images, np.array([0, 1]))).all()
    names = [layer.name for layer in tuned.layers if layer.name in {layer.name for layer in backbone.layers}]
    upper = set(names[names.index(finetuning.FIRST_TRAINABLE) :])
    for layer in backbone.layers:
        if layer.weights:
            after = tuned.get_layer(layer.name).get_weights()[0]
            assert np.array_equal(layer.get_weights()[0], after) == (layer.name not in upper), layer.name
