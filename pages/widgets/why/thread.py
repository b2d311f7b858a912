"""One number, one thread: choose a number of a layer, and follow it back, sum by sum, to the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS
from pages.widgets.kernel_lab import mount
from pages.widgets.why import thread_drawing, thread_ordinary
from pages.widgets.why.case import Case

if TYPE_CHECKING:
    from cnn_core.thread import Knot
    from cnn_core.walk import Strongest

LAB = "thread_lab"

Stop = dict[str, Any]
"""Where the thread has been: ``layer``, ``at``, and, once chosen, ``which`` input map and ``cell`` of its window."""

_STATE = "thread"
_STYLE = f"<style>.st-key-{LAB}_refused {{display: none}}</style>"
_MOST_STOPS = 1000


@st.fragment
def show(case: Case, found: Strongest, at: int) -> None:
    """Show one number of a layer and the way back from it. It begins with the strongest number of `found`'s map."""
    from cnn_core.thread import first_place

    place = first_place(found, at)
    start: Stop = {"layer": place.layer, "at": list(place.at)}
    state = _state((case.card.name, case.stamp, place.layer, place.at), case, start)
    st.markdown("### One number, one thread")
    st.markdown(
        "Every number of this layer is a sum. Choose a number, see what it is made of, and follow it back from layer "
        "to layer, to the pixels of the photo. Rows and columns are counted from 0."
    )
    try:
        knot = _follow(case, state["path"][-1])
    except CnnLabError as error:
        st.error(str(error))
        state["path"] = [start]
        knot = _follow(case, start)
    drawing = thread_drawing.drawing(knot, state["path"], _classes(found))

    def take(sent: Any) -> None:
        path = _checked(sent)
        if path:
            state.update(path=path, turn=sent.get("turn"))

    lab, without_lab = st.container(), st.empty()
    with without_lab.container():
        refused = mount.refused(LAB)
        if refused:
            st.html(_STYLE)
            thread_ordinary.show(knot, drawing, lambda path: state.update(path=path))
    with lab.container(key=f"{LAB}_refused") if refused else lab:
        mount.thread(knot.photo, case.name, {**drawing, "turn": state.get("turn")}, take)


def _classes(found: Strongest) -> str:
    """Return the name of the layer if its numbers are those of cat and dog, else nothing."""
    return found.layer if found.values.ndim == 1 and found.total == len(LABELS) else ""


def _follow(case: Case, stop: Stop) -> Knot:
    return case.follow(stop["layer"], tuple(stop["at"]), stop.get("which"), stop.get("cell"))


def _state(identity: tuple, case: Case, start: Stop) -> dict[str, Any]:
    """Return the thread of this session. Another model, photo, layer or map on the page begins another one."""
    state = st.session_state.get(_STATE)
    if state is None or state["of"] != identity or state["image"] is not case.image:
        state = {"of": identity, "image": case.image, "path": [start]}
        st.session_state[_STATE] = state
    return state


def _checked(sent: Any) -> list[Stop]:
    """Return the path that a browser has sent, or nothing. Whether its places exist, the library checks."""

    def whole(values: Any, most: int) -> bool:
        return isinstance(values, list) and len(values) <= most and all(type(value) is int for value in values)

    path = []
    for stop in sent.get("path", [])[:_MOST_STOPS] if isinstance(sent, dict) else []:
        which, cell = stop.get("which"), stop.get("cell")
        if not (
            isinstance(stop.get("layer"), str) and whole(stop.get("at"), 3) and whole([which or 0, *(cell or [])], 3)
        ):
            return []
        path.append({"layer": stop["layer"], "at": stop["at"], "which": which, "cell": cell and tuple(cell)})
    return path
