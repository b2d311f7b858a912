"""The part of a training's script that repeats what was corrected by hand in its dataset."""

from __future__ import annotations

from cnn_core.data_files.corrections import Corrections
from cnn_core.dataset import LABELS
from cnn_core.scripts.literals import quoted

_APPLY = """

def corrected(table):
    labels = [corrections.get(name, label) for name, label in zip(table["name"], table["label"])]
    return table.assign(label=labels).dropna(subset="label").astype({"label": int})


training_set, test_set = corrected(training_set), corrected(test_set)"""


def corrected(corrections: Corrections) -> str:
    """Return the lines that relabel images and leave some out, after the split; "" without corrections.

    Examples
    --------
    >>> '"cat.1.jpg": 1,' in corrected({"cat.1.jpg": "dog", "cat.2.jpg": None})
    True
    """
    if not corrections:
        return ""
    lines = [
        f"    {quoted(name)}: {None if label is None else LABELS.index(label)},"
        for name, label in sorted(corrections.items())
    ]
    head = "\n\n# Corrected by hand: the label of an image, or None where it is left out.\ncorrections = {\n"
    return head + "\n".join(lines) + "\n}\n" + _APPLY
