"""ROC, calibration and thresholds against scikit-learn's other functions and numbers worked by hand."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from cnn_core import curves, models
from cnn_core.evaluation import Evaluation, decide, dog_share


def evaluation(labels, dogs):
    table = pd.DataFrame({"file": [f"{n}.png" for n in range(len(labels))], "label": labels})
    table["dog"] = np.asarray(dogs, np.float32).astype(float)
    table["cat"] = (1 - np.asarray(dogs, np.float32)).astype(float)
    return decide(Evaluation(table), 0.5)


@pytest.fixture(params=range(5), ids="seed {}".format)
def some(request):
    """500 answers, right more often than not, some of them equal and some of them certain."""
    rng = np.random.default_rng(request.param)
    labels = np.where(rng.random(500) < 0.3, "dog", "cat")
    dogs = np.clip(rng.normal(np.where(labels == "dog", 0.7, 0.3), 0.3), 0, 1).round(2)
    return evaluation(labels, dogs)


BY_HAND = evaluation(["cat", "cat", "dog", "dog", "dog"], [0.25, 0.75, 0.5, 0.8125, 1.0])


def test_roc_by_hand():
    """Six pairs of a cat and a dog; the dog has the higher probability in all but one (0.5 against 0.75)."""
    assert curves.roc_auc(BY_HAND) == pytest.approx(5 / 6)
    curve = curves.roc(BY_HAND)
    points = set(zip(curve["false_positive_rate"].round(3), curve["true_positive_rate"].round(3), strict=True))
    assert points >= {(0, 0), (0, 0.667), (0.5, 0.667), (0.5, 1), (1, 1)}


def test_calibration_by_hand():
    """The bins' members: 0.5 (wrong); 0.75 (cat, right) and 0.75 (dog, wrong); 0.8125 (right); 1.0 (right)."""
    rows = curves.calibration(BY_HAND)
    assert rows["low"].round(2).tolist() == [0.5, 0.75, 0.8, 0.95]
    assert rows["images"].tolist() == [1, 2, 1, 1]
    assert rows["accuracy"].tolist() == [0, 0.5, 1, 1]
    assert rows["confidence"].tolist() == pytest.approx([0.5, 0.75, 0.8125, 1])
    assert curves.calibration_error(BY_HAND) == pytest.approx((0.5 + 2 * 0.25 + 0.1875 + 0) / 5)


def test_thresholds_by_hand():
    rows = curves.thresholds(BY_HAND).set_index("threshold")
    columns = ["accuracy", "precision", "recall", "false_positive_rate"]
    assert rows.loc[0.0, columns].tolist() == pytest.approx([3 / 5, 3 / 5, 1, 1])
    assert rows.loc[0.5, columns].tolist() == pytest.approx([3 / 5, 2 / 3, 2 / 3, 1 / 2])
    assert rows.loc[0.75, columns].tolist() == pytest.approx([4 / 5, 1, 2 / 3, 0])
    assert rows.loc[1.0, columns].tolist() == pytest.approx([2 / 5, np.nan, 0, 0], nan_ok=True)


def test_the_area_is_that_under_the_curve(some):
    curve = curves.roc(some)
    assert metrics.auc(curve["false_positive_rate"], curve["true_positive_rate"]) == pytest.approx(curves.roc_auc(some))
    dogs = dog_share(some.predictions)
    cat, dog = (dogs[some.predictions["label"] == label] for label in ("cat", "dog"))
    wins = (dog[:, None] > cat).mean() + (dog[:, None] == cat).mean() / 2
    assert curves.roc_auc(some) == pytest.approx(wins)


def test_calibration_is_scikit_learns(some):
    sure = some.predictions[["cat", "dog"]].max(axis=1)
    used = ~np.isclose(sure * 20, np.round(sure * 20), atol=1e-5)  # on an edge, scikit-learn takes the bin below
    inside = Evaluation(some.predictions[used])
    right, mean = calibration_curve(inside.predictions["correct"], sure[used], n_bins=20)
    rows = curves.calibration(inside)
    assert rows["accuracy"].tolist() == pytest.approx(right.tolist())
    assert rows["confidence"].tolist() == pytest.approx(mean.tolist())
    assert rows["images"].sum() == inside.images


def test_every_answer_is_in_one_bin(some):
    rows = curves.calibration(some)
    assert rows["images"].sum() == some.images
    assert (rows["accuracy"] * rows["images"]).sum() / some.images == pytest.approx(some.accuracy)
    assert rows["confidence"].between(rows["low"] - 1e-6, rows["high"] + 1e-6).all()


@pytest.mark.parametrize("threshold", [0, 0.01, 0.29, 0.5, 0.57, 0.83, 1])
def test_thresholds_are_what_deciding_by_each_gives(some, threshold):
    decided = decide(some, threshold).predictions
    row = curves.thresholds(some).set_index("threshold").loc[threshold]
    truth, said = decided["label"] == "dog", decided["predicted"] == "dog"
    assert row["accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert row["recall"] == pytest.approx(metrics.recall_score(truth, said))
    precise = metrics.precision_score(truth, said, zero_division=np.nan)
    assert row["precision"] == pytest.approx(precise, nan_ok=True)
    assert row["false_positive_rate"] == pytest.approx(said[~truth].mean())


@pytest.mark.parametrize("label", ["cat", "dog"])
def test_a_class_that_is_missing_has_no_roc(label):
    one = evaluation([label] * 3, [0.1, 0.5, 0.9])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert curves.roc_auc(one) is None
        assert curves.roc(one).empty
        rows = curves.thresholds(one)
        assert np.isfinite(curves.calibration_error(one))
    assert rows["recall"].isna().all() == (label == "cat")
    assert rows["accuracy"].notna().all()


def test_certain_and_right_is_perfectly_calibrated():
    assert curves.calibration_error(evaluation(["cat", "dog"], [0, 1])) == 0
    assert curves.calibration_error(evaluation(["dog", "cat"], [0, 1])) == 1


def trained(training, test, loss):
    epochs = range(1, len(training) + 1)
    return pd.DataFrame({"epoch": epochs, "accuracy": training, "val_accuracy": test, "val_loss": loss})


def test_a_gap_and_a_rising_test_loss_are_overfitting():
    found = curves.overfitting(trained([0.7, 0.9, 0.99], [0.7, 0.78, 0.77], [0.6, 0.5, 0.8]))
    assert found == curves.Overfitting(0.99, 0.77, 2)


@pytest.mark.parametrize(
    "history",
    [
        trained([], [], []),
        trained([0.99], [0.6], [0.8]),
        trained([0.7, 0.99], [0.7, 0.77], [0.6, 0.5]),  # a gap, but the test loss falls
        trained([0.7, 0.8], [0.7, 0.71], [0.5, 0.6]),  # the test loss rises, but the gap is small
        trained([0.7, 0.6], [0.7, 0.75], [0.5, 0.6]),  # better on the test images
        trained([0.7, np.nan], [0.7, 0.6], [0.5, 0.6]),
        trained([0.7, 0.99], [0.7, 0.6], [0.5, np.nan]),
        pd.DataFrame({"epoch": [1, 2], "accuracy": [0.7, 0.99]}),
    ],
)
def test_one_sign_alone_is_not_overfitting(history):
    assert curves.overfitting(history) is None


def test_a_gap_of_exactly_a_tenth_counts():
    assert curves.overfitting(trained([0.5, 0.8], [0.5, 0.7], [0.5, 0.6])) is not None


@pytest.mark.parametrize("name", ["article", "accurate"])
def test_the_bundled_models_have_not_overfitted(name):
    assert curves.overfitting(models.find(name).history()) is None


@pytest.mark.parametrize(
    ("losses", "guesses"),
    [
        ([], False),
        ([0.6931], False),  # after one epoch, many networks that learn are there
        ([0.7026, 0.6932], True),
        ([0.7026, 0.6932, 0.6912], True),
        ([0.7026, 0.6932, 0.6910], False),
        ([1.7, 0.9], True),  # worse than guessing
        ([0.7026, np.nan], False),
    ],
)
def test_a_training_loss_like_that_of_guessing_is_not_learning(losses, guesses):
    assert curves.has_not_learned(pd.DataFrame({"loss": losses})) is guesses


def test_guessing_has_the_loss_that_scikit_learn_gives_it():
    assert pytest.approx(metrics.log_loss([0, 1, 1, 0], np.full((4, 2), 0.5))) == curves.GUESSING["loss"]
