"""How a network's two scores become the percentages of its verdict: the softmax, with this photo's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from cnn_core.wording import percent, tex
from pages.widgets.why.case import Case

if TYPE_CHECKING:
    from cnn_core.explain import Softmax


def show(case: Case) -> None:
    """Draw the fold. Only an open one asks the network for its scores."""
    fold = st.expander("How the percentage is computed", key="softmax_fold", on_change="rerun")
    if fold.open:
        with fold:
            with st.spinner("Asking the network for its scores…"):
                steps = case.scores()
            _softmax(steps, case.likelier)


def _softmax(steps: Softmax, label: str) -> None:
    """Write the softmax of `label` as a formula, with these scores."""
    other = next(name for name in steps.scores if name != label)
    said = " and ".join(f"**{name} {steps.scores[name]:.3f}**".replace("-", "−") for name in steps.scores)
    st.markdown(
        f"The network's last layer gives a **score** for each class, for this photo {said}. A score can be any number."
        if steps.network_ends_in_softmax
        else f"This network has no softmax at its end. The logarithms of its answers are used as scores: {said}."
    )
    st.markdown(
        "The **softmax** turns the scores into shares. It takes *e* = 2.718… to the power of each score, so that both "
        "become positive. Then it divides each by their sum, so that together they are 100 %:"
    )
    if steps.shift:
        st.markdown(
            f"These scores are large. So {steps.shift:.3f} is first subtracted from both, which does not change the "
            "shares."
        )
    powers = [f"e^{{{steps.exponents[name]:.3f}}}" for name in (label, other)]
    share = percent(steps.probabilities[label]).replace("\N{NO-BREAK SPACE}%", r"\ \%")
    numbers = [tex(steps.powers[name]) for name in (label, other)]
    names = [f"e^{{\\text{{{name}}}}}" for name in (label, other)]
    fractions = [rf"\dfrac{{{one}}}{{{one} + {two}}}" for one, two in (names, powers, numbers)]
    formula = r" \\[1em] &= ".join([*fractions, rf"\text{{{share}}}"])
    st.latex(rf"\begin{{aligned}} p(\text{{{label}}}) &= {formula} \end{{aligned}}")
    st.markdown(
        "Only the difference between the scores matters. When a class gets one point more, it becomes *e* times as "
        "likely, compared with the other class. So a percentage can be high although the photo shows neither."
    )
    if steps.calibrated:
        st.markdown(
            "These scores are **calibrated**: after training, they were divided by one number, the *temperature*. With "
            "it, about nine in ten answers that are 90 % sure are right. It is part of the last layer's weights."
        )
