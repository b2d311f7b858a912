"""Fine-tuning changes the upper blocks only, from where it began, and pays for forgetting."""

import numpy as np
import pytest
from PIL import Image

from cnn_core.dataset import Images

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backbone():
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    picture = keras.Input((16, 16, 3))
    low = layers.Conv2D(4, 3, name="low", activation="relu")(layers.Rescaling(1 / 255)(picture))
    high = layers.Conv2D(6, 3, name="block_11_widen", activation="relu")(low)
    return keras.Model(picture, layers.GlobalAveragePooling2D(name="features")(high))


@pytest.fixture(scope="module")
def head():
    random = np.random.default_rng(0)
    shapes = {"verdict/kernel": (6, 2), "verdict/bias": (2,), "classes/kernel": (6, 5), "classes/bias": (5,)}
    return {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}


@pytest.fixture
def tuned(backbone, head):
    from cnn_core.accurate import finetuning

    return finetuning.tunable(backbone, head, steps=400)


@pytest.fixture(scope="module")
def pictures():
    """Cats are dark, dogs are light: something to learn."""
    random = np.random.default_rng(1)
    labels = np.arange(32, dtype=np.int32) % 2
    return random.uniform(0, 100, (32, 16, 16, 3)).astype("float32") + 150 * labels[:, None, None, None], labels


def test_it_begins_with_what_the_backbone_and_the_head_say(backbone, head, tuned, pictures):
    from scipy.special import softmax

    scores = backbone.predict_on_batch(pictures[0]) @ head["verdict/kernel"] + head["verdict/bias"]
    np.testing.assert_allclose(tuned.predict_on_batch(pictures[0]), softmax(scores, axis=1), atol=1e-5)
    larger = np.repeat(np.repeat(pictures[0], 2, axis=1), 2, axis=2)
    assert tuned.predict_on_batch(larger).shape == (32, 2)


def test_only_what_shall_learn_learns(backbone, tuned, pictures):
    import keras

    from cnn_core.accurate import finetuning

    tuned.fit(*pictures, epochs=3, verbose=0)
    mine = keras.models.clone_model(backbone)
    mine.set_weights(backbone.get_weights())
    verdict = finetuning.copy_weights(mine, tuned)
    for name, same in (("low", True), ("block_11_widen", False)):
        before, after = (model.get_layer(name).get_weights()[0] for model in (backbone, mine))
        assert np.array_equal(before, after) == same
    scores = mine.predict_on_batch(pictures[0]) @ verdict["verdict/kernel"] + verdict["verdict/bias"]
    answers = tuned.predict_on_batch(pictures[0])
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], np.log(answers[:, 1] / answers[:, 0]), atol=1e-3)


def test_forgetting_costs_what_it_says_and_only_while_learning(backbone, head, tuned, pictures):
    from cnn_core.accurate import finetuning

    plain = -np.log(tuned.predict_on_batch(pictures[0])[np.arange(32), pictures[1]]).mean()
    kernel, bias = tuned.get_layer("block_11_widen").get_weights()
    tuned.get_layer("block_11_widen").set_weights([kernel * 1.5, bias + 0.1])
    answers = tuned.predict_on_batch(pictures[0])
    changed = -np.log(answers[np.arange(32), pictures[1]]).mean()
    assert changed != pytest.approx(plain, rel=1e-3)
    import keras

    mine = keras.models.clone_model(backbone)
    finetuning.copy_weights(mine, tuned)
    apart = (mine.predict_on_batch(pictures[0]) - backbone.predict_on_batch(pictures[0])) @ head["classes/kernel"]
    assert tuned.evaluate(*pictures, verbose=0)[0] == pytest.approx(changed, rel=1e-4)
    learned_from = tuned.train_on_batch(*pictures)[0]
    assert learned_from == pytest.approx(changed + finetuning.DISTILLATION_WEIGHT * (apart**2).mean(), rel=1e-4)


def test_it_can_be_saved_and_goes_on(tuned, pictures, tmp_path):
    import keras

    tuned.fit(*pictures, epochs=1, verbose=0)
    tuned.save(tmp_path / "tunable.keras")
    opened = keras.saving.load_model(tmp_path / "tunable.keras")
    assert int(opened.optimizer.iterations) == int(tuned.optimizer.iterations) > 0
    again, before = opened.train_on_batch(*pictures)[0], tuned.train_on_batch(*pictures)[0]
    assert again == pytest.approx(before, rel=1e-5)
    np.testing.assert_allclose(opened.predict_on_batch(pictures[0]), tuned.predict_on_batch(pictures[0]), atol=1e-5)


def test_pictures_vary_but_keep_their_labels_and_range(tmp_path, home):
    from cnn_core.accurate import finetuning

    random = np.random.default_rng(0)
    images = random.integers(0, 256, (8, 20, 20, 3), dtype=np.uint8)
    images[:, :, :, 0] = np.arange(8)[:, None, None] * 30  # its red says which picture it was
    labels = np.arange(8, dtype=np.int32)
    for image, file in zip(images, files := [str(tmp_path / f"{label}.png") for label in labels], strict=True):
        Image.fromarray(image).save(file)
    epochs = list(finetuning.augmented_batches(Images(files, 20), labels, range(2), seed=1))
    for shown, order in epochs:
        assert shown.shape == (8, 20, 20, 3) and shown.dtype == "float32"
        assert sorted(order.numpy().tolist()) == list(range(8))
        assert shown.numpy().min() >= -0.01 and shown.numpy().max() <= 255.01
        reds = shown.numpy()[..., 0].mean(axis=(1, 2))
        assert np.corrcoef(reds, order.numpy())[0, 1] > 0.7
    assert not np.array_equal(epochs[0][1].numpy(), epochs[1][1].numpy())
    assert not np.allclose(epochs[0][0].numpy(), epochs[1][0].numpy())


def test_colors_change_as_keras_changes_them():
    import tensorflow as tf
    from keras import layers

    from cnn_core.accurate import finetuning

    images = tf.constant(np.random.default_rng(0).uniform(0, 255, (5, 8, 8, 3)).astype("float32"))
    shares = np.random.default_rng(1).uniform(size=(3, 5)).astype("float32")
    ours = finetuning.vary_colors(images, *shares[:, :, None, None, None])
    brightness = layers.RandomBrightness(finetuning.BRIGHTNESS, (0, 255))
    contrast = layers.RandomContrast(finetuning.CONTRAST, (0, 255))
    saturation = layers.RandomSaturation(finetuning.SATURATION, (0, 255))
    delta = 255 * finetuning.BRIGHTNESS * (2 * shares[0] - 1)
    theirs = brightness.transform_images(images, {"rgb_delta": delta[:, None, None, None]})
    factor = 1 + finetuning.CONTRAST * (2 * shares[1] - 1)
    theirs = contrast.transform_images(theirs, {"contrast_factor": factor[:, None, None, None]})
    low, high = finetuning.SATURATION
    factor = low + (high - low) * shares[2]
    theirs = saturation.transform_images(theirs, {"factor": factor / (1 - factor)})
    np.testing.assert_allclose(ours, theirs, atol=0.05)
