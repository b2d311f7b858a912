"""A server that many share, for tests: two visitors, each with a cookie of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnn_core.host import limits, tickets
from cnn_core.storage import files
from pages.widgets.host import visitor


class Door:
    """Says whose browser is at the door."""

    def __init__(self) -> None:
        self.tickets: dict[str, str] = {}
        self.shown: str | None = None

    def comes(self, name: str) -> Path:
        """Let this visitor come in; return where their space is."""
        self.shown = self.tickets.setdefault(name, tickets.issue())
        return self.space(name)

    def space(self, name: str) -> Path:
        return files.host_home() / "spaces" / str(tickets.holder(self.tickets[name]))


@pytest.fixture
def door(tmp_path, monkeypatch) -> Door:
    """A shared server with an empty home; nobody has come yet."""
    for limit in limits.TABLE:
        monkeypatch.delenv(limit.variable, raising=False)
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CNN_LAB_MODE", "shared")
    found = Door()
    monkeypatch.setattr(visitor, "ticket", lambda: found.shown)
    files.ask_for_home(visitor.home)
    yield found
    files.ask_for_home(None)


@pytest.fixture
def at(door) -> Callable[[str], object]:
    """Return what lets a test do something as one of the visitors, without a page: ``with at("anna"): …``."""
    return lambda name: files.at_home(door.comes(name))
