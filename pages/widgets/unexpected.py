"""An error that nobody foresaw: a number for the visitor, and under this number the traceback in the server's log."""

import logging
import secrets

import streamlit as st

_log = logging.getLogger("cnn_lab")


def number(error: BaseException) -> str:
    """Write the error and its traceback into the log, and return the number under which they stand there."""
    digits = f"{secrets.randbelow(10**6):06d}"
    _log.error("Error %s", digits, exc_info=error)
    return digits


def explain(error: Exception) -> bool:
    """Show the number in the place where the page or its part broke off, and no traceback. For `st.App`."""
    st.error(
        f"This part of the page could not be shown: something unexpected happened (error {number(error)}). Reload the "
        "page and try again. If it happens again, give this number to the person who runs this server: it "
        "is in the server's log."
    )
    return True
