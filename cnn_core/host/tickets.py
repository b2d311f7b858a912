"""Tickets: what a visitor's browser shows so that it gets its own space again, and nobody else's.

A ticket is a random number and its signature. Only who knows the secret, a file that the server alone can read, can
make one. So a ticket can be neither guessed nor forged, and the server need not remember whom it gave one. A key is the
same for a link that a visitor keeps; `spaces` knows the number that it must have. Who signs in needs neither: the
account leads to its space.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cnn_core.storage import lock
from cnn_core.storage.files import host_home

SECRET = "secret"  # noqa: S105  (a name)
"""The file in the host's home."""


def issue() -> str:
    """Make a ticket for a visitor who has none."""
    return ticket_of(secrets.token_hex(16))


def ticket_of(space: str) -> str:
    """Make a ticket that opens the space of this name."""
    return _signed("ticket", space)


def holder(ticket: str | None) -> str | None:
    """Return the name of the space that a ticket opens; None for one that was not issued here."""
    return _opened("ticket", ticket)


def key_of(space: str, number: str) -> str:
    """Make the key to the space of this name that has this number. It is no ticket, and a ticket is no key."""
    return _signed("key", f"{space}-{number}")


def read_key(key: str | None) -> tuple[str, str] | None:
    """Return the name of the space and the number of a key; None for one that was not made here."""
    space, _, number = (_opened("key", key) or "").partition("-")
    return (space, number) if number else None


def for_account(issuer: str, subject: str) -> str:
    """Return the name of the space of an account: who signs the visitor in, and what the visitor is called there."""
    return _signature(f"account {json.dumps([issuer, subject])}")[:32]


def for_session(session: str) -> str:
    """Return the name of the space of a session whose browser keeps no ticket."""
    return _signature(f"session {session}")[:32]


def _signed(what: str, name: str) -> str:
    return f"{name}.{_signature(f'{what} {name}')}"


def _opened(what: str, shown: str | None) -> str | None:
    name, _, signature = (shown or "").partition(".")
    mine = signature.isascii() and hmac.compare_digest(signature, _signature(f"{what} {name}"))
    return name if mine else None


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
