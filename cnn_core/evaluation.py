"""How often a model is right, and where it errs: every image's prediction, and the scores that follow from them."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS, Progress
from cnn_core.models import ModelCard, PetModel, open_model
from cnn_core.pixels import ImageError, open_image
from cnn_core.storage import cache

if TYPE_CHECKING:
    import pandas as pd

CACHE_VERSION = 2
"""Raise it when images reach a model in another way than before: predictions kept until then are then void."""

ANSWERS = [*LABELS, "pet"]
"""What a model says of an image; the rest of a table of predictions follows from it."""


class EvaluationError(CnnLabError):
    """There is nothing to evaluate."""


@dataclass(frozen=True)
class Evaluation:
    """A model's predictions on a dataset.

    Attributes
    ----------
    predictions : pandas.DataFrame
        One row per image: ``file``, ``label`` (the truth), ``cat`` and ``dog`` (probabilities), ``pet`` (how sure the
        model is that there is one of them at all; NaN when it cannot tell), ``predicted``, ``correct`` (bool), ``loss``
        (-log of the probability given to the truth, in nats).
    skipped : int
        Images that could not be read any more.
    """

    predictions: pd.DataFrame
    skipped: int = 0

    @property
    def images(self) -> int:
        """Number of images that were predicted."""
        return len(self.predictions)

    @property
    def refused(self) -> int | None:
        """Number of images that the model calls neither, though all scores count them; None when it never does."""
        return None if self.predictions["pet"].isna().all() else int((self.predictions["pet"] < 0.5).sum())

    @property
    def answered_accuracy(self) -> float | None:
        """Share of right answers among the images that were not refused; None where there is none."""
        answered = self.predictions[~(self.predictions["pet"] < 0.5)]
        return float(answered["correct"].mean()) if len(answered) else None

    @property
    def accuracy(self) -> float:
        """Share of the images whose likelier class is the true one, 0 to 1."""
        from sklearn.metrics import accuracy_score

        return float(accuracy_score(self.predictions["label"], self.predictions["predicted"]))

    @property
    def log_loss(self) -> float:
        """Mean of -log(probability given to the truth), in nats: what training makes small; ln 2 is a coin's."""
        from sklearn.metrics import log_loss

        probabilities = self.predictions[list(LABELS)].to_numpy(np.float64)
        total = probabilities.sum(axis=1, keepdims=True)  # 1, but for rounding, on which scikit-learn insists
        return float(log_loss(self.predictions["label"], probabilities / total, labels=list(LABELS)))

    @property
    def confusion(self) -> list[list[int]]:
        """Counts ``[[cat→cat, cat→dog], [dog→cat, dog→dog]]``: the truth's row, the prediction's column."""
        from sklearn.metrics import confusion_matrix

        truth, said = self.predictions["label"], self.predictions["predicted"]
        counts: list[list[int]] = confusion_matrix(truth, said, labels=list(LABELS)).tolist()
        return counts


def evaluate(
    model: PetModel, table: pd.DataFrame, progress: Progress | None = None, batch_size: int = 64
) -> Evaluation:
    """Let a model predict every image of a dataset.

    Parameters
    ----------
    model : PetModel
        Anything with its ``answers(images)``.
    table : pandas.DataFrame
        As `dataset.open_dataset` returns it. Images that cannot be read any more are counted and left out.
    progress : callable, optional
        Called as ``progress(done, total, what)``; what it raises ends the evaluation.
    batch_size : int
        Images that are in memory at once.

    Returns
    -------
    Evaluation

    Raises
    ------
    EvaluationError
        When no image could be read.
    """
    rows, skipped = [], 0
    for start in range(0, len(table), batch_size):
        part = table.iloc[start : start + batch_size]
        images, kept = [], []
        for file, label in zip(part["file"], part["label"], strict=True):
            try:
                images.append(open_image(file))
            except (ImageError, OSError):
                skipped += 1
            else:
                kept.append((file, label))
        probabilities, *scores = model.answers(images)
        pets = scores[0] if scores else np.full((len(images), 1), np.nan)
        for (file, label), (cat, dog), (pet,) in zip(kept, probabilities, pets, strict=True):
            rows.append((file, label, float(cat), float(dog), float(pet)))
        if progress:
            progress(min(start + batch_size, len(table)), len(table), "Classifying the pictures")
    if not rows:
        raise EvaluationError("None of these pictures could be read. Choose another dataset.")
    import pandas as pd

    return Evaluation(_judge(pd.DataFrame(rows, columns=["file", "label", *ANSWERS])), skipped)


def remembered(card: ModelCard, table: pd.DataFrame, progress: Progress | None = None) -> Evaluation:
    """Do as `evaluate`, but ask the model only once: its answers stay in ``$CNN_LAB_HOME/cache``.

    They are kept by the content of the model's file and by the state of the images (paths, sizes, times of change),
    so that neither a changed model nor changed images are ever given old answers. What is remembered costs no
    TensorFlow.

    Parameters
    ----------
    card : ModelCard
        Of a model that `models.find` knows.
    table : pandas.DataFrame
        As `source.Source.subset` returns it.
    progress : callable, optional
        Called as ``progress(done, total, what)``; what it raises ends the evaluation, and nothing is kept.

    Returns
    -------
    Evaluation

    Raises
    ------
    ModelError
        When the model cannot be opened.
    EvaluationError
        When no image could be read.
    """
    import pandas as pd

    path = _answers_path(card, table)
    try:
        answers = pd.DataFrame(json.loads(path.read_text("utf-8")), dtype=np.float64)[ANSWERS]
        if len(answers) == len(table) and np.isfinite(answers[list(LABELS)]).all(axis=None):
            return Evaluation(_judge(table[["file", "label"]].reset_index(drop=True).join(answers)))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never measured, or the file is damaged: ask the model
    result = evaluate(open_model(str(card.path) if card.kind == "file" else card.name), table, progress)
    if not result.skipped:  # what could not be read today may be there tomorrow
        content = json.dumps(result.predictions[ANSWERS].to_dict("list"))
        with suppress(OSError):  # the disk is full: then it is not kept
            cache.store(path, lambda beside: beside.write_text(content, encoding="utf-8"))
    return result


def _answers_path(card: ModelCard, table: pd.DataFrame) -> Path:
    try:
        images = cache.fingerprint(map(Path, table["file"]))
    except OSError:  # one has gone since the table was made
        images = "gone"
    model = b""
    with suppress(OSError):  # opening the model tells what is wrong with its file
        model = card.path.read_bytes()
    key = [CACHE_VERSION, images, *table["label"], hashlib.sha256(model).hexdigest()]
    return cache.cache_path("predictions", key, ".json")


def decide(evaluation: Evaluation, threshold: float) -> Evaluation:
    """Judge the same probabilities by another threshold: what is a dog with more than `threshold` is called one.

    Parameters
    ----------
    evaluation : Evaluation
    threshold : float
        0 to 1; at 0.5 the likelier class wins, as everywhere else.

    Returns
    -------
    Evaluation
        With other ``predicted`` and ``correct``; the probabilities and the loss stay.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"file": ["a"], "label": ["cat"], "cat": [0.3], "dog": [0.7]})
    >>> [decide(Evaluation(table), threshold).predictions["predicted"][0] for threshold in (0.5, 0.75)]
    ['dog', 'cat']
    """
    return Evaluation(_judge(evaluation.predictions.copy(), threshold), evaluation.skipped)


def behind(evaluation: Evaluation, label: str, predicted: str) -> pd.DataFrame:
    """Return the images behind one number of the confusion matrix, those the model was surest of first.

    Parameters
    ----------
    evaluation : Evaluation
    label, predicted : {"cat", "dog"}
        The number's row and column: the truth, and what the model said.

    Returns
    -------
    pandas.DataFrame
        Rows of ``evaluation.predictions``, as many as the number says.
    """
    rows = evaluation.predictions
    chosen = rows[(rows["label"] == label) & (rows["predicted"] == predicted)]
    # By the other class: float32 tells probabilities apart near 0, but no longer near 1.
    other = next(each for each in LABELS if each != predicted)
    return chosen.sort_values(other, kind="stable").reset_index(drop=True)


def mistakes(evaluation: Evaluation, count: int = 12) -> pd.DataFrame:
    """Return the wrong predictions, the most confident (the largest loss) first.

    Parameters
    ----------
    evaluation : Evaluation
    count : int
        Maximum number of rows.

    Returns
    -------
    pandas.DataFrame
        Rows of ``evaluation.predictions``.
    """
    wrong = evaluation.predictions[~evaluation.predictions["correct"]]
    return wrong.sort_values("loss", ascending=False, kind="stable").head(count).reset_index(drop=True)


def dog_share(predictions: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probability of "dog", float64, 0 to 1: above a half exactly where dog is the likelier class.

    >>> import pandas as pd
    >>> dog_share(pd.DataFrame({"cat": [0.25, 1.0], "dog": [0.75, 0.0]})).tolist()
    [0.75, 0.0]
    """
    cat, dog = (predictions[label].to_numpy(np.float64) for label in LABELS)
    return np.asarray(dog / (cat + dog))  # the sum is 1, but for the rounding of the model's float32


def _judge(predictions: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """Add what follows from the probabilities: the class that is said, whether it is right, and the loss.

    >>> import pandas as pd
    >>> _judge(pd.DataFrame({"file": ["a"], "label": ["dog"], "cat": [0.75], "dog": [0.25]}))[["predicted", "loss"]]
      predicted      loss
    0       cat  1.386294
    """
    predictions["predicted"] = np.where(dog_share(predictions) > threshold, "dog", "cat")
    predictions["correct"] = predictions["predicted"] == predictions["label"]
    truth = np.where(predictions["label"] == "dog", predictions["dog"], predictions["cat"])
    predictions["loss"] = -np.log(np.maximum(truth, np.finfo(np.float32).tiny))
    return predictions
