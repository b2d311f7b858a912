"""What the server promises for its visitors: headers, defaults, photos that stay in memory, errors by number."""

import asyncio
import logging
import re

import pytest
import streamlit as st
from starlette.formparsers import MultiPartParser
from starlette.responses import PlainTextResponse

import streamlit_app
from pages.widgets import picture, protection, unexpected


def answered() -> dict[str, str]:
    """The headers of an answer that has passed the middleware."""
    sent = []

    async def send(message) -> None:
        sent.append(message)

    app = protection.Headers(PlainTextResponse("hi", headers={"Cache-Control": "no-cache"}), scripts=["go()"])
    asyncio.run(app({"type": "http", "method": "GET", "path": "/", "headers": []}, None, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def policy() -> dict[str, list[str]]:
    rules = (rule.split() for rule in answered()["content-security-policy"].split(";"))
    return {name: sources for name, *sources in rules}


def test_every_answer_has_the_headers():
    headers = answered()
    assert headers["cache-control"] == "no-cache"  # those of the app stay
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=(self)" in headers["permissions-policy"]
    assert "microphone=()" in headers["permissions-policy"]


def test_no_script_runs_but_the_apps_own():
    scripts = policy()["script-src"]
    assert "'unsafe-inline'" not in scripts
    assert "'unsafe-eval'" not in scripts
    assert not [source for source in scripts if source.startswith("http") or source in ("*", "data:")]
    known = [source for source in scripts if source.startswith("'sha256-")]
    assert len(known) == 2  # Streamlit's own, and ours
    assert "'sha256-5KYv+PUboo5h+0+YAtGRPbwv5d/QxzHslP4YGnUaxRw='" in known  # openssl dgst -sha256 -binary | base64


def test_only_the_hosts_choice_may_frame_the_app(monkeypatch):
    assert policy()["frame-ancestors"] == ["'self'"]
    monkeypatch.setenv(protection.FRAMED_BY, "https://school.example")
    assert policy()["frame-ancestors"] == ["'self'", "https://school.example"]


@pytest.mark.parametrize("option", ["server.enableXsrfProtection", "server.enableCORS"])
def test_other_sites_are_kept_out(option):
    assert st.get_option(option) is True


def test_no_traceback_where_nobody_handles_an_error():
    assert st.get_option("client.showErrorDetails") == "none"


def test_a_photo_is_uploaded_without_a_temporary_file():
    assert streamlit_app.app  # which has asked for it
    assert MultiPartParser.spool_max_size >= picture.MEGABYTES * 2**20


def test_an_error_has_a_number_on_the_page_and_its_traceback_in_the_log(caplog):
    def fail() -> None:
        raise ValueError("/home/secret")

    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="secret") as caught:
        fail()
    digits = unexpected.number(caught.value)
    assert re.fullmatch(r"\d{6}", digits)
    assert digits in caplog.text
    assert "in fail" in caplog.text
    assert "/home/secret" in caplog.text
