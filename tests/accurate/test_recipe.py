"""The recipe of `accurate`: what it learns on features, how it is joined, and the whole of it as a run."""

import json
import re
import threading
import time

import numpy as np
import pytest

from cnn_core import cli, dataset, evaluation, models, runs, sketches, training
from cnn_core.accurate import features, recipe
from cnn_core.data_files import corrections
from cnn_core.engine.config import TrainingConfig, TrainingError
from cnn_core.source import Source
from tests.small_models import random_backbone

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def softmax(scores):
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


def small_backbone(size: int = 16, width: int = 5):
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    picture = keras.Input((size, size, 3))
    maps = layers.Conv2D(width, 3)(layers.Rescaling(1 / 255)(picture))
    return keras.Model(picture, layers.GlobalAveragePooling2D(name="features")(maps))


def test_joined_model_answers_as_its_parts_do():
    random = np.random.default_rng(0)
    backbone = small_backbone()
    head = {
        "verdict/kernel": random.normal(size=(5, 2)).astype("float32"),
        "verdict/bias": random.normal(size=2).astype("float32"),
        "classes/kernel": random.normal(size=(5, len(recipe.PETS))).astype("float32"),
        "classes/bias": random.normal(size=len(recipe.PETS)).astype("float32"),
    }
    images = random.uniform(0, 255, (7, 16, 16, 3)).astype("float32")
    seen = backbone.predict_on_batch(images)
    evidence = np.exp(seen @ head["classes/kernel"] + head["classes/bias"]).sum(axis=1)
    head["least"] = evidence[3]
    probabilities, pet = recipe.build(backbone, head).predict_on_batch(images)
    np.testing.assert_allclose(probabilities, softmax(seen @ head["verdict/kernel"] + head["verdict/bias"]), atol=1e-5)
    np.testing.assert_allclose(pet[:, 0], 1 / (1 + np.exp(-4 * (evidence / evidence[3] - 1))), atol=1e-4)
    assert pet[3, 0] == pytest.approx(0.5, abs=1e-4)


def clouds(random, count, center):
    """Two normal clouds, of which the best possible answer is known: the logistic function of their log-ratio."""
    labels = np.tile([0, 1], count // 2)
    points = random.normal(size=(count, 6)) * 3 + np.where(labels[:, None], center, -center) * 3 + 5
    return points, labels, 1 / (1 + np.exp(-2 * (points - 5) @ center / 3))


def loss(probability, labels):
    return -np.where(labels, np.log(probability), np.log(1 - probability)).mean()


def test_learned_probabilities_are_as_good_as_can_be():
    random = np.random.default_rng(1)
    center = np.array([1.2, -0.8, 0.3, 0.0, 0.0, 0.0])
    known, aside, fresh = (clouds(random, count, center) for count in (8000, 2000, 20_000))
    head = recipe.learn(*known[:2], *aside[:2])
    points, labels, best = fresh
    probability = softmax(points @ head["verdict/kernel"] + head["verdict/bias"])[:, 1]
    assert loss(best, labels) <= loss(probability, labels) < 1.03 * loss(best, labels)


@pytest.mark.parametrize("overdone", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_exaggeration(overdone):
    random = np.random.default_rng(2)
    center = np.array([0.5, -0.3, 0.1, 0.0, 0.0, 0.0])
    points, labels, _ = clouds(random, 20_000, center)
    weights = 2 * center / 3  # of the best possible answer, whose scores are multiplied here
    kernel, bias = overdone * np.stack([-weights / 2, weights / 2], axis=1), overdone * 5 * weights.sum() / 2
    classes = random.normal(0, 0.1, (6, 4))
    head = {"verdict/kernel": kernel, "verdict/bias": np.array([bias, -bias])}
    head |= {"classes/kernel": classes, "classes/bias": np.zeros(4)}
    honest = recipe.calibrate(head, points, labels)
    np.testing.assert_allclose(honest["verdict/kernel"], kernel / overdone, rtol=0.06)
    np.testing.assert_allclose(honest["verdict/bias"], head["verdict/bias"] / overdone, rtol=0.06)
    refused = (np.exp(points @ classes).sum(axis=1) < honest["least"]).mean()
    assert refused == pytest.approx(recipe.REFUSED_SHARE, abs=1e-4)


def test_every_photo_is_looked_at_once(monkeypatch, home):
    monkeypatch.setattr(features, "PHOTOS_PER_FILE", 8)
    table = Source("sketches", 20).table()
    backbone = small_backbone()
    told = []
    first = features.cached_features(backbone, table, lambda *progress: told.append(progress[:2]))
    assert first.shape == (20, 5)
    assert told == [(8, 20), (16, 20), (20, 20)]
    images = dataset.images_and_labels(table, 16)[0].read(range(20))[0]
    np.testing.assert_allclose(first, backbone.predict_on_batch(images.astype("float32")), atol=1e-4)

    def again(*_):
        raise AssertionError("it looked again")

    monkeypatch.setattr(features, "compute_features", again)
    np.testing.assert_array_equal(features.cached_features(backbone, table), first)
    assert not list(home.rglob(".features*"))
    backbone.set_weights([weights + 1 for weights in backbone.get_weights()])
    with pytest.raises(AssertionError, match="looked again"):
        features.cached_features(backbone, table)


def test_another_rescaling_is_another_backbone():
    import keras
    from keras import layers

    def scaled(by):
        return keras.Sequential([layers.Input((8, 8, 3)), layers.Rescaling(by), layers.GlobalAveragePooling2D()])

    assert features.network_fingerprint(scaled(1 / 255)) == features.network_fingerprint(scaled(1 / 255))
    assert features.network_fingerprint(scaled(1 / 255)) != features.network_fingerprint(scaled(1 / 127))


@pytest.fixture
def few_blocks(tmp_path, monkeypatch):
    """The weights of a backbone of the same kind that has few blocks: the real one takes a minute to be compiled."""
    from cnn_core.accurate import backbone, finetuning

    monkeypatch.setattr(backbone, "STAGES", ((3, 2, 1, 8, 1), (3, 2, 6, 8, 1), (5, 2, 6, 16, 1)))
    monkeypatch.setattr(finetuning, "FIRST_TRAINABLE", "block_2_widen")
    random_backbone(tmp_path / "random.npz")
    return tmp_path / "random.npz"


def test_the_command_line_carries_out_the_whole_recipe_which_can_be_stopped_and_resumed(
    few_blocks, in_this_process, tmp_path, capsys
):
    run = runs.Run(tmp_path / "run")
    words = ["train", "--recipe", "accurate", "--images", "32", "--backbone", str(few_blocks), "--json"]
    stopper = threading.Thread(target=stop_after_the_first_epoch, args=(run,), daemon=True)
    stopper.start()
    assert cli.main([*words, "--out", str(run.folder)]) == 0
    stopper.join()
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["state"] == "stopped"
    assert 1 <= answer["epochs"] == len(run.history()) < finetuning_epochs()
    photo = sketches.draw("dog", np.random.default_rng(0))
    assert models.open_model(run.model_path).classify(photo).pet is not None

    assert cli.main(["train", "--out", str(run.folder), "--resume", "--json"]) == 0
    assert run.status().state == "finished"
    assert run.history()["epoch"].tolist() == list(range(1, finetuning_epochs() + 1))
    assert re.search(r"\d+ s for computing features .* \d+ s for fine-tuning", run.status().message)
    assert not (run.folder / "tunable.keras").exists()
    model = models.open_model(run.model_path)
    result = evaluation.evaluate(model, Source("sketches", 32).split()[1])
    assert result.accuracy == pytest.approx(run.history()["val_accuracy"].iloc[-1], abs=1e-4)
    prediction = model.classify(photo)
    assert 0 <= prediction.pet <= 1
    assert (prediction.label == "neither") == (prediction.pet < 0.5)


def stop_after_the_first_epoch(run):
    deadline = time.monotonic() + 240
    while run.history().empty and time.monotonic() < deadline:
        time.sleep(0.05)
    run.stop()


def finetuning_epochs():
    from cnn_core.accurate import finetuning

    return finetuning.EPOCHS


def fails(folder, **settings):
    """Carry out a run in this process that cannot succeed; return its sentence."""
    folder.mkdir()
    config = TrainingConfig(recipe="accurate", **settings)
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    with pytest.raises(TrainingError) as error:
        training.train(folder)
    assert runs.Run(folder).status().message == str(error.value)
    return str(error.value)


def test_without_a_backbone_the_run_says_what_to_do(tmp_path, monkeypatch):
    assert "port.py" in fails(tmp_path / "named", images=32, backbone=str(tmp_path / "no.npz"))
    monkeypatch.setattr(recipe, "BUNDLED", tmp_path / "gone.keras")
    assert "--backbone" in fails(tmp_path / "bundled", images=32)


def test_too_few_photos_are_a_sentence(tmp_path):
    assert "at least 20" in fails(tmp_path / "few", images=8)


def test_wrong_labels_are_names_of_training_photos():
    names = corrections.read(recipe.WRONG_LABELS)
    assert set(names.values()) == {None}
    assert len(names) > 20
    assert all(re.fullmatch(r"(cat|dog)\.\d{1,5}\.jpg", name) for name in names)
