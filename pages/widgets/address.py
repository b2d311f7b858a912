"""Selectboxes that the address names by value: Streamlit's binding would write the label, which changes with the
accuracy, the time zone and the language.

Call `read` before the widget and `write` after it; give the widget ``persist_state="session"``.
"""

from collections.abc import Container

import streamlit as st


def read(key: str, options: Container[str]) -> None:
    """Take a new choice from the address, and drop a choice that is no longer among the options."""
    state, asked = st.session_state, st.query_params.get(key)
    if asked in options and asked != state.get(_last(key)):
        state[key] = asked
    elif key in state and state[key] not in options:
        del state[key]


def new(key: str) -> str | None:
    """Return a text of the address that this session has not seen, and remember it; else None."""
    asked = st.query_params.get(key)
    if asked is None or asked == st.session_state.get(_last(key)):
        return None
    st.session_state[_last(key)] = asked
    return asked


def write(key: str, value: str, default: str | None) -> None:
    """Write the choice into the address, unless it is the default. With None as the default it is always written."""
    if value == default:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value
    st.session_state[_last(key)] = st.query_params.get(key)


def _last(key: str) -> str:
    return f"{key}_in_address"
