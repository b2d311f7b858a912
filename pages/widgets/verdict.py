"""A model's verdict on one photo: in words, and both probabilities as bars."""

import csv
import io
from typing import Any

import streamlit as st

from cnn_core.figures.colors import CAT, DOG
from cnn_core.models import Prediction
from cnn_core.wording import percent

_STYLE = f"""<style>
.verdict-bars {{ display: grid; grid-template-columns: max-content 1fr max-content; gap: .5rem .75rem;
  align-items: center; max-width: 32rem; font-variant-numeric: tabular-nums; }}
.verdict-bars .track {{ height: .9rem; border-radius: .45rem; background: rgba(128, 128, 128, .22); overflow: hidden; }}
.verdict-bars .fill {{ height: 100%; border-radius: .45rem; }}
.verdict-bars .cat {{ background: {CAT}; }} .verdict-bars .dog {{ background: {DOG}; }}
.verdict-bars .was {{ opacity: .45; }}
.st-key-verdict h2 {{ font-size: 2.25rem; font-weight: 700; }}
</style>"""


def show(prediction: Prediction) -> None:
    """Write the verdict large, and draw a bar for cat and one for dog."""
    st.markdown(f"## {prediction.sentence}")
    if prediction.label == "neither":
        st.markdown("If it had to choose:")
    bars(prediction.probabilities)


def bars(probabilities: dict[str, float], before: dict[str, float] | None = None) -> None:
    """Draw a bar for each class; with `before` also a paler bar above it for the value before."""
    rows = []
    for label, value in probabilities.items():
        tracks, words = _track(label, value), percent(value)
        if before is not None:
            tracks = _track(f"{label} was", before[label]) + tracks
            words = f"{percent(before[label])} → {words}"
        rows.append(f"<span>{label.title()}</span><div>{tracks}</div><span>{words}</span>")
    st.html(f'{_STYLE}<div class="verdict-bars">{"".join(rows)}</div>')


def _track(kind: str, value: float) -> str:
    return f'<div class="track" aria-hidden="true"><div class="fill {kind}" style="width: {value:.1%}"></div></div>'


def csv_of(rows: list[dict[str, Any]]) -> str:
    """Return a CSV with a row for each photo: its verdict, or the error.

    A photo's name that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    columns = ["file", "label", "probability", "cat", "dog", "model", "error"]
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"file": "'" * row["file"].startswith(("=", "+", "-", "@")) + row["file"]} for row in rows)
    return text.getvalue()
