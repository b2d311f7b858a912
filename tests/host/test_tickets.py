"""A ticket opens the space it was made for; whatever is not a ticket opens none."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_core.host import tickets


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_each_ticket_opens_one_space():
    issued = [tickets.issue() for _ in range(20)]
    holders = [tickets.holder(ticket) for ticket in issued]
    assert len(set(holders)) == 20
    assert None not in holders
    assert holders == [tickets.holder(ticket) for ticket in issued]
    assert all(name.isalnum() for name in holders)


def test_a_changed_or_shortened_ticket_opens_nothing():
    ticket = tickets.issue()
    for place in range(len(ticket)):
        other = "0" if ticket[place] != "0" else "1"
        assert tickets.holder(ticket[:place] + other + ticket[place + 1 :]) is None
        assert tickets.holder(ticket[:place]) is None
    mine, yours = tickets.issue().split("."), tickets.issue().split(".")
    assert tickets.holder(f"{yours[0]}.{mine[1]}") is None


@given(st.text())
def test_nobody_comes_in_with_any_other_text(text):
    assert tickets.holder(text) is None
    assert tickets.holder(f"{text}.{text}") is None
    assert tickets.holder(f"../../{text}.{tickets.for_session(text)}") is None


def test_a_ticket_of_another_server_opens_nothing(monkeypatch, tmp_path):
    ticket = tickets.issue()
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "another"))
    assert tickets.holder(ticket) is None


def test_sessions_without_a_cookie_have_spaces_of_their_own():
    assert len({tickets.for_session("a"), tickets.for_session("b"), tickets.holder(tickets.issue())}) == 3
    assert tickets.for_session("a") == tickets.for_session("a")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights.")
def test_only_the_server_can_read_the_secret(home):
    tickets.issue()
    assert (home / tickets.SECRET).stat().st_mode & 0o777 == 0o600
