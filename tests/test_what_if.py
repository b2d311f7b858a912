"""What if: a covered square and an edited kernel, against a photo covered by hand and a network edited for real."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_core import what_if
from cnn_core.convolution import conv2d
from cnn_core.models import PetModel

SIZE = 16
share = st.floats(0, 1)


@given(st.integers(1, 40), st.integers(1, 40), share, share, share)
def test_the_square_lies_inside_and_nothing_else_changes(height, width, down, right, size):
    image = np.random.default_rng(height).integers(0, 100, (height, width, 3), dtype=np.uint8)
    before = image.copy()
    covered, top, left, side = what_if.cover_square(image, down, right, size)
    assert 0 <= top <= top + side <= height
    assert 0 <= left <= left + side <= width
    assert (covered == what_if.GRAY).all(axis=-1).sum() == side**2
    expected = before.copy()
    expected[top : top + side, left : left + side] = 128
    np.testing.assert_array_equal(covered, expected)
    np.testing.assert_array_equal(image, before)


def test_the_hot_spot_is_where_the_heat_is():
    heat = np.zeros((10, 20))
    heat[2, 14] = 1
    heat[8, 3] = 0.5
    assert what_if.hot_spot(heat) == (0.25, 0.725)
    assert what_if.hot_spot(np.zeros((4, 4))) == (0.5, 0.5)


def build(frozen: bool = False, nested: bool = False) -> PetModel:
    import keras

    keras.utils.set_random_seed(4)
    layers = keras.layers
    parts = [
        layers.Rescaling(1 / 255),
        layers.Conv2D(5, 3, activation="relu", name="first"),
        layers.Conv2D(4, 3, name="second"),
        layers.Flatten(),
    ]
    body = keras.Sequential([layers.Input((SIZE, SIZE, 3)), *parts])
    body.trainable = not frozen
    picture = keras.Input((SIZE, SIZE, 3))
    x = body(picture) if nested else body.outputs[0]
    network = keras.Model(picture if nested else body.inputs[0], layers.Dense(2, activation="softmax")(x))
    return PetModel("small", network, 5 * SIZE * SIZE)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(("frozen", "nested"), [(False, False), (True, True)])
def test_an_edited_kernel_answers_as_a_network_with_that_kernel_and_leaves_the_model_alone(frozen, nested, image):
    model, other = build(frozen, nested), build(frozen, nested)
    layer, kernels = what_if.first_kernels(model)
    assert (layer, kernels.shape) == ("first", (3, 3, 3, 5))
    mine = np.random.default_rng(2).normal(0, 1, (3, 3, 3))
    before, said = model.keras.get_weights(), model.predict([image])
    answer = what_if.with_kernel(model, image, 2, mine)

    weights = other.keras.get_weights()
    changed = next(at for at, weight in enumerate(weights) if weight.shape == kernels.shape)
    weights[changed][..., 2] = mine
    other.keras.set_weights(weights)
    expected = other.predict([image])[0]
    np.testing.assert_allclose(list(answer.probabilities.values()), expected, atol=1e-5)
    assert abs(expected - said[0]).max() > 1e-3
    np.testing.assert_allclose(
        answer.feature_map, conv2d(image / 255, mine, activation="relu"), atol=1e-4, err_msg="bias is zero here"
    )
    for weight, was in zip(model.keras.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)
    np.testing.assert_array_equal(model.predict([image]), said)


@pytest.mark.slow
def test_without_an_edit_the_answer_is_the_models(image):
    model = build()
    answer = what_if.with_kernel(model, image, 0)
    np.testing.assert_allclose(list(answer.probabilities.values()), model.predict([image])[0], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "kernel", "message"),
    [
        (5, np.zeros((3, 3, 3)), "has 5 kernels"),
        (-1, None, "has 5 kernels"),
        (0, np.zeros((3, 3)), "shape \\(3, 3, 3\\); received \\(3, 3\\)"),
        (0, np.full((3, 3, 3), np.nan), "empty or is not a number"),
    ],
)
def test_a_kernel_that_does_not_fit_is_a_sentence(number, kernel, message, image):
    with pytest.raises(what_if.WhatIfError, match=message):
        what_if.with_kernel(build(), image, number, kernel)


@pytest.mark.slow
def test_a_model_without_kernels_over_the_photo_says_so(image):
    import keras

    layers = [keras.layers.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    with pytest.raises(what_if.WhatIfError, match="Choose another model"):
        what_if.first_kernels(PetModel("flat", keras.Sequential(layers), 1))
