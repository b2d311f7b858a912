"""A model card: intervals that statistics books print, failures that are failures, a text that leaves nothing out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core import models
from cnn_core.evaluation import Evaluation
from cnn_core.model_io import cards
from cnn_core.wording import percent


def an_evaluation(seed=0, images=200) -> Evaluation:
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"file": [f"/somewhere/{i}.jpg" for i in range(images)]})
    table["label"] = random.choice(["cat", "dog"], images)
    table["cat"] = random.beta(2, 2, images)
    table["dog"] = 1 - table["cat"]
    table["pet"] = random.uniform(0.45, 1, images)
    table["predicted"] = np.where(table["dog"] > table["cat"], "dog", "cat")
    table["correct"] = table["predicted"] == table["label"]
    table["loss"] = -np.log(np.where(table["label"] == "dog", table["dog"], table["cat"]))
    return Evaluation(table)


@settings(deadline=None)  # the first call imports SciPy
@given(total=st.integers(1, 10_000), share=st.floats(0, 1))
def test_interval_is_wilsons(total, share):
    right = round(share * total)
    z = 1.959963984540054
    low, high = cards.interval(right, total)
    # Wilson's ends are where the share that was seen lies z standard errors from the share that is supposed
    for end in {low, high} - {0.0, 1.0}:
        assert abs(right / total - end) == pytest.approx(z * np.sqrt(end * (1 - end) / total), abs=3e-4)
    assert 0 <= low <= right / total + 1e-4
    assert right / total - 1e-4 <= high <= 1


def test_what_was_measured_agrees_with_the_predictions():
    evaluation = an_evaluation()
    table, facts = evaluation.predictions, cards.measured(evaluation)
    assert facts["test_accuracy"] == round(table["correct"].mean(), 4)
    for label in ("cat", "dog"):
        low, high = facts["recall_interval"][label]
        assert facts["recall"][label] == round(table[table["label"] == label]["correct"].mean(), 4)
        assert low < facts["recall"][label] < high
    answered = table[table["pet"] >= 0.5]
    assert facts["refused"] == len(table) - len(answered) > 0
    assert facts["answered_accuracy"] == round(answered["correct"].mean(), 4)
    assert "refused" not in cards.measured(Evaluation(table.assign(pet=np.nan)))
    low, high = facts["log_loss_interval"]
    assert low < facts["log_loss"] < high
    normal = 1.96 * table["loss"].std() / np.sqrt(len(table))  # far from small samples the two ways agree
    assert high - low == pytest.approx(2 * normal, rel=0.15)


def test_failures_are_the_most_confident_mistakes_without_their_folders():
    evaluation = an_evaluation()
    failures = cards.measured(evaluation)["failures"]
    assert len(failures) == cards.FAILURES
    sure = [failure["probability"] for failure in failures]
    assert sure == sorted(sure, reverse=True)
    wrong = evaluation.predictions.query("not correct")
    assert sure[0] == pytest.approx(wrong[["cat", "dog"]].max(axis=1).max(), abs=1e-4)
    for failure in failures:
        assert failure["label"] != failure["predicted"]
        assert "/" not in failure["file"]


def test_one_kind_of_picture_only_and_a_single_one_have_a_card_too():
    one = Evaluation(an_evaluation().predictions.head(1))
    facts = cards.measured(one)
    assert facts["log_loss_interval"] is None
    assert len(facts["recall"]) == 1


def test_text_tells_every_fact_of_the_card():
    facts = cards.measured(an_evaluation()) | {
        "title": "T", "origin": "From there.", "licences": ["MIT."], "split": "by name", "training_images": 600,
        "training": "Adam", "limits": ["Blind."], "not_for": ["Vets."], "scores": {"Refused": "1.00 %"},
    }  # fmt: skip
    text = cards.markdown(models.ModelCard("t", "bundled", Path("t.keras"), "T", "Text.", facts=facts))
    for part in (
        "From there.",
        "MIT.",
        "By name",
        "600 training pictures",
        "200 test pictures",
        "Adam.",
        "Blind.",
        "Vets.",
        "1.00 %",
    ):
        assert part in text
    for key in (
        "test_accuracy",
        "recall",
        "test_accuracy_interval",
        "recall_interval",
        "calibration_error",
        "answered_accuracy",
    ):
        values = facts[key].values() if isinstance(facts[key], dict) else [facts[key]]
        for value in np.ravel(list(values)):
            assert percent(value, 2) in text
    for failure in facts["failures"]:
        assert f"| {failure['file']} | {failure['label']} | {failure['predicted']} |" in text


def test_an_older_card_without_intervals_is_shown_too():
    facts = {"images": 4, "test_accuracy": 0.75, "log_loss": 0.5, "confusion": [[2, 0], [1, 1]]}
    text = cards.markdown(models.ModelCard("old", "bundled", Path("old.keras"), "Old", "Text.", facts=facts))
    assert "75.00\u00a0%" in text
    assert "None" not in text


@pytest.mark.parametrize("name", [card.name for card in models.list_models() if card.kind == "bundled"])
def test_every_bundled_model_has_a_whole_card(name):
    facts = models.find(name).facts
    for key in ("title", "data", "origin", "licences", "split", "training", "limits", "not_for", "failures"):
        assert facts.get(key), f"{name}.card.json lacks {key}"
    (cats, cats_as_dogs), (dogs_as_cats, dogs) = facts["confusion"]
    assert facts["test_accuracy_interval"] == cards.interval(cats + dogs, facts["images"])
    assert facts["recall_interval"]["cat"] == cards.interval(cats, cats + cats_as_dogs)
    assert facts["recall_interval"]["dog"] == cards.interval(dogs, dogs + dogs_as_cats)
    assert facts["log_loss_interval"][0] <= facts["log_loss"] <= facts["log_loss_interval"][1]
    assert len({failure["file"] for failure in facts["failures"]}) == len(facts["failures"])


def test_a_model_without_a_mistake_is_not_called_certain():
    facts = {"images": 9, "test_accuracy": 1.0, "recall": {"cat": 1.0}, "log_loss": 0.01, "refused": 0}
    facts |= {"answered_accuracy": 1.0, "confusion": [[5, 0], [0, 4]]}
    text = cards.markdown(models.ModelCard("best", "bundled", Path("best.keras"), "Best", "Text.", facts=facts))
    assert "| Accuracy | over 99.99\u00a0% |" in text
    assert "100\u00a0%" not in text
    assert "100.0" not in text
