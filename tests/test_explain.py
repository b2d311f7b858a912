"""Heat maps and feature maps of networks that are small enough to know the answer beforehand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax as scipy_softmax

from cnn_core import explain
from cnn_core.models import PetModel, open_model

pytestmark = pytest.mark.slow  # a model is opened with TensorFlow

SIZE = 16


@pytest.fixture(scope="module")
def bright_or_dark() -> PetModel:
    """Two 1×1 filters, for bright and for dark pixels; the mean of the first says dog, of the second cat."""
    import keras

    network = keras.Sequential(
        [
            keras.layers.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(2, 1, activation="relu", name="see"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    weights = np.stack([np.full(3, 1 / 3), np.full(3, -1 / 3)], axis=-1).reshape(1, 1, 3, 2)
    network.get_layer("see").set_weights([weights, np.array([-0.5, 0.5])])
    network.layers[-1].set_weights([np.array([[0.0, 5.0], [5.0, 0.0]]), np.zeros(2)])
    return PetModel("bright or dark", network, SIZE * SIZE * 3)


def photo(height: int = SIZE, width: int = SIZE) -> np.ndarray:
    """Black, with a white square in the upper left quarter's middle."""
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 8 : height * 3 // 8, width // 8 : width * 3 // 8] = 255
    return image


def test_heat_for_dog_lies_on_the_bright_square_and_for_cat_around_it(bright_or_dark):
    dog = explain.heat_map(bright_or_dark, photo(), "dog")
    cat = explain.heat_map(bright_or_dark, photo(), "cat")
    bright = photo()[..., 0] > 0
    np.testing.assert_allclose(dog, bright.astype(float), atol=1e-6)
    np.testing.assert_allclose(cat, 1 - bright, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (40, 100), (123, 31)])
def test_heat_has_the_size_of_the_photo_and_stays_on_the_square(bright_or_dark, height, width):
    heat = explain.heat_map(bright_or_dark, photo(height, width), "dog")
    assert heat.shape == (height, width)
    assert heat.min() >= 0
    assert heat.max() <= 1
    center = np.array(np.nonzero(heat == heat.max())).mean(axis=1)
    np.testing.assert_allclose(center, [height / 4, width / 4], atol=max(height, width) / 16)


def test_no_evidence_is_no_heat(bright_or_dark):
    assert explain.heat_map(bright_or_dark, np.zeros((20, 20, 3), np.uint8), "dog").max() == 0


def test_a_certain_network_still_has_a_heat_map(bright_or_dark):
    """The gradient behind a saturated softmax is 0; the score before it is not."""
    import keras

    network = keras.models.clone_model(bright_or_dark.keras)
    network.set_weights(bright_or_dark.keras.get_weights())
    network.layers[-1].set_weights([np.array([[0.0, 5e4], [5e4, 0.0]]), np.zeros(2)])
    heat = explain.heat_map(PetModel("certain", network, 1), photo(), "dog")
    assert heat.max() == 1


def test_softmax_as_a_layer_of_its_own_gives_the_same_heat(bright_or_dark):
    import keras

    copy = keras.models.clone_model(bright_or_dark.keras)
    x = keras.layers.Dense(2)(copy.layers[-2].output)
    network = keras.Model(copy.inputs[0], keras.layers.Softmax()(x))
    network.set_weights(bright_or_dark.keras.get_weights())
    image = np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    for label in ("cat", "dog"):
        expected = explain.heat_map(bright_or_dark, image, label)
        np.testing.assert_allclose(explain.heat_map(PetModel("split", network, 1), image, label), expected, atol=1e-5)


def test_a_deep_saved_network_gives_the_gradient_times_the_maps(tmp_path):
    """Against the definition, computed by running the layers one by one."""
    import keras
    import tensorflow as tf

    from cnn_core.pixels import resize

    keras.utils.set_random_seed(5)
    conv, pool = keras.layers.Conv2D, keras.layers.MaxPooling2D
    body = [conv(4, 3, activation="relu"), pool(2), conv(5, 3, activation="relu"), pool(2), keras.layers.Flatten()]
    head = [keras.layers.Dense(6, activation="relu"), keras.layers.Dense(2, activation="softmax")]
    network = keras.Sequential([keras.layers.Input((SIZE, SIZE, 3)), keras.layers.Rescaling(1 / 255), *body, *head])
    network.save(tmp_path / "deep.keras")
    image = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    for index, label in enumerate(["cat", "dog"]):
        maps = tf.constant(image[None].astype("float32"))
        for layer in network.layers[:4]:
            maps = layer(maps)
        with tf.GradientTape() as tape:
            tape.watch(maps)
            x = maps
            for layer in network.layers[4:-1]:
                x = layer(x)
            score = (x @ network.layers[-1].kernel + network.layers[-1].bias)[0, index]
        weights = tape.gradient(score, maps).numpy().mean(axis=(1, 2))[0]
        expected = np.maximum((maps.numpy()[0] * weights).sum(axis=-1), 0)
        assert expected.max() > 0
        heat = explain.heat_map(open_model(tmp_path / "deep.keras"), image, label)
        # The heat has been enlarged to the photo's size: compare after shrinking both to few pixels.
        small = [resize(np.rint(255 * m / m.max()).astype(np.uint8), 3, 3).astype(float) for m in (heat, expected)]
        np.testing.assert_allclose(small[0], small[1], atol=16)


def test_feature_maps_are_what_the_filters_compute(bright_or_dark):
    assert explain.layers(bright_or_dark) == [bright_or_dark.keras.layers[0].name, "see"]
    image = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    maps = explain.feature_maps(bright_or_dark, image, "see")
    gray = image.mean(axis=-1) / 255
    np.testing.assert_allclose(maps[..., 0], np.maximum(gray - 0.5, 0), atol=1e-5)
    np.testing.assert_allclose(maps[..., 1], np.maximum(0.5 - gray, 0), atol=1e-5)


def test_unknown_layer_and_label_are_sentences(bright_or_dark):
    with pytest.raises(explain.ExplainError, match=r"no feature maps called “nose”. It has: .*see"):
        explain.feature_maps(bright_or_dark, photo(), "nose")
    with pytest.raises(explain.ExplainError, match="cat and dog; received “horse”"):
        explain.heat_map(bright_or_dark, photo(), "horse")


def test_a_network_without_convolution_says_so():
    import keras

    layers = [keras.layers.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    with pytest.raises(explain.ExplainError, match="no convolution"):
        explain.heat_map(PetModel("flat", keras.Sequential(layers), 1), photo(), "dog")


@given(arrays(np.uint8, (3, 4, 3)), arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32)), st.floats(0, 1))
def test_overlay_lies_between_photo_and_colors(image, heat, opacity):
    mixed, colors = explain.overlay(image, heat, opacity), explain.overlay(image, heat, 1)
    assert mixed.dtype == np.uint8
    assert (mixed >= np.minimum(image, colors)).all()
    assert (mixed <= np.maximum(image, colors)).all()
    np.testing.assert_array_equal(explain.overlay(image, heat, 0), image)


def test_a_small_heat_map_is_enlarged_to_the_photo():
    photo, heat = np.zeros((30, 40, 3), np.uint8), np.random.default_rng(0).random((3, 4), dtype=np.float32)
    small, large = (explain.overlay(photo, one, 1).astype(int) for one in (heat, explain.enlarged(heat, 30, 40)))
    np.testing.assert_allclose(small, large, atol=8)  # a step or two of 256 colors


def test_the_colors_grow_lighter_with_the_heat():
    ramp = np.linspace(0, 1, 256)[None]
    colors = explain.overlay(np.zeros((1, 256, 3), np.uint8), ramp, 1)[0].astype(float)
    assert (np.diff(colors @ [0.2126, 0.7152, 0.0722]) > -0.51).all()


def test_scores_by_hand(bright_or_dark):
    """White gives the bright filter 0.5, which the last layer multiplies by 5 for dog."""
    steps = explain.scores(bright_or_dark, np.full((SIZE, SIZE, 3), 255, np.uint8))
    assert steps.scores == pytest.approx({"cat": 0, "dog": 2.5}, abs=1e-5)
    assert steps.powers == pytest.approx({"cat": 1, "dog": np.exp(2.5)}, rel=1e-5)
    assert steps.shift == 0
    assert steps.network_ends_in_softmax
    assert not steps.calibrated


@pytest.mark.parametrize("ending", ["layer", "activation", "sigmoids"])
def test_scores_become_the_answer_however_the_network_ends(bright_or_dark, ending):
    import keras

    copy = keras.models.clone_model(bright_or_dark.keras)
    x = keras.layers.Dense(2)(copy.layers[-2].output)
    if ending == "sigmoids":  # p and 1 - p, without a softmax
        p = keras.layers.Dense(1, activation="sigmoid")(x)
        x = keras.layers.Concatenate()([p, keras.layers.Rescaling(-1, 1)(p)])
    else:
        x = keras.layers.Softmax()(x) if ending == "layer" else keras.layers.Activation("softmax")(x)
    model = PetModel("other", keras.Model(copy.inputs[0], x), 1)
    steps = explain.scores(model, photo(40, 30))
    assert steps.probabilities == pytest.approx(model.classify(photo(40, 30)).probabilities, abs=1e-5)
    assert steps.network_ends_in_softmax == (ending != "sigmoids")


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_softmax_is_scipys_at_any_size(cat, dog):
    steps = explain.softmax({"cat": cat, "dog": dog})
    expected = scipy_softmax([cat, dog])
    assert list(steps.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-12)
    assert max(steps.powers.values()) < 1e14


@pytest.mark.slow
def test_the_accurate_networks_scores_are_calibrated_and_its_answers():
    model, image = open_model("accurate"), np.random.default_rng(8).integers(0, 256, (90, 60, 3), dtype=np.uint8)
    steps = explain.scores(model, image)
    assert steps.calibrated
    assert steps.probabilities == pytest.approx(model.classify(image).probabilities, abs=1e-5)
