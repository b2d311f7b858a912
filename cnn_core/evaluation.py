"""How often a model is right, and where it errs: every picture's prediction, and the scores that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_core import CnnLabError, dataset, sketches
from cnn_core.dataset import LABELS, Progress
from cnn_core.models import PetModel
from cnn_core.pixels import ImageError, open_image

if TYPE_CHECKING:
    import pandas as pd


class EvaluationError(CnnLabError):
    """There is nothing to evaluate."""


@dataclass(frozen=True)
class Scores:
    """The scores of a model as its card tells them; the attributes mean what those of `Evaluation` do."""

    images: int
    accuracy: float
    log_loss: float
    confusion: list[list[int]]


@dataclass(frozen=True)
class Evaluation:
    """A model's predictions on a dataset.

    Attributes
    ----------
    predictions : pandas.DataFrame
        One row a picture: ``file``, ``label`` (the truth), ``cat`` and ``dog`` (probabilities), ``predicted``,
        ``correct`` (bool), ``loss`` (-log of the probability given to the truth, in nats).
    skipped : int
        Pictures that could not be read any more.
    """

    predictions: pd.DataFrame
    skipped: int = 0

    @property
    def images(self) -> int:
        """Number of pictures that were predicted."""
        return len(self.predictions)

    @property
    def accuracy(self) -> float:
        """Share of the pictures whose likelier class is the true one, 0 to 1."""
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

        return confusion_matrix(self.predictions["label"], self.predictions["predicted"], labels=list(LABELS)).tolist()


def recorded(facts: dict[str, Any]) -> Scores | None:
    """Return the scores that were measured when a model was bundled.

    Parameters
    ----------
    facts : dict
        ``ModelCard.facts``: of a bundled model its ``<name>.card.json``.

    Returns
    -------
    Scores or None
        None when they were never measured.

    Examples
    --------
    >>> recorded({"images": 4, "test_accuracy": 0.75, "log_loss": 0.5, "confusion": [[2, 0], [1, 1]]}).accuracy
    0.75
    >>> recorded({"data": "sketches"}) is None
    True
    """
    try:
        (cat, cat_as_dog), (dog_as_cat, dog) = facts["confusion"]
        return Scores(
            int(facts["images"]),
            float(facts["test_accuracy"]),
            float(facts["log_loss"]),
            [[int(cat), int(cat_as_dog)], [int(dog_as_cat), int(dog)]],
        )
    except (KeyError, TypeError, ValueError):
        return None


def pictures(
    data: str,
    subset: str = "test",
    images: int | None = None,
    facts: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Choose the pictures to measure a model on; for the test set, ones that it has never learned from.

    The dataset is split first, as the model's own run did if it learned from this dataset, and only then are some of
    the pictures taken: a split of some pictures would be another one, with training pictures in its test set.

    Parameters
    ----------
    data : str
        "sketches" or a dataset's path.
    subset : {"test", "all"}
    images : int, optional
        At most so many; by default all.
    facts : dict, optional
        ``ModelCard.facts`` of the model: of a trained one its run's settings.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    pandas.DataFrame
        As `dataset.open_dataset` returns it.

    Raises
    ------
    DatasetError
        When the data cannot be read, or is too little to split.
    """
    run = facts or {}
    if not _same(run.get("data"), data):
        run = {}  # it learned from something else, and knows none of these pictures
    seed = run.get("seed", 42)
    table = sketches.open_source(data, run.get("images"), seed, progress=progress)
    attributes = table.attrs
    if subset == "test":
        table = dataset.split(table, run.get("test_size", 0.25), seed)[1]
    table = sketches.at_most(table, images)
    table.attrs = attributes
    return table


def evaluate(
    model: PetModel, table: pd.DataFrame, progress: Progress | None = None, batch_size: int = 64
) -> Evaluation:
    """Let a model predict every picture of a dataset.

    Parameters
    ----------
    model : PetModel
        Anything with its ``predict(images)``.
    table : pandas.DataFrame
        As `dataset.open_dataset` returns it. Pictures that cannot be read any more are counted and left out.
    progress : callable, optional
        Called as ``progress(done, total, what)``; what it raises ends the evaluation.
    batch_size : int
        Pictures that are in memory at once.

    Returns
    -------
    Evaluation

    Raises
    ------
    EvaluationError
        When no picture could be read.
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
        for (file, label), (cat, dog) in zip(kept, model.predict(images), strict=True):
            rows.append((file, label, float(cat), float(dog)))
        if progress:
            progress(min(start + batch_size, len(table)), len(table), "Classifying the pictures")
    if not rows:
        raise EvaluationError("None of these pictures could be read. Choose another dataset.")
    import pandas as pd

    return Evaluation(_judge(pd.DataFrame(rows, columns=["file", "label", *LABELS])), skipped)


def mistakes(evaluation: Evaluation, count: int = 12) -> pd.DataFrame:
    """Return the wrong predictions, the most confident (the largest loss) first.

    Parameters
    ----------
    evaluation : Evaluation
    count : int
        At most so many.

    Returns
    -------
    pandas.DataFrame
        Rows of ``evaluation.predictions``.
    """
    wrong = evaluation.predictions[~evaluation.predictions["correct"]]
    return wrong.sort_values("loss", ascending=False, kind="stable").head(count).reset_index(drop=True)


def _same(source: object, data: str) -> bool:
    return isinstance(source, str) and Path(source).expanduser().absolute() == Path(data).expanduser().absolute()


def _judge(predictions: pd.DataFrame) -> pd.DataFrame:
    """Add what follows from the probabilities: the likelier class, whether it is right, and the loss.

    >>> import pandas as pd
    >>> _judge(pd.DataFrame({"file": ["a"], "label": ["dog"], "cat": [0.75], "dog": [0.25]}))[["predicted", "loss"]]
      predicted      loss
    0       cat  1.386294
    """
    predictions["predicted"] = np.where(predictions["dog"] > predictions["cat"], "dog", "cat")
    predictions["correct"] = predictions["predicted"] == predictions["label"]
    truth = np.where(predictions["label"] == "dog", predictions["dog"], predictions["cat"])
    predictions["loss"] = -np.log(np.maximum(truth, np.finfo(np.float32).tiny))
    return predictions
