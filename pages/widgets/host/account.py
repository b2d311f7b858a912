"""Accounts: where the host has set up Streamlit's `st.login`, visitors sign in, and each account has one space."""

from collections.abc import Mapping
from functools import cache

import streamlit as st
from streamlit.auth_util import is_authlib_installed

from cnn_core.host import mode, start, tickets
from cnn_core.wording import plain

SECTION = "auth"
"""The section of Streamlit's secrets that says who signs the visitors in."""

NEEDED = ("client_id", "client_secret", "server_metadata_url")
SHORTEST = 32
"""Characters of the secret that signs the cookie of an account: who guesses it is everyone."""


@cache
def set_up() -> bool:
    """Tell whether the visitors of this server sign in. It is settled at start: the secrets are read once."""
    return mode.shared() and st.secrets.load_if_toml_exists() and SECTION in st.secrets


def check() -> None:
    """Check what the host has set up.

    Raises
    ------
    StartError
        With a sentence that says what to change.
    """
    if not set_up():
        return
    section = st.secrets[SECTION]
    if not is_authlib_installed():
        raise start.StartError(
            f"[{SECTION}] in Streamlit's secrets asks visitors to sign in, which needs another package. Install it "
            f"with “pip install streamlit[auth]”, or remove [{SECTION}]."
        )
    if not providers():
        raise start.StartError(f"[{SECTION}] in Streamlit's secrets lacks {', '.join(NEEDED)}. Add them, or remove it.")
    if not str(section.get("redirect_uri", "")).endswith("/oauth2callback"):
        raise start.StartError(
            f"redirect_uri in [{SECTION}] of Streamlit's secrets must be the address of this server, followed by "
            "/oauth2callback. Correct it."
        )
    if len(str(section.get("cookie_secret", ""))) < SHORTEST:
        raise start.StartError(
            f"cookie_secret in [{SECTION}] of Streamlit's secrets is too short: it must have at least {SHORTEST} "
            "characters. Choose a longer one."
        )


def providers() -> list[str]:
    """List who can sign a visitor in, by their names in the secrets; the one without a name is called ""."""
    section = st.secrets[SECTION]
    named = [name for name, value in section.items() if isinstance(value, Mapping) and _complete(value)]
    return ([""] if _complete(section) else []) + named


def space() -> str | None:
    """Return the name of the space of whoever has signed in; None while nobody has."""
    if not st.user.get("is_logged_in"):
        return None
    return tickets.for_account(str(st.user["iss"]), str(st.user["sub"]))


def name() -> str:
    """Return what the account is called."""
    return str(st.user.get("name") or st.user.get("email") or st.user["sub"])


def asks() -> bool:
    """Where visitors sign in and this one has not, ask for it and return True: there is nothing else to draw."""
    if not set_up() or space():
        return False
    st.markdown(
        "Sign in to use CNN Lab on this server. What you make here is then kept for your account: your trainings, "
        "models and uploads. Other visitors cannot see it."
    )
    for provider in providers():
        label = f"Sign in with {plain(provider.capitalize())}" if provider else "Sign in"
        st.button(label, key=f"sign_in_{provider}", type="primary", on_click=st.login, args=(provider or None,))
    return True


def _complete(section: Mapping[str, object]) -> bool:
    return all(section.get(name) for name in NEEDED)
