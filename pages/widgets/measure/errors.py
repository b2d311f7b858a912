"""Where a model errs: a confusion matrix that opens the pictures behind its numbers, and the curves beside it."""

import pandas as pd
import streamlit as st

from cnn_core import curves
from cnn_core.evaluation import Evaluation, behind, decide
from cnn_core.figures import scores as score_charts
from pages.widgets import controls
from pages.widgets.measure import gallery

PLOT = {"displayModeBar": False}
CELLS = {
    "cat as cat": "Cats recognised",
    "cat as dog": "Cats taken for dogs",
    "dog as cat": "Dogs taken for cats",
    "dog as dog": "Dogs recognised",
}

# Keys of the session's state; the first is a widget's, and with it the name in the address.
_CELL, _MATRIX, _CLICKED, _FIRST = (
    "cell",
    "confusion_matrix_chart",
    "cell_clicked",
    "cell_from",
)


def show(result: Evaluation, model: str) -> None:
    """Draw the matrix with its pictures, then the curves, for the threshold that one sets."""
    st.header("Where it errs", divider="gray")
    st.markdown(
        "**Click a number** to see the pictures behind it, or choose them by name below. Move the **threshold** to "
        "make the model say “dog” sooner or later: it then errs on other pictures, and on more or fewer of them."
    )
    percent = st.slider(
        "Threshold: it says “dog” above", format="%d %%", on_change=_first_page, **controls.DOG_ABOVE.bound
    )
    threshold = percent / curves.STEPS
    decided = decide(result, threshold)
    rows = curves.thresholds(result)
    left, matrix = st.columns(2, gap="large")  # on a phone the matrix stands just above its pictures
    with left:
        _threshold(rows, threshold)
    cell = st.radio(
        "Pictures to look at", list(CELLS), 1, format_func=CELLS.__getitem__, horizontal=True, key=_CELL,
        bind="query-params", on_change=_first_page,
    )  # fmt: skip
    with matrix:
        _matrix(decided, cell)
    _pictures(decided, cell, model)
    st.header("How far it can be trusted", divider="gray")
    left, right = st.columns(2, gap="large")
    with left:
        _roc(result, rows.iloc[percent])
    with right:
        _calibration(result)


def in_words(confusion: list[list[int]]) -> str:
    """Describe a confusion matrix to those who do not see it."""
    (cat, cat_as_dog), (dog_as_cat, dog) = confusion
    return (
        f"Confusion matrix: of the cats {cat} right and {cat_as_dog} taken for dogs; "
        f"of the dogs {dog} right and {dog_as_cat} taken for cats"
    )


def _matrix(decided: Evaluation, cell: str) -> None:
    with st.container(key="confusion_matrix"):
        st.plotly_chart(
            score_charts.confusion_matrix(decided.confusion, _sides(cell)),
            config=PLOT,
            key=_MATRIX,
            on_select=_click,
            selection_mode="points",
            alt=in_words(decided.confusion),
        )


def _click() -> None:
    """Choose the cell that was clicked. A second click on a point takes it out of Plotly's selection: same cell."""
    points = st.session_state[_MATRIX].selection.points
    clicked = " as ".join(points[0]["customdata"]) if points else st.session_state.get(_CLICKED)
    if clicked in CELLS:
        st.session_state[_CELL] = st.session_state[_CLICKED] = clicked
    _first_page()


def _sides(cell: str) -> tuple[str, str]:
    """Return the truth and the prediction of a cell."""
    label, predicted = cell.split(" as ")
    return label, predicted


def _first_page() -> None:
    st.session_state[_FIRST] = 0


def _pictures(decided: Evaluation, cell: str, model: str) -> None:
    rows = behind(decided, *_sides(cell))
    st.subheader(f"{CELLS[cell]}: {len(rows):,}")
    if rows.empty:
        st.success("There is no such picture.")
        return
    st.caption("The ones it was surest of come first.")
    gallery.paged(rows, _FIRST)
    st.download_button(
        "These predictions as CSV", rows.to_csv(index=False), f"{model}-{cell.replace(' ', '-')}.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _threshold(rows: pd.DataFrame, threshold: float) -> None:
    at = rows[rows["threshold"] == threshold].iloc[0]
    words = (
        f"accuracy {_percent(at['accuracy'])}, precision {_percent(at['precision'])}, recall {_percent(at['recall'])}"
    )
    st.plotly_chart(
        score_charts.thresholds(rows, threshold),
        config=PLOT,
        key="threshold_chart",
        alt=f"Line chart of accuracy, precision and recall against the threshold. At {threshold:.0%}: {words}",
    )
    st.caption(
        f"At {_percent(threshold, 0)}: {words}. **Precision**: how many of those it calls dogs are dogs. **Recall**: "
        "how many of the dogs it finds. A higher threshold usually buys precision with recall."
    )


def _roc(result: Evaluation, at: pd.Series) -> None:
    auc = curves.roc_auc(result)
    st.subheader("ROC curve")
    if auc is None:
        st.info("It takes both cats and dogs to draw this curve. Measure more pictures.")
        return
    st.plotly_chart(
        score_charts.roc(curves.roc(result), (at["cats_called_dogs"], at["recall"])),
        config=PLOT,
        key="roc_chart",
        alt=f"ROC curve: dogs found against cats called dogs, for every threshold; the area under it is {auc:.3f}",
    )
    st.caption(
        "Every threshold is one point: the nearer the curve comes to the top left corner, the fewer cats are called "
        f"dogs for the dogs it finds. The area under it, {auc:.3f}, is the **AUC**: 1 is perfect, 0.5 is guessing."
    )


def _calibration(result: Evaluation) -> None:
    error = _percent(curves.calibration_error(result))
    st.subheader("Calibration")
    rows = curves.calibration(result)
    st.plotly_chart(
        score_charts.calibration(rows),
        config=PLOT,
        key="calibration_chart",
        alt="Calibration chart: "
        + "; ".join(
            f"{_percent(row['sure'], 0)} sure, right in {_percent(row['right'], 0)} of {int(row['images'])}"
            for row in rows.to_dict("records")
        ),
    )
    st.caption(
        "When it is 90 % sure, it should be right nine times in ten: then a bar ends at its diamond. Lower bars mean "
        "that it is too sure of itself. The mean distance over all answers is the **expected calibration error**: "
        f"{error}."
    )


def _percent(value: float, digits: int = 1) -> str:
    return (
        "–" if value != value else f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"
    )  # NaN is no number, not even itself
