"""The Keras code that does what a page shows."""

import streamlit as st


def show(code: str, title: str = "The same in Keras") -> None:
    """Show Python code behind a fold, with a button that copies it."""
    with st.expander(title, icon=":material/code:"):
        st.code(code.strip(), language="python", wrap_lines=True)
