"""Two models classify the same photo."""

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.models import ModelCard, list_models
from cnn_core.wording import plain
from pages.widgets import verdict
from pages.widgets.why.case import Case


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
        f"Compare {plain(case.card.title)} with", list(others), key="other_model",
        format_func=lambda name: others[name].title,
    )  # fmt: skip
    choices = ["its own verdict", *case.prediction.probabilities]
    choice = label_place.segmented_control(
        "Show the evidence for", choices, default=choices[0], required=True, format_func=str.capitalize, key="other_why"
    )
    with st.container(key="side_by_side"):
        for column, card in zip(st.columns(2, gap="medium"), (case.card, others[other]), strict=True):
            with column:
                try:
                    _one(card, case, choice)
                except CnnLabError as error:
                    st.error(plain(error))
    st.caption(
        "Where two models disagree, compare their heat maps. Trust the one with the higher accuracy on test photos; "
        "the page Evaluate measures it."
    )


def _one(card: ModelCard, asked: Case, choice: str) -> None:
    from cnn_core.explain import overlay

    with st.spinner(f"{plain(card.title)} is classifying the photo…"):
        case = Case.ask(card, asked.image, asked.name)
        label = choice if choice in case.prediction.probabilities else case.likelier
        st.markdown(f"**{plain(card.title)}**")
        st.markdown(f"### {case.prediction.sentence}")
        verdict.bars(case.prediction.probabilities)
        try:
            heat = case.heat(label)
        except CnnLabError as error:
            st.info(plain(error))
            return
    st.image(
        overlay(case.shown, heat, 0.55), width="stretch", alt=f"The photo with the heat map of {card.title} for {label}"
    )
    st.caption(f"The evidence for {label}." if heat.any() else f"No part of this photo raises the score for {label}.")
