"""Who is at the door: an account, or else a signed cookie that the browser keeps, and the space that it opens."""

from collections import OrderedDict
from http.cookies import SimpleCookie
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnn_core import CnnLabError
from cnn_core.host import spaces, tickets
from pages.widgets.host import account

COOKIE = "cnn_lab_space"
SECONDS = 180 * 24 * 3600
"""How long a browser keeps it: longer than the server keeps what is in the space."""

MOST_SESSIONS = 10_000

_shown: OrderedDict[str, str] = OrderedDict()


class NobodyError(CnnLabError):
    """Something of a visitor was asked for where nobody knows which visitor."""


def home() -> Path:
    """Return the space of the visitor whose script this thread runs: of the page, a fragment or a callback.

    Raises
    ------
    NobodyError
        In any other thread. It never falls back on somebody else's home.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        raise NobodyError("This part of the page does not know which visitor it belongs to. Reload the page.")
    return spaces.folder(_name(context.session_id)).absolute()


def ticket() -> str | None:
    """Return what the browser of this session has shown; None without a cookie, or once the browser has gone."""
    return st.context.cookies.get(COOKIE)


def _name(session: str) -> str:
    """Return the name of the session's space: a script may still run when its browser has gone."""
    if account.set_up():
        return account.space() or tickets.for_session(session)
    if name := tickets.holder(ticket()):
        _shown[session] = name
        while len(_shown) > MOST_SESSIONS:
            _shown.popitem(last=False)
        return name
    return _shown.get(session) or tickets.for_session(session)


class Cookies:
    """ASGI middleware that gives a browser a ticket with each page, unless it has shown a good one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the cookie to the answer when that is a page."""
        if scope["type"] != "http" or tickets.holder(_cookie(scope)):
            await self.app(scope, receive, send)
            return

        async def give(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", cookie(scope, tickets.issue()))
                    headers["cache-control"] = "no-store"  # a proxy must not give one visitor's cookie to all
            await send(message)

        await self.app(scope, receive, give)


def _cookie(scope: Scope) -> str | None:
    found = SimpleCookie()
    try:
        found.load(Headers(scope=scope).get("cookie", ""))
    except Exception:  # whatever somebody has sent
        return None
    return found[COOKIE].value if COOKIE in found else None


def cookie(scope: Scope, shown: str) -> str:
    """Write the header that gives a browser this ticket in the answer to a request."""
    encrypted = scope.get("scheme") == "https" or Headers(scope=scope).get("x-forwarded-proto") == "https"
    secure = "; Secure" if encrypted else ""
    return f"{COOKIE}={shown}; Max-Age={SECONDS}; Path=/; HttpOnly; SameSite=Lax{secure}"
