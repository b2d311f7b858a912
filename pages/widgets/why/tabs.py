"""Why a model says so: four ways to look for the reason. Each is computed only while it is looked at."""

from typing import NamedTuple

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.models import ModelCard, Prediction
from pages.widgets.why import asked, side_by_side, what_if
from pages.widgets.why import layers as walk


class Case(NamedTuple):
    """Who was asked about what, and what the answer was."""

    card: ModelCard
    stamp: int
    image: np.ndarray
    shown: np.ndarray
    """The photo, shrunk to what a screen shows."""
    name: str
    prediction: Prediction

    @property
    def likelier(self) -> str:
        """Cat or dog, also where the verdict is neither."""
        return max(self.prediction.probabilities, key=self.prediction.probabilities.__getitem__)


def show(case: Case) -> None:
    """Draw the tabs, and what the open one holds."""
    st.subheader("Why?", anchor=False)
    sections = {
        "Where it looks": _heat_map,
        "What if?": what_if.show,
        "Layer by layer": walk.show,
        "Two models": side_by_side.show,
    }
    tabs = st.tabs(list(sections), key="why", on_change="rerun", bind="query-params")
    for tab, section in zip(tabs, sections.values(), strict=True):
        if tab.open:
            with tab:
                section(case)


@st.fragment
def _heat_map(case: Case) -> None:
    from cnn_core.explain import overlay

    photo, words = st.columns([2, 3], gap="medium")
    with words:
        label = st.segmented_control(
            "Show what speaks for", list(case.prediction.probabilities), default=case.likelier, required=True,
            format_func=str.title, key=f"why_{case.likelier}",
        )  # fmt: skip
        opacity = st.slider("Opacity of the heat map", 0, 100, 55, 5, format="%d %%", key="heat_opacity")
        st.markdown(
            f"The brighter a place, the more it raised the network's score for **{label}**: its last convolution found "
            "something there. Places that stay dark did not count, or spoke against it."
        )
        st.caption(
            "This is Grad-CAM ([Selvaraju et al., 2017](https://arxiv.org/abs/1610.02391)): the last feature maps, "
            "each weighted by how strongly the score follows it. A bright sofa behind a cat tells you that it was "
            "right for the wrong reason."
        )
    with photo.container(key="heat_map"):
        try:
            heat = asked.heat(case.card.name, case.stamp, case.shown, label)
        except CnnLabError as error:
            st.info(str(error))
            return
        st.image(
            overlay(case.shown, heat, opacity / 100), width="stretch", alt=f"The photo with the heat map for {label}"
        )
        if not heat.any():
            st.caption(f"Nothing in this photo speaks for {label}.")
