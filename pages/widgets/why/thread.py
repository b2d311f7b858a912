"""Follow one number back: choose a number of a layer, and follow it back, sum by sum, to the photo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS
from cnn_core.wording import plain
from pages.widgets import address, controls, in_vain
from pages.widgets.kernel_lab import in_place, mount
from pages.widgets.why import thread_drawing, thread_ordinary
from pages.widgets.why.case import Case

if TYPE_CHECKING:
    from cnn_core.thread import Knot
    from cnn_core.walk import Strongest

LAB = "thread_lab"

Stop = dict[str, Any]
"""Where the thread has been: ``layer``, ``at``, and, once chosen, ``which`` input map and ``cell`` of its window."""

_STATE, _ADDRESS = "thread_state", controls.THREAD.name
_STOP = re.compile(r"(.+):(\d{1,9}(?:,\d{1,9}){0,2})(?:@(\d{1,9}),(\d{1,9}),(\d{1,9}))?")
_MOST_STOPS = 300


@st.fragment
def show(case: Case, found: Strongest, at: int) -> None:
    """Show one number of a layer and the way back from it. It begins with the largest number of `found`'s map."""
    from cnn_core.thread import first_place

    place = first_place(found, at)
    start: Stop = {"layer": place.layer, "at": list(place.at)}
    state = _state(case, start)
    st.markdown("### Follow one number back")
    st.markdown(
        "Every number of this layer is a sum. Choose a number, see what it is made of, and follow it back from layer "
        "to layer, to the pixels of the photo. Rows and columns are counted from 0."
    )
    try:
        knot = _follow(case, state["path"][-1])
    except CnnLabError as error:
        st.error(plain(error))
        state["path"] = [start]
        knot = _follow(case, start)
    classes = found.layer if found.values.ndim == 1 and found.total == len(LABELS) else ""
    drawing = thread_drawing.drawing(knot, state["path"], classes)
    address.write(_ADDRESS, _written(state["path"]), _written([start]))

    def go(path: list[Stop]) -> None:
        in_vain.forget()
        state["path"] = path

    def take(sent: Any) -> None:
        if path := checked(sent):
            go(path)
            state["turn"] = sent.get("turn")

    in_place.show(
        LAB,
        lambda: mount.thread(knot.photo, case.name, {**drawing, "turn": state.get("turn")}, take),
        lambda: thread_ordinary.show(knot, drawing, go),
        in_vain.said(_ADDRESS),
    )


def _follow(case: Case, stop: Stop) -> Knot:
    return case.follow(stop["layer"], tuple(stop["at"]), stop.get("which"), stop.get("cell"))


def _state(case: Case, start: Stop) -> dict[str, Any]:
    """Return the thread of this session. A new address, model, photo, layer or map on the page begins another one."""
    state, of = st.session_state.get(_STATE), (case.card.name, case.stamp, start)
    if state is None or state["of"] != of or state["image"] is not case.image:
        st.session_state[_STATE] = state = {"of": of, "image": case.image, "path": [start]}
    if address.left_out(_ADDRESS):
        state["path"] = [start]
    elif text := address.new(_ADDRESS):
        if path := _read(text):
            state["path"] = path
        else:
            in_vain.say_unknown(_ADDRESS, {_ADDRESS: text}, "above")
    return state


def _written(path: list[Stop]) -> str:
    """Write a path for the address: ``conv_2:30,17,11@4,0,2/conv_1:61,35,4``."""
    return "/".join(
        f"{stop['layer']}:{','.join(map(str, stop['at']))}"
        + (f"@{stop['which']},{','.join(map(str, stop['cell']))}" if stop.get("cell") else "")
        for stop in path
    )


def _read(text: str) -> list[Stop]:
    """Read what `_written` has written; nothing where it is something else."""
    path = []
    for part in text.split("/")[:_MOST_STOPS]:
        if not (match := _STOP.fullmatch(part)):
            return []
        stop: Stop = {"layer": match[1], "at": [int(at) for at in match[2].split(",")]}
        if match[3]:
            stop |= {"which": int(match[3]), "cell": (int(match[4]), int(match[5]))}
        path.append(stop)
    return path


def checked(sent: Any) -> list[Stop]:
    """Return the path that a browser has sent, or nothing where it is none."""

    def whole(values: Any, *counts: int) -> bool:
        return isinstance(values, list) and len(values) in counts and all(type(value) is int for value in values)

    path = []
    stops = sent.get("path") if isinstance(sent, dict) else None
    for stop in stops[:_MOST_STOPS] if isinstance(stops, list) else []:
        if not (isinstance(stop, dict) and isinstance(stop.get("layer"), str) and whole(stop.get("at"), 1, 3)):
            return []
        which, cell = stop.get("which"), stop.get("cell")
        if not (which is None or whole([which], 1)) or not (cell is None or whole(cell, 2)):
            return []
        path.append({"layer": stop["layer"], "at": stop["at"], "which": which, "cell": cell and tuple(cell)})
    return path
