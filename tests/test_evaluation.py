"""Scores against numbers worked by hand."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cnn_core import dataset, evaluation, models
from cnn_core.engine.config import TrainingConfig
from cnn_core.model_io import cards
from cnn_core.source import Source
from cnn_core.storage import cache


class Fake:
    """Answers with the picture's own first pixel as the probability of a dog."""

    def __init__(self, tells_neither=False):
        self.batches = []
        self.tells_neither = tells_neither

    def answers(self, images):
        self.batches.append(len(images))
        dog = np.array([image[0, 0, 0] / 255 for image in images], np.float32).reshape(-1, 1)
        return [np.hstack([1 - dog, dog])] + [dog] * self.tells_neither


@pytest.fixture
def table(tmp_path):
    """Five pictures: two cats (one classified as a dog), three dogs (one classified as a cat)."""
    rows = []
    for number, (label, dog) in enumerate([("cat", 0.2), ("cat", 0.8), ("dog", 1.0), ("dog", 0.6), ("dog", 0.4)]):
        file = tmp_path / f"{number}.png"
        Image.fromarray(np.full((2, 3, 3), round(dog * 255), np.uint8)).save(file)
        rows.append((str(file), label))
    return pd.DataFrame(rows, columns=["file", "label"])


def test_scores_by_hand(table):
    told = []
    model = Fake()
    result = evaluation.evaluate(model, table, lambda *progress: told.append(progress[:2]), batch_size=2)
    assert model.batches == [2, 2, 1]
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert result.images == 5
    assert result.accuracy == pytest.approx(3 / 5)
    assert result.confusion == [[1, 1], [1, 2]]
    expected = -np.mean(np.log([0.8, 0.2, 1.0, 0.6, 0.4]))
    assert result.log_loss == pytest.approx(expected, rel=1e-3)
    assert result.predictions["loss"].mean() == pytest.approx(result.log_loss, rel=1e-5)


def test_what_is_called_neither_is_counted(table):
    """It finds a pet where it sees a dog: the cat of 0.2 and the dog of 0.4 are refused, one of which it had wrong."""
    result = evaluation.evaluate(Fake(tells_neither=True), table)
    assert result.predictions["pet"].tolist() == pytest.approx([0.2, 0.8, 1, 0.6, 0.4])
    assert (result.refused, result.images) == (2, 5)
    assert result.accuracy == pytest.approx(3 / 5)
    assert result.answered_accuracy == pytest.approx(2 / 3)


def test_a_model_that_cannot_tell_refuses_nothing(table):
    result = evaluation.evaluate(Fake(), table)
    assert result.refused is None
    assert result.answered_accuracy == pytest.approx(result.accuracy)
    nothing = evaluation.evaluate(Fake(tells_neither=True), table.iloc[:1])
    assert (nothing.refused, nothing.answered_accuracy) == (1, None)


def test_mistakes_most_confident_first(table):
    wrong = evaluation.mistakes(evaluation.evaluate(Fake(), table))
    assert [(row.label, row.predicted) for row in wrong.itertuples()] == [("cat", "dog"), ("dog", "cat")]
    assert wrong["loss"].is_monotonic_decreasing
    assert len(evaluation.mistakes(evaluation.evaluate(Fake(), table), 1)) == 1


def test_confident_and_wrong_is_a_large_loss_not_an_infinite_one(table):
    table.loc[2, "label"] = "cat"  # the model is certain that it is a dog
    result = evaluation.evaluate(Fake(), table)
    assert np.isfinite(result.log_loss)
    assert np.isfinite(result.predictions["loss"]).all()


def test_pictures_that_went_bad_are_skipped_and_counted(table, tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    (tmp_path / "3.png").unlink()
    result = evaluation.evaluate(Fake(), table)
    assert (result.images, result.skipped) == (3, 2)
    for file in tmp_path.glob("*.png"):
        file.write_text("text")
    with pytest.raises(evaluation.EvaluationError, match="could be read"):
        evaluation.evaluate(Fake(), table)


def test_a_class_that_is_missing_still_counts(table):
    result = evaluation.evaluate(Fake(), table.iloc[:2])
    assert result.confusion == [[1, 1], [0, 0]]
    assert result.log_loss == pytest.approx(-np.mean(np.log([0.8, 0.2])), rel=1e-3)


def test_progress_can_stop_it(table):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluation.evaluate(Fake(), table, stop)


def test_a_threshold_moves_the_matrix_but_no_probability(table):
    result = evaluation.evaluate(Fake(), table)
    assert evaluation.decide(result, 0.5).predictions.equals(result.predictions)
    strict = evaluation.decide(result, 0.7)
    assert strict.confusion == [[1, 1], [2, 1]]
    assert strict.accuracy == pytest.approx(2 / 5)
    assert strict.log_loss == result.log_loss
    assert evaluation.decide(result, 0).confusion == [[0, 2], [0, 3]]
    assert evaluation.decide(result, 1).confusion == [[2, 0], [3, 0]]
    assert result.confusion == [[1, 1], [1, 2]], "the first one stays as it was"


def test_behind_every_number_are_so_many_pictures_surest_first(table):
    result = evaluation.evaluate(Fake(), table)
    files = []
    for row, label in enumerate(("cat", "dog")):
        for column, predicted in enumerate(("cat", "dog")):
            rows = evaluation.behind(result, label, predicted)
            assert len(rows) == result.confusion[row][column]
            assert (rows["label"] == label).all()
            assert (rows["predicted"] == predicted).all()
            assert rows[predicted].is_monotonic_decreasing
            files += rows["file"].tolist()
    assert sorted(files) == sorted(table["file"])
    assert evaluation.behind(result, "dog", "dog")["dog"].tolist() == pytest.approx([1, 0.6])


def test_where_float32_says_1_the_other_class_tells_which_is_surer(tmp_path):
    class Sure:
        def answers(self, images):
            other = np.array([image[0, 0, 0] * 1e-10 for image in images], np.float32)
            return [np.stack([other, np.float32(1) - other], axis=1)]

    rows = []
    for number, red in enumerate((200, 3, 90)):
        Image.fromarray(np.full((2, 3, 3), red, np.uint8)).save(tmp_path / f"{number}.png")
        rows.append((str(tmp_path / f"{number}.png"), "cat"))
    result = evaluation.evaluate(Sure(), pd.DataFrame(rows, columns=["file", "label"]))
    behind = evaluation.behind(result, "cat", "dog")
    assert behind["dog"].tolist() == [1, 1, 1]
    assert [Path(file).stem for file in behind["file"]] == ["1", "2", "0"]
    assert behind["file"].tolist() == evaluation.mistakes(result)["file"].tolist()


@pytest.fixture
def remember(table, tmp_path, monkeypatch):
    """Measure by a fake model whose answers are remembered; its `asked` lists how many pictures it saw each time."""
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    model = Fake()
    monkeypatch.setattr(evaluation, "open_model", lambda name: model)
    path = tmp_path / "fake.keras"
    path.write_bytes(b"weights")

    def measure():
        return evaluation.remembered(models.ModelCard("fake", "uploaded", path, "", ""), table)

    measure.asked, measure.file, measure.cache = model.batches, path, tmp_path / "home" / "cache"
    return measure


def test_a_model_is_asked_once(remember, table):
    first, again = remember(), remember()
    assert remember.asked == [5]
    pd.testing.assert_frame_equal(first.predictions, again.predictions, check_exact=True)
    pd.testing.assert_frame_equal(first.predictions, evaluation.evaluate(Fake(), table).predictions)


def test_another_model_or_other_pictures_are_asked_anew(remember, table, tmp_path):
    remember()
    stat = remember.file.stat()
    remember.file.write_bytes(b"WEIGHTS")  # of the same size and time
    os.utime(remember.file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    remember()
    assert len(remember.asked) == 2
    Image.fromarray(np.full((5, 5, 3), 255, np.uint8)).save(tmp_path / "0.png")
    changed = remember()
    assert len(remember.asked) == 3
    assert changed.predictions["dog"][0] == 1
    table.loc[0, "label"] = "dog"
    assert remember().accuracy > changed.accuracy
    assert len(remember.asked) == 4


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"cat": [1], "dog": [0]}',
        '{"cat": [1, 1, 1, 1, 1], "dog": [0, 0, 0, 0, 0]}',
        '{"cat": [1, 1, 1, 1, 1]}',
        "\x00",
    ],
)
def test_what_somebody_broke_is_measured_anew(remember, content):
    first = remember()
    (kept,) = remember.cache.glob("predictions-*.json")
    kept.write_text(content)
    assert remember().predictions.equals(first.predictions)
    assert len(remember.asked) == 2
    remember()
    assert len(remember.asked) == 2


def test_what_was_incomplete_is_not_remembered(remember, tmp_path):
    (tmp_path / "1.png").unlink()
    assert [remember().skipped, remember().skipped] == [1, 1]
    assert not list(remember.cache.glob("*"))


def test_a_disk_that_keeps_nothing_costs_only_time(remember):
    remember.cache.parent.mkdir()
    remember.cache.write_text("not a folder")
    assert remember().images == remember().images == 5


def test_the_oldest_answers_are_dropped(remember, monkeypatch):
    remember()
    (first,) = remember.cache.glob("predictions-*.json")
    monkeypatch.setitem(cache.MAX_BYTES, "predictions", 2 * first.stat().st_size)
    for number in range(1, 4):
        remember.file.write_text(str(number))
        remember()
        for old in remember.cache.glob("predictions-*.json"):
            os.utime(old, ns=(old.stat().st_atime_ns, old.stat().st_mtime_ns - 10**9))
    assert len(list(remember.cache.glob("predictions-*.json"))) == 2
    remember()
    assert len(remember.asked) == 4, "the newest is among them"


@pytest.fixture
def pets(tmp_path):
    """A dataset of 80 pictures."""
    folder = tmp_path / "pets"
    folder.mkdir()
    for number in range(40):
        for label in ("cat", "dog"):
            Image.new("RGB", (2, 2)).save(folder / f"{label}.{number}.png")
    (folder / "cat.broken.png").write_bytes(b"")
    return str(folder)


@pytest.mark.parametrize("images", [None, 7, 20])
@pytest.mark.parametrize(
    "settings", [{}, {"seed": 7}, {"images": 40}, {"images": 40, "seed": 3, "test_size": 0.5}], ids=str
)
def test_no_picture_the_model_learned_from_is_in_the_test_set(pets, images, settings):
    config = TrainingConfig(data=pets, **settings)
    learned, kept = config.source.split()  # as training does it
    chosen = Source.for_model(config.to_dict(), pets).subset("test", images)
    assert not set(chosen["file"]) & set(learned["file"])
    assert set(chosen["file"]) <= set(kept["file"])
    broken = [Path(file).name for file in kept["file"] if "broken" in file]
    assert chosen.attrs["broken"] in ([], broken)
    assert len(chosen) + len(chosen.attrs["broken"]) == len(dataset.balanced_sample(kept, images))


def test_a_model_of_other_pictures_is_measured_on_the_usual_split(pets):
    usual = dataset.split(dataset.open_dataset(pets))[1]
    usual = usual[~usual["file"].str.contains("broken")]
    for facts in ({}, {"data": "18,750 photos"}, {"data": "/elsewhere", "seed": 1}, {"data": 7}):
        assert Source.for_model(facts, pets).subset()["file"].tolist() == usual["file"].tolist()


def test_all_pictures_or_some_of_all(pets):
    assert len(Source(pets).subset("all")) == 80
    assert Source(pets).subset("all", 10)["label"].value_counts().to_dict() == {"cat": 5, "dog": 5}


def test_scores_of_a_card_are_read(article_facts):
    scores = cards.recorded(article_facts)
    assert sum(map(sum, scores.confusion)) == scores.images
    assert scores.accuracy == pytest.approx((scores.confusion[0][0] + scores.confusion[1][1]) / scores.images, abs=5e-5)


@pytest.mark.parametrize(
    "wrong",
    [{"confusion": [[1, 2, 3], [4, 5, 6]]}, {"confusion": 7}, {"images": None}, {"log_loss": "low"}],
    ids=str,
)
def test_a_card_that_somebody_broke_has_no_scores(article_facts, wrong):
    assert cards.recorded(article_facts | wrong) is None


@pytest.fixture
def article_facts():
    return json.loads((models.WEIGHTS / "article.card.json").read_text("utf-8"))
