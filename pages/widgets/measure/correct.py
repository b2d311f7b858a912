"""Two buttons below a mistake: it shows the other animal, or it is left out. Then a new training learns from it."""

from collections.abc import Callable

import streamlit as st

from cnn_core.data_files import corrections
from cnn_core.dataset import LABELS
from cnn_core.wording import plain
from pages.widgets import correction_list


def buttons(data: str, folder: str) -> Callable[[dict], None]:
    """Return what draws the buttons for a row of ``Evaluation.predictions``."""

    def below(row: dict) -> None:
        (name,) = corrections.names([row["file"]], folder)
        other = LABELS[1 - LABELS.index(row["label"])]
        st.button(
            f"It is a {other}",
            key=f"relabel {name}",
            help=f"{plain(name)} counts as a {other} from now on.",
            on_click=correction_list.correct,
            args=(data, [name], other),
            width="stretch",
        )
        st.button(
            "Leave it out",
            key=f"leave out {name}",
            help=f"{plain(name)} is used neither for training nor for testing from now on.",
            on_click=correction_list.correct,
            args=(data, [name], None),
            width="stretch",
        )

    return below
