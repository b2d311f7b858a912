"""Why a model gives its answer: four explanations, a tab each. Only the open tab is computed."""

import streamlit as st

from pages.widgets import controls
from pages.widgets.why import heat_map, layers, side_by_side, what_if
from pages.widgets.why.case import Case


def show(case: Case) -> None:
    """Draw the tabs, and the content of the open one."""
    st.header("Why?", anchor=False)
    sections = (heat_map.show, what_if.show, layers.show, side_by_side.show)
    controls.warn(controls.WHY)
    tabs = st.tabs(list(controls.WHY.options), **controls.WHY.kept)
    for tab, section in zip(tabs, sections, strict=True):
        if tab.open:
            with tab:
                section(case)
