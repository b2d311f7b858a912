"""The walk through a network, against the lesson's own convolution and against Keras's view of its layers."""

import numpy as np
import pytest

from cnn_core import explain, walk
from cnn_core.convolution import conv2d
from cnn_core.models import PetModel

pytestmark = pytest.mark.slow

SIZE = 20


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def nested():
    """A network in a network, with every kind of convolution, a short cut, and layers that pass maps on."""
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    picture = keras.Input((SIZE, SIZE, 3))
    x = layers.RandomFlip(name="flip")(picture)
    x = layers.Rescaling(1 / 255, name="scale")(x)
    x = layers.Conv2D(8, 3, 2, "same", bias_initializer="normal", name="stem")(x)
    x = layers.ReLU(6, name="stem_relu")(x)
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu", name="each")(x)
    y = layers.Conv2D(8, 1, groups=2, use_bias=False, name="mix")(y)
    x = layers.Add(name="sum")([x, y])
    x = layers.SeparableConv2D(6, 3, name="separable")(x)
    x = layers.MaxPooling2D(2, name="pool")(layers.Dropout(0.5, name="rest")(x))
    backbone = keras.Model(picture, layers.GlobalAveragePooling2D(name="features")(x), name="backbone")
    backbone.trainable = False
    outside = keras.Input((SIZE, SIZE, 3))
    network = keras.Model(outside, layers.Dense(2, activation="softmax", name="verdict")(backbone(outside)))
    return PetModel("nested", network, SIZE * SIZE * 8)


def test_every_layer_is_visited_once_in_order_with_its_shape(nested, image):
    stops = walk.walk(nested, image, repeats=1)
    names = [stop.name for stop in stops]
    assert sorted(names) == sorted(
        ["flip", "scale", "stem", "stem_relu", "each", "mix", "sum", "separable", "rest", "pool", "features", "verdict"]
    )
    assert names.index("stem") < names.index("each") < names.index("mix") < names.index("sum") < names.index("pool")
    inside = {layer.name: layer for layer in [*nested.keras.get_layer("backbone").layers, nested.keras.layers[-1]]}
    for stop in stops:
        assert stop.shape == tuple(inside[stop.name].output.shape[1:])
        assert stop.kind == type(inside[stop.name]).__name__
        assert stop.milliseconds > 0
    assert sum(stop.parameters for stop in stops) == nested.keras.count_params()


def test_the_walk_ends_at_the_verdict(nested, image):
    """Also that layers for training alone, such as the random flip, rest."""
    for _ in range(3):
        found = walk.strongest(nested, image, "verdict")
        expected = nested.predict([image])[0]
        np.testing.assert_allclose(found.values, np.sort(expected)[::-1], atol=1e-6)
        assert found.numbers[0] == expected.argmax()
        assert found.kernels == (None, None)


def test_the_most_active_maps_come_first(nested, image):
    maps = explain.feature_maps(nested, image, "separable")
    found = walk.strongest(nested, image, "separable", count=4)
    means = [abs(maps[..., number]).mean() for number in range(6)]
    assert list(found.numbers) == sorted(range(6), key=lambda number: -means[number])[:4]
    np.testing.assert_allclose(found.activity, [means[number] for number in found.numbers], rtol=1e-5)
    for number, values in zip(found.numbers, found.values, strict=True):
        np.testing.assert_allclose(values, maps[..., number], atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "before"), [("stem", "scale"), ("each", "stem_relu"), ("mix", "each"), ("separable", "sum")]
)
def test_the_kernel_that_is_shown_makes_the_map_that_is_shown(nested, image, layer, before):
    """By the convolution that the lessons teach, which shares nothing with Keras."""
    source = explain.feature_maps(nested, image, before)
    found = walk.strongest(nested, image, layer, count=99)
    assert len(found.numbers) == found.total
    for kernel, values in zip(found.kernels, found.values, strict=True):
        assert kernel.layer == layer
        again = conv2d(
            source[..., list(kernel.channels)], kernel.values, stride=kernel.stride, padding=kernel.padding,
            bias=kernel.bias, activation=None if kernel.activation == "linear" else kernel.activation,
        )  # fmt: skip
        np.testing.assert_allclose(again, values, atol=1e-4)


def test_a_layer_that_passes_maps_on_names_the_kernel_behind_them(nested, image):
    for layer, source in (("stem_relu", "stem"), ("pool", "separable")):
        found = walk.strongest(nested, image, layer)
        direct = walk.strongest(nested, image, source)
        behind = dict(zip(direct.numbers, direct.kernels, strict=True))
        for number, kernel in zip(found.numbers, found.kernels, strict=True):
            assert kernel.layer == source
            np.testing.assert_array_equal(kernel.values, behind[number].values)


def test_a_sum_and_the_photos_channels_have_no_kernel(nested, image):
    assert set(walk.strongest(nested, image, "sum").kernels) == {None}
    assert set(walk.strongest(nested, image, "scale").kernels) == {None}


def test_an_unknown_layer_is_a_sentence(nested, image):
    with pytest.raises(walk.WalkError, match=r"no layer called “nose”. It has: .*stem"):
        walk.strongest(nested, image, "nose")


def test_a_layer_that_is_used_twice_is_visited_twice(image):
    import keras

    layers = keras.layers
    picture = keras.Input((SIZE, SIZE, 3))
    twice = layers.Conv2D(3, 3, padding="same", name="twice")
    x = layers.GlobalAveragePooling2D()(twice(twice(picture)))
    model = PetModel("twice", keras.Model(picture, layers.Dense(2, activation="softmax")(x)), 1)
    names = [stop.name for stop in walk.walk(model, image, repeats=1)]
    assert names[:2] == ["twice", "twice (2)"]
    first, second = (walk.strongest(model, image, name).values for name in names[:2])
    assert not np.array_equal(first, second)


def test_a_frozen_network_in_a_network_has_the_heat_map_of_the_same_layers_in_one_row(nested, image):
    """Its gradient is asked for even though nothing in it is to be trained."""
    import keras

    backbone, verdict = nested.keras.get_layer("backbone"), nested.keras.layers[-1]
    flat = PetModel("flat", keras.Model(backbone.inputs[0], verdict(backbone.outputs[0])), 1)
    heat = {label: explain.heat_map(nested, image, label) for label in ("cat", "dog")}
    assert not np.array_equal(heat["cat"], heat["dog"])
    for label, one in heat.items():
        assert one.shape == image.shape[:2]
        assert one.max() > 0.5
        np.testing.assert_allclose(one, explain.heat_map(flat, image, label), atol=1e-5)
