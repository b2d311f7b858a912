"""The Keras code that does what a page shows, and arrays as NumPy prints them, each behind a fold.

Only an open fold holds its text: to show code, a browser loads 1.5 MB of script, a quarter of what a lesson costs it.
"""

import streamlit as st


@st.fragment
def show(code: str, key: str = "code", title: str = "The same in Keras") -> None:
    """Show Python code behind a fold, with a button that copies it.

    Parameters
    ----------
    code : str
    key : str
        The fold's name, for a page with several of them.
    title : str
    """
    fold = st.expander(title, icon=":material/code:", key=key, on_change="rerun")
    if fold.open:
        fold.code(code.strip(), language="python", wrap_lines=True)


@st.fragment
def show_printed(text: str, key: str) -> None:
    """Show arrays as NumPy prints them, behind a fold of the name `key`, with a button that copies them."""
    fold = st.expander("As printed by NumPy", icon=":material/data_array:", key=key, on_change="rerun")
    if fold.open:
        fold.code(text, language=None)
