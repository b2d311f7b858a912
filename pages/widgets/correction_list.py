"""What was corrected in the chosen pictures, and how to take it back."""

import pandas as pd
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.data_files import corrections
from cnn_core.source import Source
from cnn_core.storage.files import visiting
from cnn_core.wording import plain
from pages.widgets import run_monitor

PLACE = "corrections"
"""Where `run_monitor` shows that a correction could not be made."""


def show(data: str, known: corrections.Corrections) -> None:
    """Say how many pictures are corrected, and list them in a fold where each can be undone."""
    run_monitor.show_error(PLACE)
    if not known:
        return
    with st.expander(f"Corrected by hand: {in_words(known)}", icon=":material/edit_note:", key="corrections"):
        names = sorted(known)
        rows = pd.DataFrame({"photo": names, "now": [known[name] or "left out" for name in names]})
        event = st.dataframe(
            rows,
            hide_index=True,
            key="corrections_table",
            on_select="rerun",
            selection_mode="multi-row",
            alt="Corrected photos, and what each of them counts as",
        )
        chosen = [names[row] for row in event.selection.rows if row < len(names)]
        place = "" if visiting() else f": the corrections are in {plain(corrections.path_of(data))}"
        st.caption(f"Select rows to undo only these corrections. The photos themselves are never changed{place}.")
        st.button(
            f"Undo {len(chosen)}" if chosen else "Undo all",
            key="corrections_undo",
            icon=":material/undo:",
            on_click=take_back,
            args=(data, chosen or names),
        )


def of(source: Source) -> corrections.Corrections | None:
    """Return the corrections in force; when they cannot be read, say so and return None."""
    try:
        return source.in_force
    except CnnLabError as error:
        st.error(plain(error))
        return None


def in_words(known: corrections.Corrections) -> str:
    """Count the corrections, as "2 relabeled, 1 left out"."""
    out = list(known.values()).count(None)
    parts = [f"{count:,} {what}" for count, what in ((len(known) - out, "relabeled"), (out, "left out")) if count]
    return ", ".join(parts)


def correct(data: str, photos: list[str], label: str | None) -> None:
    """Correct some pictures; `show` says so if that fails."""
    run_monitor.attempt(lambda: corrections.correct(data, photos, label), PLACE)


def take_back(data: str, photos: list[str]) -> None:
    """Undo the corrections of some pictures; `show` says so if that fails."""
    run_monitor.attempt(lambda: corrections.undo(data, photos), PLACE)
