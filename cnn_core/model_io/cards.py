"""The model card: a model's scores with their confidence intervals, its mistakes, and what it must not be used for.

After M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, https://arxiv.org/abs/1810.03993. The facts lie
in ``weights/<name>.card.json``; `cnn_core.model_io.bundle` writes them there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

from cnn_core.evaluation import Evaluation, mistakes
from cnn_core.models import ModelCard
from cnn_core.wording import percent, plain

FAILURES = 20
"""The maximum number of mistakes on a card, the most confident ones first."""

NOT_FOR = (
    "Any decision about an animal or a person: its health, breed, owner, adoption, or whether it is there at all.",
    "Finding or following animals or people, in cameras or anywhere else.",
    "Pictures unlike those it learned from (drawings, other species, thermal or medical pictures): its answers "
    "to them mean nothing, even with a high probability.",
    "Any use in which a wrong answer does harm. The model is made for learning how such networks work.",
)
"""What none of the app's models must be used for; a card may add to it."""


@dataclass(frozen=True)
class Scores:
    """The scores of a model as its card tells them; the attributes mean what those of `Evaluation` do."""

    images: int
    accuracy: float
    log_loss: float
    confusion: list[list[int]]


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


def interval(right: int, total: int) -> list[float]:
    """Return the 95 % confidence interval of a share.

    Parameters
    ----------
    right, total : int
        `right` of `total` > 0 answers were right.

    Returns
    -------
    list of float
        Lower and upper end, 0 to 1, rounded to four digits.

    References
    ----------
    Wilson's score interval, without continuity correction: E. B. Wilson, "Probable inference, the law of succession,
    and statistical inference", JASA 22, 1927.

    Examples
    --------
    >>> interval(5036, 6250)
    [0.7958, 0.8154]
    >>> interval(20, 20)  # even without a mistake, twenty images prove little
    [0.8389, 1.0]
    """
    # Written out, since the first page asks, and to import scipy.stats takes a second.
    z = NormalDist().inv_cdf(0.975)
    middle = (right + z**2 / 2) / (total + z**2)
    half = z / (total + z**2) * math.sqrt(right * (total - right) / total + z**2 / 4)
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def measured(evaluation: Evaluation) -> dict[str, Any]:
    """Return a card's measured facts, from a model's answers on its test set.

    Parameters
    ----------
    evaluation : Evaluation
        Of the test set, which the model has never seen.

    Returns
    -------
    dict
        ``images``, ``skipped``, ``test_accuracy``, ``log_loss``, ``confusion`` as in `Evaluation`;
        ``test_accuracy_interval`` and ``log_loss_interval`` (95 %; the latter by bootstrap);
        ``calibration_error``, and ``refused`` and ``answered_accuracy`` where the model can call an image neither;
        ``recall`` and ``recall_interval`` (of the cats, and of the dogs, the share that was recognized);
        ``failures``: the most confident mistakes, most confident first, each with ``file`` (its name alone), ``label``,
        ``predicted`` and ``probability`` (of the wrong answer).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"file": ["a/1.jpg", "a/2.jpg"], "label": ["cat", "dog"], "cat": [0.9, 0.8]})
    >>> table = table.assign(dog=[0.1, 0.2], pet=1.0, predicted="cat", correct=[True, False], loss=[0.105, 1.609])
    >>> facts = measured(Evaluation(table))
    >>> facts["test_accuracy"], facts["failures"]
    (0.5, [{'file': '2.jpg', 'label': 'dog', 'predicted': 'cat', 'probability': 0.8}])
    """
    from cnn_core.curves import calibration_error  # it brings pandas, which showing a card does not take

    (cats, cats_as_dogs), (dogs_as_cats, dogs) = confusion = evaluation.confusion
    shares = {"cat": (cats, cats + cats_as_dogs), "dog": (dogs, dogs + dogs_as_cats)}
    return {
        "images": evaluation.images,
        "skipped": evaluation.skipped,
        "test_accuracy": round(evaluation.accuracy, 4),
        "test_accuracy_interval": interval(cats + dogs, evaluation.images),
        "log_loss": round(evaluation.log_loss, 4),
        "log_loss_interval": _mean_interval(evaluation.predictions["loss"].to_numpy()),
        "calibration_error": round(calibration_error(evaluation), 4),
        **_refused(evaluation),
        "confusion": confusion,
        "recall": {label: round(right / total, 4) for label, (right, total) in shares.items() if total},
        "recall_interval": {label: interval(*share) for label, share in shares.items() if share[1]},
        "failures": [
            {
                "file": Path(row["file"]).name,
                "label": row["label"],
                "predicted": row["predicted"],
                "probability": round(row[row["predicted"]], 4),
            }
            for row in mistakes(evaluation, FAILURES).to_dict("records")
        ],
    }


def _refused(evaluation: Evaluation) -> dict[str, Any]:
    refused, accuracy = evaluation.refused, evaluation.answered_accuracy
    if refused is None or accuracy is None:
        return {}
    return {"refused": refused, "answered_accuracy": round(accuracy, 4)}


def markdown(card: ModelCard) -> str:
    """Return the whole of a model's card as Markdown, for a page, a terminal or a README.

    Examples
    --------
    >>> print(markdown(ModelCard("mine", "uploaded", Path("mine.keras"), "mine", "Not measured yet.")))
    ## mine
    Not measured yet.
    """
    facts = card.facts
    parts = [f"## {plain(card.title)}\n{plain(card.text)}"]
    if card.kind != "bundled":  # a run's facts are its settings, not a written card
        return parts[0]
    if origin := facts.get("origin"):
        parts.append(f"### Data and origin\n{origin}")
    if licenses := facts.get("licences"):
        parts.append("### Licenses\n" + _bullets(licenses))
    if split := facts.get("split"):
        counts = [f"{facts[key]:,} {what}" for key, what in _SPLIT if isinstance(facts.get(key), int)]
        parts.append(f"### Split\n{str(split)[:1].upper()}{str(split)[1:]}: {', '.join(counts)}.")
    if training := facts.get("training"):
        parts.append(f"### Training\n{training}.")
    if recorded(facts):
        parts.append("### Scores on the test set\n" + _scores(facts))
    if failures := facts.get("failures"):
        rows = [
            f"| {plain(f['file'])} | {f['label']} | {f['predicted']} | {percent(f['probability'], 2)} |"
            for f in failures
        ]
        head = "| File | True class | Predicted class | Probability |\n|---|---|---|---|\n"
        parts.append("### Where it fails\nIts most confident mistakes in the test set:\n\n" + head + "\n".join(rows))
    for key, title in (("limits", "Limits"), ("not_for", "What it must not be used for")):
        if facts.get(key):
            parts.append(f"### {title}\n" + _bullets(facts[key]))
    return "\n\n".join(parts)


_SPLIT = (("training_images", "training pictures"), ("images", "test pictures"))


def _scores(facts: dict[str, Any]) -> str:
    rows = ["| | Value | 95 % interval |", "|---|---|---|"]
    low, high = facts.get("test_accuracy_interval") or [None, None]
    rows.append(f"| Accuracy | {percent(facts['test_accuracy'], 2)} | {_range(low, high)} |")
    for label, share in (facts.get("recall") or {}).items():
        ends = facts.get("recall_interval", {}).get(label, [None, None])
        rows.append(f"| Of the {label}s recognized | {percent(share, 2)} | {_range(*ends)} |")
    low, high = facts.get("log_loss_interval") or [None, None]
    loss = "" if low is None else f"{low:.4f} to {high:.4f}"
    rows.append(f"| Log loss | {facts['log_loss']:.4f} | {loss} |")
    if "calibration_error" in facts:
        rows.append(f"| Calibration error | {percent(facts['calibration_error'], 2)} | |")
    if "refused" in facts:
        refused, images = facts["refused"], facts["images"]
        share = percent(refused / images, 2, counted=True)
        rows.append(f"| Called neither | {share} | {_range(*interval(refused, images))} |")
        rows.append(f"| Accuracy on the others | {percent(facts['answered_accuracy'], 2)} | |")
    for key, value in (facts.get("scores") or {}).items():
        rows.append(f"| {key} | {value} | |")
    return "\n".join(rows)


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{percent(low, 2)} to {percent(high, 2)}"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _mean_interval(values: Any) -> list[float] | None:
    """Return the 95 % interval of a mean, by resampling: the losses of a few mistakes are far from normal."""
    from scipy.stats import bootstrap

    if len(values) < 2:
        return None
    ends = bootstrap((values,), lambda x, axis: x.mean(axis), batch=50, n_resamples=2000, method="percentile", rng=0)
    return [round(float(end), 4) for end in ends.confidence_interval]
