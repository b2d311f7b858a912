"""The Keras line behind a page."""

import streamlit as st


def show(code: str, title: str = "The same in Keras") -> None:
    """Show `code`, Python that runs as it stands, with a button that copies it."""
    with st.expander(title, icon=":material/code:"):
        st.code(code.strip(), language="python", wrap_lines=True)
