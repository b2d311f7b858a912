"""Move the page up to the status of the training that has just begun: its button may be a screen or more below."""

import time

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
    # A browser runs again only what is new: the time tells this start from the last one.
    st.html(f"<script>{SCRIPT}</script><i hidden>{time.time_ns()}</i>", unsafe_allow_javascript=True)
