"""Tickets: what a visitor's browser shows so that it gets its own space again, and nobody else's.

A ticket is a random number and its signature. Only who knows the secret, a file that the server alone can read, can
make one. So a ticket can be neither guessed nor forged, and the server need not remember whom it gave one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cnn_core.storage import lock
from cnn_core.storage.files import host_home

SECRET = "secret"
"""The file in the host's home."""


def issue() -> str:
    """Make a ticket for a visitor who has none."""
    name = secrets.token_hex(16)
    return f"{name}.{_signature(f'ticket {name}')}"


def holder(ticket: str | None) -> str | None:
    """Return the name of the space that a ticket opens; None for one that was not issued here."""
    name, _, signature = (ticket or "").partition(".")
    mine = signature.isascii() and hmac.compare_digest(signature, _signature(f"ticket {name}"))
    return name if mine else None


def for_session(session: str) -> str:
    """Return the name of the space of a session whose browser keeps no ticket."""
    return _signature(f"session {session}")[:32]


def _signature(text: str) -> str:
    return hmac.new(_secret(host_home()), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _secret(home: Path) -> bytes:
    path = home / SECRET
    home.mkdir(parents=True, exist_ok=True)
    with lock.locked(home):  # another server on the same home may start at the same time
        if not path.exists():
            beside = path.with_name(f".{SECRET}-{secrets.token_hex(4)}")
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
            beside.replace(path)
        return path.read_bytes()
