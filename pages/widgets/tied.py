"""Widgets that show a state which is kept elsewhere in the session, and change it."""

from collections.abc import Callable
from typing import Any

import streamlit as st


def tied(widget: dict[str, Any], value: Any, change: Callable[[Any], None]) -> dict[str, Any]:
    """Return a widget's arguments so that it shows `value` and hands each choice to `change`.

    `widget` comes from the table of controls; the address is left to the state's owner.
    """
    key = widget["key"]
    st.session_state[key] = value
    own = {name: argument for name, argument in widget.items() if name not in ("bind", "value", "default", "index")}
    return own | {"on_change": lambda: change(st.session_state[key])}
