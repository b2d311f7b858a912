"""Lesson 6: how often a model is right, and which pictures it gets wrong."""

import streamlit as st

from cnn_core import curves, models
from cnn_core.data_files.corrections import Corrections
from cnn_core.evaluation import Evaluation, mistakes
from cnn_core.figures import scores as score_charts
from cnn_core.figures.layout import NO_BUTTONS
from cnn_core.model_io.cards import Scores, recorded
from cnn_core.scripts import lessons
from cnn_core.source import DRAWN, Source
from cnn_core.storage.files import safe_name
from cnn_core.wording import percent, plain
from pages.widgets import address, background, code_panel, controls, correction_list, data_source, exports
from pages.widgets.measure import correct, errors, gallery, measurement

REFRESH = 0.5
MAX_MISTAKES = 10

SCORES = """
- **Accuracy**: the share of pictures that the model classifies correctly. Guessing gives 50 %.
- **Loss** (log loss): the mean of −ln(probability that the model gives to the true class). Lower is better, and a
  confident mistake costs the most. Guessing gives 0.693.
- **AUC**: the probability that a random dog gets a higher dog score than a random cat. Guessing gives 0.5; 1 is
  perfect.
- **Calibration error**: the mean difference between the model's confidence (“90 % sure”) and its accuracy at this
  confidence. 0 is best.
"""


def main() -> None:
    """Choose a model; what it scored when it was made, then its scores and worst mistakes on pictures you choose."""
    st.markdown(
        "A model is tested on pictures that it has **never learned from**. The **confusion matrix** counts its right "
        "and wrong answers for each class."
    )
    with st.expander("What the scores mean", icon=":material/help:"):
        st.markdown(SCORES)
    cards = {card.name: card for card in models.list_models()}
    if not cards:
        st.info("There is no model yet. Train one on the page Train, then test it here.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
        return
    names = list(cards)
    address.read(controls.MODEL.name, names, names[0])
    name = st.selectbox("Model", names, format_func=lambda name: cards[name].title, **address.menu(controls.MODEL.name))
    address.write(controls.MODEL.name, name, names[0])
    card = cards[name]
    st.write(plain(card.text))
    if scores := recorded(card.facts):
        _recorded(scores)
        exports.model_card(card)
    st.header("Measure it yourself", divider="gray")
    controls.warn(controls.MEASURED, controls.SUBSET, data_source.offered())
    data = data_source.choose()
    left, right = st.columns(2, gap="large")
    images = left.selectbox("Maximum number of pictures", **controls.MEASURED.menu)
    subset = right.selectbox(
        "Part of the pictures",
        help="The test set: the pictures that a training run keeps for testing and does not learn from.",
        **controls.SUBSET.menu,
    )
    if data:
        _measure(card, data, images, subset)
    else:
        st.info("Choose pictures above. The scores appear here.")
    code_panel.show(lessons.evaluation(name, Source(data or DRAWN).shown, subset, images))


def _measure(card: models.ModelCard, data: str, images: int | None, subset: str) -> None:
    state = (card.path.stat().st_mtime_ns, data_source.changed(data))
    running = measurement.measure(card.name, data, images, subset, state)
    if not running.ready(0.3):
        st.fragment(_progress, run_every=REFRESH)(running)
        return
    if running.result is None:
        st.error(plain(running.error))
        if st.button("Measure again", icon=":material/refresh:"):
            background.forget(running)
            st.rerun()
        return
    st.fragment(_result)(running, running.result, card, data)


def _progress(running: measurement.Measurement) -> None:
    if running.ready():
        st.rerun()
    st.progress(running.share, running.says)
    st.button("Stop measuring", on_click=running.stop, icon=":material/stop:")


def _scores(scores: Scores | Evaluation) -> None:
    st.metric(
        "Accuracy", percent(scores.accuracy, counted=True), width="content",
        help="The share of pictures that the model classifies correctly. Guessing gives 50 %.",
    )  # fmt: skip
    st.metric(
        "Loss", f"{scores.log_loss:.3f}", width="content",
        help="Mean of −ln(probability of the true class). Guessing gives 0.693.",
    )  # fmt: skip


def _recorded(scores: Scores) -> None:
    """Show what a model scored when it was made."""
    numbers, matrix = st.columns([1, 2], gap="large")
    with numbers:
        _scores(scores)
        st.caption(f"Measured once, on {scores.images:,} test pictures that were not used for training.")
    with matrix.container(key="stored_confusion_matrix"):
        st.plotly_chart(
            score_charts.confusion_matrix(scores.confusion),
            config=NO_BUTTONS,
            key="stored_confusion_matrix_chart",
            alt=errors.in_words(scores.confusion),
        )


def _result(running: measurement.Measurement, asked: Evaluation, card: models.ModelCard, data: str) -> None:
    """Show what a measurement has found; a fragment, so that a moved slider redraws nothing else."""
    known = correction_list.of(Source(data))
    if known is None:
        return
    result = measurement.corrected(running, asked, known)
    if not result.images:
        st.info("All of these pictures are left out. Undo a correction below, or choose other pictures.")
        correction_list.show(data, known)
        return
    with st.container(horizontal=True, gap="medium"):
        _scores(result)
        auc = curves.roc_auc(result)
        st.metric(
            "AUC", "–" if auc is None else f"{auc:.3f}", width="content",
            help="The probability that a random dog gets a higher dog score than a random cat. Guessing gives 0.5.",
        )  # fmt: skip
        st.metric(
            "Calibration error", percent(curves.calibration_error(result)), width="content",
            help="Mean difference between the model's confidence (“90 % sure”) and its accuracy. 0 is best.",
        )  # fmt: skip
        if result.refused is not None:
            st.metric(
                "Called neither", percent(result.refused / result.images, counted=True), width="content",
                help="Pictures in which the model sees neither cat nor dog. The other scores count them too, as the "
                "class with the higher probability.",
            )  # fmt: skip
    skipped = result.skipped + len(running.broken)
    st.caption(f"On {result.images:,} pictures" + (f". Broken and left out: {skipped:,}." if skipped else "."))
    if data == DRAWN and card.facts.get("data") != DRAWN:
        st.caption(
            "These pictures are drawn. A model trained on photos has not seen drawings, so its scores may be low here."
        )
    with st.container(horizontal=True):
        st.download_button(
            "Download all predictions (CSV)", result.predictions.to_csv(index=False),
            f"{safe_name(card.name)}-predictions.csv", "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if st.button(
            "Measure again", icon=":material/refresh:",
            help="Use this when pictures in the folder have changed. The answers for unchanged pictures are kept.",
        ):  # fmt: skip
            background.forget(running)
            st.rerun()
    errors.show(result, card.name)
    st.header("The most confident mistakes", divider="gray")
    wrong = mistakes(result, MAX_MISTAKES)
    if wrong.empty:
        st.success("There are none: the model classified every picture correctly.")
    else:
        st.markdown("Wrong answers with the highest probability first. What might have misled the model?")
        gallery.show(wrong, None if data == DRAWN else correct.buttons(data, running.folder))
    if data != DRAWN:
        _corrections(data, known, not wrong.empty)


def _corrections(data: str, known: Corrections, mistakes_shown: bool) -> None:
    correction_list.show(data, known)
    if known:
        st.page_link(
            "pages/train.py",
            label="Train again with the corrected pictures",
            icon=":material/model_training:",
            query_params=data_source.link_to(data),
        )
    elif mistakes_shown:
        st.caption(
            "Is a label wrong, or does a picture show neither? Correct it with the buttons, then train again. The "
            "photos themselves are not changed, and you can undo every correction."
        )


main()
