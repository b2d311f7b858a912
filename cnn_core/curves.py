"""What a single score does not show: the ROC curve, the calibration of the probabilities, the effect of a threshold.

All these follow from the predictions that `cnn_core.evaluation` has collected. "Positive" is the dog, class 1. What the
curves of a training show, overfitting or that nothing was learned, follows from its history.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cnn_core.evaluation import Evaluation, dog_share

BINS = 10
"""Of the calibration curve: five percentage points each, from 50 % sure to 100 % sure."""

STEPS = 100
"""Thresholds go from 0 to 1 in steps of one percent."""

GAP = 0.1
"""Training accuracy less test accuracy from which a run is called overfitted, if its test loss rises too."""

GUESSING = {"accuracy": 0.5, "loss": math.log(2)}
"""The scores of a network that always answers "50 % cat, 50 % dog"."""

LEARNED = 0.002
"""By so much the training loss must be lower than that of guessing. Networks that learned nothing came to 0.00002."""


@dataclass(frozen=True)
class Overfitting:
    """The last epoch of a run that has begun to memorize its training images."""

    training_accuracy: float
    test_accuracy: float
    best_epoch: int
    """The epoch after which the test loss was lowest."""


def overfitting(history: pd.DataFrame) -> Overfitting | None:
    """Tell whether a run has overfitted: it is much better on its training images, and gets worse on the test images.

    Both signs are needed. A gap alone is common while the test loss still falls, and a test loss that rises for an
    epoch may be chance.

    Parameters
    ----------
    history : pandas.DataFrame
        One row per finished epoch: ``epoch``, ``accuracy``, ``val_accuracy``, ``val_loss``.

    Returns
    -------
    Overfitting or None
        None while there are fewer than two epochs, the gap of accuracies after the last one is below `GAP`, or the test
        loss is at its minimum.

    References
    ----------
    L. Prechelt, "Early Stopping - But When?", 1998: a rising error on images that were kept aside as the sign.

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1, 2, 3], "accuracy": [0.7, 0.9, 0.97], "val_accuracy": [0.7, 0.75, 0.74]})
    >>> overfitting(history.assign(val_loss=[0.6, 0.5, 0.7]))
    Overfitting(training_accuracy=0.97, test_accuracy=0.74, best_epoch=2)
    >>> overfitting(history.assign(val_loss=[0.6, 0.5, 0.4])) is None
    True
    """
    if len(history) < 2 or not {"accuracy", "val_accuracy"} <= set(history) or (best := best_epoch(history)) is None:
        return None
    last = history.iloc[-1]
    gap = last["accuracy"] - last["val_accuracy"]
    if not (gap >= GAP - 1e-9 and last["val_loss"] > best["val_loss"]):  # also when one of them is NaN
        return None
    return Overfitting(float(last["accuracy"]), float(last["val_accuracy"]), int(best["epoch"]))


def has_not_learned(history: pd.DataFrame) -> bool:
    """Tell whether a network is, after two epochs or more, no better than guessing, even on its training images.

    Such a network often gives every image the same answer: a large step has made all its dense units negative, where
    the gradient of ReLU is zero, and nothing moves them any more.

    Parameters
    ----------
    history : pandas.DataFrame
        One row per finished epoch: ``loss``.

    Returns
    -------
    bool

    References
    ----------
    L. Lu et al., "Dying ReLU and Initialization: Theory and Numerical Examples", 2019,
    https://arxiv.org/abs/1903.06733

    Examples
    --------
    >>> has_not_learned(pd.DataFrame({"loss": [0.7026, 0.6932, 0.6931]}))
    True
    >>> has_not_learned(pd.DataFrame({"loss": [0.7033, 0.6626, 0.5964]}))
    False
    """
    return len(history) >= 2 and "loss" in history and bool(history["loss"].iloc[-1] > GUESSING["loss"] - LEARNED)


def best_epoch(history: pd.DataFrame) -> pd.Series | None:
    """Return a history's row with the lowest loss on the held-out set, the first of several; None without one.

    Examples
    --------
    >>> int(best_epoch(pd.DataFrame({"epoch": [1, 2, 3], "val_loss": [0.6, 0.5, 0.7]}))["epoch"])
    2
    """
    if "val_loss" not in history or history["val_loss"].isna().all():
        return None
    return history.loc[history["val_loss"].idxmin()]


def roc(evaluation: Evaluation) -> pd.DataFrame:
    """Return the ROC curve: the true and the false positive rate at every threshold.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    pandas.DataFrame
        One row per threshold, highest first: ``threshold``, ``false_positive_rate`` (of the cats, those called dogs)
        and ``true_positive_rate`` (of the dogs, those called dogs). No rows while one of the two classes is missing.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006.

    Examples
    --------
    >>> rows = [("cat", 0.1), ("cat", 0.6), ("dog", 0.4), ("dog", 0.9)]
    >>> table = pd.DataFrame({"label": [label for label, _ in rows], "dog": [dog for _, dog in rows]})
    >>> roc(Evaluation(table.assign(cat=1 - table["dog"])))["true_positive_rate"].tolist()
    [0.0, 0.5, 0.5, 1.0, 1.0]
    """
    from sklearn.metrics import roc_curve

    truth = _truth(evaluation)
    if truth.all() or not truth.any():
        return pd.DataFrame({"threshold": [], "false_positive_rate": [], "true_positive_rate": []})
    false_positives, true_positives, thresholds = roc_curve(truth, dog_share(evaluation.predictions))
    return pd.DataFrame(
        {"threshold": thresholds, "false_positive_rate": false_positives, "true_positive_rate": true_positives}
    )


def roc_auc(evaluation: Evaluation) -> float | None:
    """Return the area under the ROC curve: how often a random dog gets a higher probability of "dog" than a random cat.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    float or None
        0 to 1; guessing gives 0.5. None while one of the two classes is missing.
    """
    from sklearn.metrics import roc_auc_score

    truth = _truth(evaluation)
    if truth.all() or not truth.any():
        return None
    return float(roc_auc_score(truth, dog_share(evaluation.predictions)))


def calibration(evaluation: Evaluation, bins: int = BINS) -> pd.DataFrame:
    """Return the reliability diagram: for each range of probabilities, the share of answers that were right.

    Parameters
    ----------
    evaluation : Evaluation
    bins : int
        Equally wide, from 0.5 to 1: the likelier of two classes is never given less than a half. Each holds its lower
        end, the last one both.

    Returns
    -------
    pandas.DataFrame
        One row per bin that is not empty: ``low`` and ``high`` (its ends), ``images`` (the number of answers),
        ``confidence`` (their mean probability) and ``accuracy`` (the share of them that is right).

    References
    ----------
    C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, https://arxiv.org/abs/1706.04599, section 2.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["dog", "cat", "dog"], "cat": [0.1, 0.1, 0.4], "dog": [0.9, 0.9, 0.6]})
    >>> calibration(Evaluation(table), bins=5)[["images", "confidence", "accuracy"]].to_numpy().round(2).tolist()
    [[1.0, 0.6, 1.0], [2.0, 0.9, 0.5]]
    """
    dog = dog_share(evaluation.predictions)
    sure = np.maximum(dog, 1 - dog)
    right = ((dog > 0.5) == _truth(evaluation)).astype(float)
    edges = np.linspace(0.5, 1, bins + 1)
    counts = np.histogram(sure, edges)[0]
    used = counts > 0
    counts = counts[used]
    return pd.DataFrame(
        {
            "low": edges[:-1][used],
            "high": edges[1:][used],
            "images": counts,
            "confidence": np.histogram(sure, edges, weights=sure)[0][used] / counts,
            "accuracy": np.histogram(sure, edges, weights=right)[0][used] / counts,
        }
    )


def calibration_error(evaluation: Evaluation, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean distance between an answer's probability and the share right.

    Parameters
    ----------
    evaluation : Evaluation
    bins : int
        As in `calibration`, whose source defines it.

    Returns
    -------
    float
        0 (perfectly calibrated) to 1.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["dog", "cat"], "cat": [0.1, 0.1], "dog": [0.9, 0.9]})
    >>> round(calibration_error(Evaluation(table)), 6)
    0.4
    """
    rows = calibration(evaluation, bins)
    return float(np.average((rows["confidence"] - rows["accuracy"]).abs(), weights=rows["images"]))


def thresholds(evaluation: Evaluation) -> pd.DataFrame:
    """Return accuracy, precision and recall at every threshold for the probability of "dog".

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    pandas.DataFrame
        One row per percent, 0 to 100: ``threshold`` (0 to 1; a probability *above* it counts as "dog", as in
        `evaluation.decide`), ``accuracy``, ``precision`` (of the images called dogs; NaN when there is none),
        ``recall`` (of the dogs) and ``false_positive_rate`` (of the cats; each is NaN when there are none).

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["cat", "dog", "dog"], "cat": [0.3, 0.2, 0.6], "dog": [0.7, 0.8, 0.4]})
    >>> rows = thresholds(Evaluation(table))
    >>> rows.loc[[25, 75], ["accuracy", "precision", "recall"]].to_numpy().round(2).tolist()
    [[0.67, 0.67, 1.0], [0.67, 1.0, 0.5]]
    """
    dog, truth = dog_share(evaluation.predictions), _truth(evaluation)
    steps = np.arange(STEPS + 1) / STEPS
    true_positives, false_positives = (
        group.sum() - np.searchsorted(np.sort(dog[group]), steps, side="right") for group in (truth, ~truth)
    )
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is NaN here, which a chart leaves out
        return pd.DataFrame(
            {
                "threshold": steps,
                "accuracy": (true_positives + (~truth).sum() - false_positives) / len(truth),
                "precision": true_positives / (true_positives + false_positives),
                "recall": true_positives / truth.sum(),
                "false_positive_rate": false_positives / (~truth).sum(),
            }
        )


def _truth(evaluation: Evaluation) -> NDArray[np.bool_]:
    """Return for every image whether it shows a dog."""
    return np.asarray(evaluation.predictions["label"] == "dog")
