"""What the address names without Streamlit's binding.

Selectboxes by value: Streamlit would write the label, which changes with the accuracy, the time zone and the language.
Call `read` before the widget and `write` after it; give the widget the arguments of `menu`.

A state of the session that has several controls, such as the bench of a lab: `read_all`, `choices`, `checked`.

What the address leaves out is the default. But a click on the menu leads to an address without anything, and must keep
the visitor's work: so what is left out counts only after the browser's Back or Forward (`left_out`).
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.widgets import in_vain
from pages.widgets.control_types import Control


def left_out(key: str) -> bool:
    """Tell whether the browser's Back or Forward has led to an address that does not have this key."""
    return _by_history() and _shown(key) is None


def menu(key: str) -> dict[str, Any]:
    """Return what a selectbox needs besides its label and its options."""
    return {"key": key, "persist_state": "session", "on_change": in_vain.forget}


def read(key: str, options: Container[str], default: str) -> None:
    """Take a new choice from the address, or the default where there is none or it is no longer among the options.

    The default is said by name: a browser would keep the label of an option that has gone. A warning is drawn where a
    new address names none of the options.
    """
    state, asked = st.session_state, _shown(key)
    if asked == state.get(_last(key)):  # not a new one
        asked = None
    if asked in options:
        state[key] = asked
    elif left_out(key) or state.get(key) not in options:
        state[key] = default
    if asked is not None and asked not in options:
        in_vain.say_unknown(key, {key: asked})
    in_vain.show(key)


def new(key: str, default: str | None = None) -> str | None:
    """Return a text of the address that this session has not seen, and remember it; else None.

    Where the key is left out, that is the default.
    """
    asked = default if left_out(key) else _shown(key)
    if asked is None or asked == st.session_state.get(_last(key)):
        return None
    st.session_state[_last(key)] = asked
    return asked


def write(key: str, value: str, default: str | None) -> None:
    """Write the choice into the address, unless it is the default. With None as the default it is always written."""
    write_together([(key, value, default)])


def write_together(choices: Iterable[tuple[str, str, str | None]]) -> None:
    """Write each key, value and default as `write` does, as one change: one press of the browser's Back undoes it.

    The address that Back or Forward has led to is left as it is: a change would be a new page of the browser's history,
    and nobody could get back past it.
    """
    changed: dict[str, str | list[str]] = {}
    for key, value, default in choices:
        wanted = None if value == default else value
        if _shown(key) != wanted:
            changed[key] = [] if wanted is None else wanted  # with no values, a key is not in the address
        st.session_state[_last(key)] = wanted
    if changed and not _by_history():
        st.query_params.update(changed)


def read_all(state: dict[str, Any], controls: Mapping[str, Control]) -> list[str]:
    """Take over what a new address asks for. Return what of it no control offers, as ``name=value``.

    `controls` says under which key of `state` the value of each control is kept.
    """
    refused = []
    for name, control in controls.items():
        if left_out(control.name):
            state[name] = getattr(control, "default", None)
        elif (asked := new(control.name)) is not None:
            try:
                state[name] = control.read(asked)
            except (ValueError, LookupError):
                refused.append(f"{control.name}={asked[:60]}")
    return refused


def choices(state: Mapping[str, Any], controls: Mapping[str, Control]) -> Iterator[tuple[str, str, str | None]]:
    """Yield what `write_together` needs to write the state into the address, so that the link shows it again."""
    for name, control in controls.items():
        default = getattr(control, "default", None)
        text = "" if state[name] is None else control.write(state[name])
        yield control.name, text, "" if default is None else control.write(default)


def checked(control: Control, value: Any) -> Any:
    """Return a value that a browser has sent for a control, as the control reads it.

    Raises
    ------
    ValueError, LookupError, TypeError
        When the control does not offer it.
    """
    return control.read(control.write(value))


def _by_history() -> bool:
    return getattr(get_script_run_ctx(), "is_history_navigation", False)


def _shown(key: str) -> str | None:
    return next(reversed(st.query_params.get_all(key)), None)


def _last(key: str) -> str:
    return f"{key}_in_address"
