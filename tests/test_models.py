"""Every way into the app for a model, and what a good one does; bad files are in tests/model_io/test_keras_file."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from cnn_core import models, pixels
from cnn_core.model_io import keras_file, pet_model
from cnn_core.models import ModelError, PetModel
from tests.small_models import SIZE, network, refused, saved

pytestmark = pytest.mark.slow  # a model is opened with TensorFlow


def photos(count: int = 5) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (*rng.integers(2, 60, 2), 3), dtype=np.uint8) for _ in range(count)]


# What a good model does


def test_it_predicts_what_plain_keras_predicts(home, good, tmp_path):
    import keras

    path = tmp_path / "plain.keras"
    path.write_bytes(good)
    plain, images = keras.saving.load_model(path), photos()
    expected = plain.predict(
        np.stack([pixels.resize(image, SIZE, SIZE) for image in images]).astype("float32"), verbose=0
    )
    model = models.open_model(path)
    probabilities = model.predict(images)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    for image, row in zip(images, expected, strict=True):
        verdict = model.classify(image)
        assert verdict.label == ("dog" if row[1] > row[0] else "cat")
        assert verdict.probability == pytest.approx(row.max(), abs=1e-5)
        assert verdict.probabilities == pytest.approx({"cat": row[0], "dog": row[1]}, abs=1e-5)
        assert verdict.model == "plain"


def test_batches_are_cut_and_put_together_again(home, good):
    model, images = models.open_model(good), photos(7)
    by_threes = PetModel("by threes", model.keras, pet_model.BATCH_ELEMENTS // 3)
    np.testing.assert_allclose(by_threes.predict(images), model.predict(images), atol=1e-6)
    assert by_threes.predict([]).shape == (0, 2)


@pytest.mark.parametrize("policy", ["mixed_float16", "float16", "bfloat16"])
def test_half_precision_is_computed_in_full(home, policy):
    import keras

    keras.config.set_dtype_policy(policy)
    try:
        half = network(1)
    finally:
        keras.config.set_dtype_policy("float32")
    model, images = models.open_model(saved(half)), photos()
    assert {layer.compute_dtype for layer in model.keras.layers} == {"float32"}
    small = np.stack([pixels.resize(image, SIZE, SIZE) for image in images]).astype("float32")
    np.testing.assert_allclose(model.predict(images), np.asarray(half(small), np.float32), atol=0.02)


def test_a_functional_network_with_branches_opens(home):
    import keras
    from keras import layers

    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(4, 3, padding="same", kernel_regularizer="l2", activation=keras.activations.relu)(
        layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(inputs))
    )
    x = layers.Add()([x, layers.BatchNormalization()(x)])
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    opened = models.open_model(saved(model))
    small = np.zeros((1, SIZE, SIZE, 3), np.float32)
    np.testing.assert_allclose(opened.predict([small[0].astype(np.uint8)]), np.asarray(model(small)), atol=1e-6)
    assert "no Rescaling layer" in opened.warnings[0]


def with_score(bias: float, width: int = 1):
    """A network that also says how sure it is that there is a cat or a dog."""
    import keras
    from keras import layers

    inputs = keras.Input((SIZE, SIZE, 3))
    features = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(inputs)))
    pet = layers.Dense(width, activation="sigmoid", bias_initializer=keras.initializers.Constant(bias))
    return keras.Model(inputs, [layers.Dense(2, activation="softmax")(features), pet(features)])


@pytest.mark.parametrize(("bias", "neither"), [(-9.0, True), (9.0, False)])
def test_a_second_output_may_say_that_there_is_neither(home, good, bias, neither):
    model = with_score(bias)
    opened = models.open_model(saved(model))
    for image, prediction in zip(photos(3), opened.predictions(photos(3)), strict=True):
        small = pixels.resize(image, SIZE, SIZE)[None].astype(np.float32)
        probabilities, pet = (np.asarray(output)[0] for output in model(small))
        np.testing.assert_allclose(list(prediction.probabilities.values()), probabilities, atol=1e-6)
        assert prediction.pet == pytest.approx(pet[0], abs=1e-6)
        assert (prediction.label == "neither") == neither
        assert prediction.sentence.startswith("Neither") == neither
        assert ("over 99\u00a0% sure" in prediction.about_pets) == (not neither)
        assert prediction.probability == pytest.approx(1 - pet[0] if neither else probabilities.max(), abs=1e-6)
    assert opened.predict([]).shape == (0, 2)
    assert models.open_model(good).classify(photos(1)[0]).pet is None
    refused(saved(with_score(0, width=2)), r"Received \[\(None, 2\), \(None, 2\)\]")


def test_whether_a_file_tells_neither_is_known_without_keras(tmp_path, good):
    for name, content, tells in (("a", saved(with_score(0)), True), ("b", good, False), ("c", b"no model", False)):
        (tmp_path / name).write_bytes(content)
        assert keras_file.tells_neither(tmp_path / name) is tells


# Finding one


def test_models_of_all_kinds_are_listed_and_found(home, good):
    models.WEIGHTS.mkdir()
    for name in (models.DEFAULT, "a-first"):
        (models.WEIGHTS / f"{name}.keras").write_bytes(good)
    card = {"title": "The article's network", "data": "18,750 photos", "test_accuracy": 0.8125, "images": 6250}
    (models.WEIGHTS / f"{models.DEFAULT}.card.json").write_text(json.dumps(card))
    (models.WEIGHTS / f"{models.DEFAULT}.history.csv").write_text(
        "epoch,accuracy,val_accuracy\n1,0.6,0.65\n2,0.7,0.72\n"
    )
    run = home / "runs" / "2024-run"
    run.mkdir(parents=True)
    (run / "model.keras").write_bytes(good)
    (run / "config.json").write_text(json.dumps({"data": "sketches"}))
    (run / "history.csv").write_text("epoch,accuracy,val_accuracy\n1,0.8,0.925\n")
    models.save_upload(good, "mine.keras")

    cards = models.list_models()
    assert [(card.name, card.kind) for card in cards] == [
        (models.DEFAULT, "bundled"), ("a-first", "bundled"), ("2024-run", "trained"), ("mine", "uploaded"),
    ]  # fmt: skip
    assert {card.input_size for card in cards} == {SIZE}
    article, _, trained, uploaded = cards
    assert article.title == "The article's network"
    assert "Test accuracy: 81.2\u00a0% on 6,250 photos" in article.text
    assert article.history()["val_accuracy"].tolist() == [0.65, 0.72]
    assert trained.accuracy == 0.925
    assert "may fail on photos" in trained.text
    assert "1 epoch on drawn cats and dogs" in trained.text
    assert "Test accuracy after the last epoch: 92.5\u00a0%." in trained.text
    assert len(trained.history()) == 1
    assert uploaded.accuracy is None
    assert uploaded.history() is None
    assert models.open_model().name == models.DEFAULT
    assert models.open_model("2024-run").name == "2024-run"
    assert models.find(run).path == run / "model.keras"
    assert models.find(run).name == run.name


def test_an_unknown_name_is_answered_with_the_known_ones(home, good):
    with pytest.raises(ModelError, match=r"“articel”\. The models here: none yet"):
        models.open_model("articel")
    models.save_upload(good, "mine.keras")
    with pytest.raises(ModelError, match=r"“articel”\. The models here: mine"):
        models.find("articel")


def test_listing_and_finding_leave_tensorflow_alone(home, good):
    models.save_upload(good, "mine.keras")
    code = (
        "import sys; from cnn_core import models; assert models.find('mine').input_size == 12;"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(models.__file__).parents[1])


# Keeping an upload


@pytest.mark.parametrize("name", ["../../evil.keras", "..\\..\\evil.keras", "/etc/evil.keras", "evil"])
def test_an_upload_stays_in_its_folder(home, good, name):
    card = models.save_upload(good, name)
    assert card.path == home / "models" / "evil.keras"
    assert card.path.read_bytes() == good


def test_an_upload_with_a_strange_name_gets_a_plain_one(home, good):
    assert models.save_upload(good, "...keras").name == "model"
    assert models.save_upload(good, "my best: model/ä?.keras").name == "ä"


def test_an_upload_never_hides_another_model(home, good):
    models.WEIGHTS.mkdir()
    (models.WEIGHTS / "article.keras").write_bytes(good)
    assert models.save_upload(good, "article.keras").name == "article-uploaded"
    assert models.find("article").kind == "bundled"


def test_a_second_upload_of_a_name_replaces_the_first(home, good):
    models.save_upload(good, "mine.keras")
    first = models.open_model("mine").predict(photos())
    models.save_upload(saved(network(9)), "mine.keras")
    assert len(models.list_models()) == 1
    assert not np.allclose(models.open_model("mine").predict(photos()), first)


def test_a_refused_upload_leaves_nothing(home):
    with pytest.raises(ModelError):
        models.save_upload(b"no model", "mine.keras")
    assert models.list_models() == []
    assert not list(home.rglob("*.keras"))


# Keeping models loaded


def test_a_model_is_loaded_once_even_when_many_ask_at_once(home, good):
    models.save_upload(good, "mine.keras")
    models.forget_loaded()
    opened = []
    threads = [threading.Thread(target=lambda: opened.append(models.open_model("mine"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    assert len(set(map(id, opened))) == 1


def test_only_a_few_models_stay_in_memory(home, good):
    for number in range(models.KEEP_LOADED + 1):
        models.save_upload(good, f"m{number}.keras")
    models.forget_loaded()
    opened = [models.open_model(f"m{number}") for number in range(models.KEEP_LOADED)]
    assert models.open_model("m0") is opened[0]
    models.open_model(f"m{models.KEEP_LOADED}")
    assert models.open_model("m0") is opened[0]  # it was used after m1, so m1 had to go
    assert models.open_model("m1") is not opened[1]


def test_no_text_says_that_a_model_is_always_right(home, good):
    models.WEIGHTS.mkdir()
    (models.WEIGHTS / "best.keras").write_bytes(good)
    (models.WEIGHTS / "best.card.json").write_text(json.dumps({"test_accuracy": 1.0, "images": 12}))
    run = home / "runs" / "perfect"
    run.mkdir(parents=True)
    (run / "model.keras").write_bytes(good)
    (run / "history.csv").write_text("epoch,accuracy,val_accuracy\n1,1.0,1.0\n")
    texts = [card.text for card in models.list_models()]
    assert len(texts) == 2
    for text in texts:
        assert "over 99.9\u00a0%" in text
        assert "100\u00a0%" not in text
        assert "100.0" not in text
