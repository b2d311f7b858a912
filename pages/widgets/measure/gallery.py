"""Pictures that a model has judged, each with the truth and what the model said."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.pixels import fit, open_image
from cnn_core.wording import percent, plain

WIDTH = 150
PER_PAGE = 15


def show(rows: pd.DataFrame, below: Callable[[dict], None] | None = None) -> None:
    """Draw the pictures of some rows of ``Evaluation.predictions``, each with what `below` draws for its row."""
    with st.container(horizontal=True):
        for row in rows.to_dict("records"):
            with st.container(width=WIDTH):
                _picture(row)
                if below:
                    below(row)


def paged(rows: pd.DataFrame, key: str) -> None:
    """Draw them in pages; `key` is where the session keeps the number of the first one that is shown."""
    first = min(st.session_state.get(key, 0), max(len(rows) - 1, 0)) // PER_PAGE * PER_PAGE
    last = min(first + PER_PAGE, len(rows))
    show(rows.iloc[first:last])
    if len(rows) > PER_PAGE:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Previous", icon=":material/chevron_left:", disabled=first == 0, key=f"{key}_previous",
                on_click=_turn, args=(key, first - PER_PAGE),
            )  # fmt: skip
            st.button(
                "Next", icon=":material/chevron_right:", disabled=last == len(rows), key=f"{key}_next",
                on_click=_turn, args=(key, last),
            )  # fmt: skip
            st.caption(f"{first + 1:,} to {last:,} of {len(rows):,}")


def _turn(key: str, first: int) -> None:
    st.session_state[key] = first


def _picture(row: dict) -> None:
    name = Path(row["file"]).name
    verdict = "recognized" if row["correct"] else f"classified as a {row['predicted']}"
    says = f"A {row['label']}, {verdict}: {percent(row[row['predicted']], 0)} {row['predicted']}"
    try:
        picture = _small(row["file"], Path(row["file"]).stat().st_mtime_ns)
    except (CnnLabError, OSError):
        st.caption(f"{plain(name)} no longer exists.")
    else:
        st.image(picture, caption=f"{says} ({plain(name)})", width="stretch", alt=says)


@st.cache_data(max_entries=400, show_spinner=False)
def _small(file: str, changed: int) -> np.ndarray:
    """Return a picture twice as large as it is shown; `changed` is its file's time."""
    return fit(open_image(file), 2 * WIDTH)
