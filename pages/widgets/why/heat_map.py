"""Where it looks: the heat map of the photo, for either class."""

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.wording import plain
from pages.widgets import picture
from pages.widgets.screen_image import jpeg
from pages.widgets.why.case import Case

KEPT = 4
"""Heat maps of the last photo that a session keeps, about 60 KB each: people look from one class to the other."""


@st.fragment
def show(case: Case) -> None:
    """Ask for the class and the opacity; draw the heat map over the photo."""
    from cnn_core.explain import overlay

    photo, words = st.columns([2, 3], gap="medium")
    with words:
        label = st.segmented_control(
            "Show the evidence for", list(case.prediction.probabilities), default=case.likelier, required=True,
            format_func=str.title, key=f"why_{case.likelier}",
        )  # fmt: skip
        opacity = st.slider("Opacity of the heat map", 0, 100, 55, 5, format="%d %%", key="heat_opacity")
        st.markdown(f"Bright places raised the network's score for **{label}**. Dark places did not.")
        with st.expander("How the heat map is computed"):
            st.markdown(
                "This is Grad-CAM ([Selvaraju et al., 2017](https://arxiv.org/abs/1610.02391)). It adds up the feature "
                f"maps of the last convolution. Each map is weighted by how strongly the score for {label} depends on "
                "it. Places with a negative sum stay dark.\n\n"
                "A heat map can show that a network is right for the wrong reason: for example, when the sofa behind "
                "the cat is bright and the cat is dark."
            )
    with photo.container(key="heat_map"):
        try:
            heat = case.heat(label)
        except CnnLabError as error:
            st.info(plain(error))
            return
        drawn: dict[object, bytes] = picture.once("heat_maps", case.image, lambda _: {})
        asked = case.stamp, label, opacity
        if asked not in drawn:
            if len(drawn) == KEPT:
                drawn.clear()
            drawn[asked] = jpeg(overlay(case.shown, heat, opacity / 100))
        st.image(drawn[asked], width="stretch", alt=f"The photo with the heat map for {label}")
        if not heat.any():
            st.caption(f"No part of this photo raises the score for {label}.")
