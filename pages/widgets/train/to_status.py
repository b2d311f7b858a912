"""Move the page up to the status of the training that has just begun: its button may be a screen or more below."""

import streamlit as st

# The margin is for Streamlit's header, which covers the top.
SCRIPT = """{
    const status = document.querySelector(".st-key-training_status");
    status.style.scrollMarginTop = "5rem";
    status.scrollIntoView();
}"""
"""`protection.Headers` must know it, or no browser runs it."""


def scroll() -> None:
    """Go there now."""
    st.html(f"<script>{SCRIPT}</script>", unsafe_allow_javascript=True)
