"""What the server says to browsers for the visitors' safety, and where uploads stay. SECURITY.md tells the whole."""

import base64
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRAMED_BY = "CNN_LAB_FRAMED_BY"
"""The variable with the addresses, apart from its own, whose pages may show the app in a frame."""

MEMORY_BYTES = 32 * 2**20
"""A file of up to this size stays in memory while it is uploaded: every photo. The parser's own limit is 1 MB."""


def keep_photos_in_memory() -> None:
    """Let no upload of a photo pass through a temporary file."""
    MultiPartParser.spool_max_size = MEMORY_BYTES


def headers(scripts: Iterable[str] = ()) -> dict[str, str]:
    """Return the headers of every answer.

    Parameters
    ----------
    scripts : iterable of str
        Scripts that stand in the page itself. No other inline script runs, so one that a stranger's text brings along
        does not either.
    """
    known = " ".join(f"'sha256-{_sha256(script)}'" for script in [*_streamlits_own(), *scripts])
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' blob: {known}",  # Streamlit loads the labs from blobs
        "style-src": "'self' 'unsafe-inline'",  # Streamlit and Plotly write styles into the page
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": f"'self' {os.environ.get(FRAMED_BY, '')}".strip(),
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    }


class Headers:
    """ASGI middleware that adds `headers` to every answer."""

    def __init__(self, app: ASGIApp, scripts: Iterable[str] = ()) -> None:
        self.app = app
        self.headers = headers(scripts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with its headers."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, answer)


def _streamlits_own() -> list[str]:
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    return re.findall(r"<script>(.*?)</script>", page.read_text("utf-8"), re.DOTALL)


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
