"""Lesson 6: how often a model is right, and where it errs."""

from pathlib import Path

import streamlit as st

from cnn_core import curves, models
from cnn_core.evaluation import Evaluation, mistakes
from cnn_core.figures import scores as score_charts
from cnn_core.model_io.cards import Scores, recorded
from cnn_core.scripts import lessons
from cnn_core.storage.files import home
from cnn_core.wording import duration
from pages.widgets import address, code_panel, data_source, exports
from pages.widgets.measure import errors, gallery, measurement

PLOT = {"displayModeBar": False}
REFRESH = 0.5
MOST_MISTAKES = 10
COUNTS = {100: "100", 400: "400", 2000: "2,000", None: "All"}
SUBSETS = {"test": "Test set", "all": "All pictures"}


def main() -> None:
    """Choose a model; what it scored when it was made, then its scores and worst mistakes on pictures you choose."""
    st.markdown(
        "A model is judged by pictures it has **never learned from**. **Accuracy** is the share it gets right. "
        "**Loss** also counts how sure it was: being sure and wrong costs most. The **confusion matrix** tells which "
        "of the two it takes for the other."
    )
    cards = {card.name: card for card in models.list_models()}
    if not cards:
        st.info("There is no model yet. Train one on the page Train, then measure it here.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
        return
    names = list(cards)
    address.read("model", names)
    name = st.selectbox(
        "Model", names, format_func=lambda name: cards[name].title, key="model", persist_state="session"
    )
    address.write("model", name, names[0])
    card = cards[name]
    st.write(card.text)
    if scores := recorded(card.facts):
        _recorded(scores)
        exports.model_card(card)
    st.header("Measure it yourself", divider="gray")
    data = data_source.choose()
    left, right = st.columns(2, gap="large")
    images = left.selectbox(
        "Pictures at most", list(COUNTS), 1, format_func=COUNTS.__getitem__, key="pictures", bind="query-params"
    )
    subset = right.selectbox(
        "Which of them", list(SUBSETS), format_func=SUBSETS.__getitem__, key="subset", bind="query-params",
        help="The test set is the quarter that a training on these pictures keeps aside, of which nothing is learned.",
    )  # fmt: skip
    if data:
        _measure(card, data, images, subset)
    else:
        st.info("Choose pictures above: their scores appear here.")
    code_panel.show(lessons.evaluation(name, data or "sketches", subset, images))


def _measure(card: models.ModelCard, data: str, images: int | None, subset: str) -> None:
    state = (card.path.stat().st_mtime_ns, _changed(data), home())
    running = measurement.measure(card.name, data, images, subset, state)
    if not running.ready(0.3):
        st.fragment(_progress, run_every=REFRESH)(running)
        return
    if running.result is None:
        st.error(running.error)
        if st.button("Measure again", icon=":material/refresh:"):
            measurement.forget(running)
            st.rerun()
        return
    st.fragment(_result)(running, running.result, card, data)


def _changed(data: str) -> int:
    try:
        return Path(data).expanduser().stat().st_mtime_ns
    except OSError:
        return 0


def _progress(running: measurement.Measurement) -> None:
    if running.ready():
        st.rerun()
    left = "" if running.seconds_left is None else f" · {duration(running.seconds_left)} left"
    share = min(running.done / running.total, 1.0)
    st.progress(share, f"{running.what}: {running.done:,} of {running.total:,}{left}" if running.done else running.what)
    st.button("Stop measuring", on_click=running.stop, icon=":material/stop:")


def _scores(scores: Scores | Evaluation) -> None:
    st.metric(
        "Accuracy", f"{scores.accuracy * 100:.1f} %", width="content", help="The share it gets right; guessing: 50 %."
    )
    st.metric(
        "Loss",
        f"{scores.log_loss:.3f}",
        width="content",
        help="Mean of -ln(probability of the truth); guessing: 0.693.",
    )


def _recorded(scores: Scores) -> None:
    """Show what a model scored when it was made."""
    numbers, matrix = st.columns([1, 2], gap="large")
    with numbers:
        _scores(scores)
        st.caption(f"Measured once, on the {scores.images:,} pictures kept aside when it was trained.")
    with matrix.container(key="stored_confusion_matrix"):
        st.plotly_chart(
            score_charts.confusion_matrix(scores.confusion),
            config=PLOT,
            key="stored_confusion_matrix_chart",
            alt=errors.in_words(scores.confusion),
        )


def _result(running: measurement.Measurement, result: Evaluation, card: models.ModelCard, data: str) -> None:
    """Show what a measurement has found; a fragment, so that a moved slider draws nothing else anew."""
    with st.container(horizontal=True, gap="medium"):
        _scores(result)
        auc = curves.roc_auc(result)
        st.metric(
            "AUC", "–" if auc is None else f"{auc:.3f}", width="content",
            help="How often a random dog seems more of a dog to it than a random cat; guessing: 0.5.",
        )  # fmt: skip
        st.metric(
            "Calibration error", f"{curves.calibration_error(result) * 100:.1f} %", width="content",
            help="How far what it says (“90 % sure”) is from what comes true, on the average answer; best: 0.",
        )  # fmt: skip
        if result.refused is not None:
            st.metric(
                "Called neither", f"{result.refused / result.images * 100:.1f} %", width="content",
                help="It says that it sees neither cat nor dog. The other scores count what it would say if it had to.",
            )  # fmt: skip
    skipped = result.skipped + len(running.broken)
    st.caption(f"On {result.images:,} pictures" + (f"; {skipped:,} broken ones were left out." if skipped else "."))
    if data == data_source.DRAWN and card.facts.get("data") != data_source.DRAWN:
        st.caption(
            "These pictures are drawn. A model that learned from photos has never seen a drawing: what it learned "
            "need not help it here."
        )
    with st.container(horizontal=True):
        st.download_button(
            "Every prediction as CSV", result.predictions.to_csv(index=False), f"{card.name}-predictions.csv",
            "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if st.button(
            "Measure again", icon=":material/refresh:",
            help="For a folder whose pictures have changed. The answers to unchanged pictures are remembered.",
        ):  # fmt: skip
            measurement.forget(running)
            st.rerun()
    errors.show(result, card.name)
    st.header("The worst mistakes", divider="gray")
    wrong = mistakes(result, MOST_MISTAKES)
    if wrong.empty:
        st.success("None: it got every one of these pictures right.")
        return
    st.markdown("Wrong, and most sure of it. What might have misled it?")
    gallery.show(wrong)


main()
