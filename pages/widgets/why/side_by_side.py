"""Two models look at the same photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.models import ModelCard, find, list_models
from pages.widgets import verdict
from pages.widgets.why import asked

if TYPE_CHECKING:
    from pages.widgets.why.tabs import Case


@st.fragment
def show(case: Case) -> None:
    """Ask for the other model, and show both verdicts with their heat maps."""
    others = {card.name: card for card in list_models() if card.name != case.card.name}
    if not others:
        st.info("There is only one model so far. Train a second one on the page Train, or upload a .keras file below.")
        return
    place, label_place = st.columns([2, 3], gap="medium")
    if st.session_state.get("other_model") not in others:
        st.session_state["other_model"] = next(iter(others))
    other = place.selectbox(
        f"Compare {case.card.title} with", list(others), format_func=lambda name: others[name].title, key="other_model",
    )  # fmt: skip
    choices = ["its own verdict", *case.prediction.probabilities]
    choice = label_place.segmented_control(
        "Show what speaks for", choices, default=choices[0], required=True, format_func=str.capitalize, key="other_why"
    )
    with st.container(key="side_by_side"):
        for column, card in zip(st.columns(2, gap="medium"), (case.card, others[other]), strict=True):
            with column:
                try:
                    _one(case, card, choice)
                except CnnLabError as error:
                    st.error(str(error))
    st.caption(
        "Where two models disagree, look at what each of them goes by. The one that is right more often on photos it "
        "has never seen deserves more trust; the page Evaluate measures that."
    )


def _one(case: Case, card: ModelCard, choice: str) -> None:
    from cnn_core.explain import overlay

    stamp = find(card.name).path.stat().st_mtime_ns
    with st.spinner(f"{card.title} is looking…"):
        prediction = asked.predict(card.name, stamp, case.image)
        likelier = max(prediction.probabilities, key=prediction.probabilities.__getitem__)
        label = choice if choice in prediction.probabilities else likelier
        st.markdown(f"**{card.title}**")
        st.markdown(f"### {prediction.sentence}")
        verdict.bars(prediction.probabilities)
        try:
            heat = asked.heat(card.name, stamp, case.shown, label)
        except CnnLabError as error:
            st.info(str(error))
            return
    st.image(
        overlay(case.shown, heat, 0.55), width="stretch", alt=f"The photo with the heat map of {card.title} for {label}"
    )
    st.caption(f"What spoke for {label}." if heat.any() else f"Nothing in this photo speaks for {label}.")
