"""The Keras code that does what a page shows."""

import streamlit as st


@st.fragment
def show(code: str, key: str = "code", title: str = "The same in Keras") -> None:
    """Show Python code behind a fold, with a button that copies it.

    Only an open fold holds it: to color code, a browser loads 1.5 MB of script, a quarter of what a lesson costs it.

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
