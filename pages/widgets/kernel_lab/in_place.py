"""A lab in its place on a page; ordinary controls there where the visitor's browser does not run it."""

from collections.abc import Callable

import streamlit as st

from cnn_core.wording import plain
from pages.widgets.kernel_lab import mount


def show(name: str, lab: Callable[[], None], ordinary: Callable[[], None], warning: str | None = None) -> bool:
    """Show the lab of that name, or the ordinary controls, and below them what the address asks for in vain.

    Parameters
    ----------
    name : str
        One of `mount.LABS`.
    lab, ordinary : callable
        Mount the lab, and draw the ordinary controls. The lab is mounted in any case: it may still come.
    warning : str, optional
        A sentence to show.

    Returns
    -------
    bool
        Whether the ordinary controls stand there.
    """
    place, without_lab = st.container(), st.empty()
    with without_lab.container():
        refused = mount.refused(name)
        if refused:
            st.html(f"<style>.st-key-{name}_refused {{display: none}}</style>")
            ordinary()
        if warning:
            st.warning(plain(warning))
    if mount.ready(name) and not warning:
        without_lab.empty()  # else Streamlit may leave the placeholder there
    with place.container(key=f"{name}_refused") if refused else place:
        lab()
    return refused
