"""What a model gets wrong: a confusion matrix that opens the pictures behind its numbers, and the curves beside it."""

import pandas as pd
import streamlit as st

from cnn_core import curves
from cnn_core.evaluation import Evaluation, behind, decide
from cnn_core.figures import scores as score_charts
from cnn_core.figures.layout import NO_BUTTONS
from cnn_core.storage.files import safe_name
from cnn_core.wording import percent
from pages.widgets import controls, in_vain
from pages.widgets.measure import gallery

# Keys of the session's state.
_MATRIX, _CLICKED, _FIRST = "confusion_matrix_chart", "cell_clicked", "cell_from"


def show(result: Evaluation, model: str) -> None:
    """Draw the matrix with its pictures, then the curves, for the threshold that is chosen."""
    st.header("Mistakes", divider="gray")
    st.markdown(
        "**Click a number** in the matrix to see its pictures, or choose them below. The model says “dog” when its "
        "probability of dog is above the **threshold**. With a higher threshold it says “dog” less often."
    )
    controls.warn(controls.DOG_ABOVE, controls.CELL)
    step = st.slider("Threshold for “dog”", format="%d %%", **controls.DOG_ABOVE.bound | {"on_change": _first_page})
    threshold = step / curves.STEPS
    decided = decide(result, threshold)
    rows = curves.thresholds(result)
    left, matrix = st.columns(2, gap="large")  # on a phone the matrix stands just above its pictures
    with left:
        _threshold(rows, threshold)
    cell = st.radio("Pictures to look at", horizontal=True, **controls.CELL.menu | {"on_change": _first_page})
    with matrix:
        _matrix(decided, cell)
    _pictures(decided, cell, model)
    st.header("How reliable are its probabilities?", divider="gray")
    left, right = st.columns(2, gap="large")
    with left:
        _roc(result, rows.iloc[step])
    with right:
        _calibration(result)


def in_words(confusion: list[list[int]]) -> str:
    """Describe a confusion matrix for a screen reader."""
    (cat, cat_as_dog), (dog_as_cat, dog) = confusion
    return (
        f"Confusion matrix: of the cats {cat} right and {cat_as_dog} classified as dogs; "
        f"of the dogs {dog} right and {dog_as_cat} classified as cats"
    )


def _matrix(decided: Evaluation, cell: str) -> None:
    with st.container(key="confusion_matrix"):
        st.plotly_chart(
            score_charts.confusion_matrix(decided.confusion, _sides(cell)),
            config=NO_BUTTONS,
            key=_MATRIX,
            on_select=_click,
            selection_mode="points",
            alt=in_words(decided.confusion),
        )


def _click() -> None:
    """Choose the cell that was clicked. A second click on a point takes it out of Plotly's selection: same cell."""
    points = st.session_state[_MATRIX].selection.points
    clicked = " as ".join(points[0]["customdata"]) if points else st.session_state.get(_CLICKED)
    if clicked in controls.CELL.options:
        st.session_state[controls.CELL.name] = st.session_state[_CLICKED] = clicked
    _first_page()


def _sides(cell: str) -> tuple[str, str]:
    """Return the truth and the prediction of a cell."""
    label, predicted = cell.split(" as ")
    return label, predicted


def _first_page() -> None:
    in_vain.forget()
    st.session_state[_FIRST] = 0


def _pictures(decided: Evaluation, cell: str, model: str) -> None:
    rows = behind(decided, *_sides(cell))
    st.subheader(f"{controls.CELL.label(cell)}: {len(rows):,}")
    if rows.empty:
        st.success("There are no such pictures.")
        return
    st.caption("Sorted by the model's confidence, highest first.")
    gallery.paged(rows, _FIRST)
    st.download_button(
        "Download these predictions (CSV)", rows.to_csv(index=False),
        f"{safe_name(model)}-{cell.replace(' ', '-')}.csv", "text/csv", icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _threshold(rows: pd.DataFrame, threshold: float) -> None:
    at = rows[rows["threshold"] == threshold].iloc[0]
    words = ", ".join(f"{score} {percent(at[score], counted=True)}" for score in ("accuracy", "precision", "recall"))
    place = percent(threshold, 0, counted=True)
    st.plotly_chart(
        score_charts.thresholds(rows, threshold),
        config=NO_BUTTONS,
        key="threshold_chart",
        alt=f"Line chart of accuracy, precision and recall against the threshold. At {place}: {words}",
    )
    st.caption(f"At {place}: {words}.")
    with st.expander("What precision and recall mean", icon=":material/help:"):
        st.markdown(
            "**Precision**: the share of real dogs among the pictures that it calls dogs. **Recall**: the share of all "
            "dogs that it finds. A higher threshold usually raises precision and lowers recall."
        )


def _roc(result: Evaluation, at: pd.Series) -> None:
    auc = curves.roc_auc(result)
    st.subheader("ROC curve")
    if auc is None:
        st.info("This curve needs both cats and dogs. Measure more pictures.")
        return
    st.plotly_chart(
        score_charts.roc(curves.roc(result), (at["false_positive_rate"], at["recall"])),
        config=NO_BUTTONS,
        key="roc_chart",
        alt=f"ROC curve: true against false positive rate for every threshold; the area under it is {auc:.3f}",
    )
    st.caption(f"The area under the curve is the **AUC**: {auc:.3f}.")
    with st.expander("How to read this curve", icon=":material/help:"):
        st.markdown(
            "Each threshold is one point. Horizontal axis: the **false positive rate**, the share of cats that it "
            "calls dogs. Vertical axis: the **true positive rate**, the share of dogs that it finds. The closer the "
            "curve is to the top left corner, the better. An AUC of 1 is perfect, 0.5 is guessing."
        )


def _calibration(result: Evaluation) -> None:
    error = percent(curves.calibration_error(result))
    st.subheader("Calibration")
    rows = curves.calibration(result)
    st.plotly_chart(
        score_charts.calibration(rows),
        config=NO_BUTTONS,
        key="calibration_chart",
        alt="Calibration chart: "
        + "; ".join(
            f"{percent(row['confidence'], 0)} sure, "
            f"right in {percent(row['accuracy'], 0, counted=True)} of {int(row['images'])}"
            for row in rows.to_dict("records")
        ),
    )
    st.caption(f"The **expected calibration error** is {error}.")
    with st.expander("How to read these bars", icon=":material/help:"):
        st.markdown(
            "When the model is 90 % sure, it should be right in 90 % of the cases. Then the bar ends at its diamond. A "
            "lower bar means that the model is overconfident. The expected calibration error is the mean distance "
            "between bars and diamonds, over all answers."
        )
