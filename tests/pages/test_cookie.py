"""The cookie that leads a browser back to its space: given with a page, to who has none that is good."""

import asyncio
import re

import pytest

from cnn_core.host import tickets
from cnn_core.storage import files
from pages.widgets.host import metrics, visitor


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))


def ask(app, headers: dict[str, str] | None = None, **scope) -> tuple[int, dict[str, str], str]:
    """Send a request to an ASGI app; return status, headers and body of its answer."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    raw = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    usual = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw, "scheme": "http"}
    asyncio.run(app(usual | scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], {n.decode(): v.decode() for n, v in sent[0]["headers"]}, body.decode()


def page(kind: str = "text/html; charset=utf-8"):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]})
        await send({"type": "http.response.body", "body": b"page"})

    return visitor.Cookies(app)


def test_the_first_page_brings_a_cookie_that_opens_a_space_and_no_script_reads():
    _, headers, _ = ask(page())
    found = re.fullmatch(
        rf"{visitor.COOKIE}=([0-9a-f.]+); Max-Age=\d+; Path=/; HttpOnly; SameSite=Lax", headers["set-cookie"]
    )
    assert tickets.holder(found[1])
    assert headers["cache-control"] == "no-store"
    _, other, _ = ask(page())
    assert other["set-cookie"] != headers["set-cookie"]


def test_who_shows_a_good_cookie_keeps_it():
    ticket = tickets.issue()
    status, headers, body = ask(page(), {"cookie": f"theme=dark; {visitor.COOKIE}={ticket}"})
    assert (status, body) == (200, "page")
    assert "set-cookie" not in headers


@pytest.mark.parametrize("spoil", ["{0}0", "0{0}", "{1}", "", "ü", ".", "{1}.", '"{0}', "a=b; {1}"])
def test_who_shows_a_bad_cookie_gets_a_new_one(spoil):
    ticket = tickets.issue()
    _, headers, _ = ask(page(), {"cookie": f"{visitor.COOKIE}={spoil.format(ticket, ticket[:-1])}"})
    assert ticket not in headers["set-cookie"]


def test_only_pages_bring_cookies():
    _, headers, _ = ask(page("text/javascript"))
    assert "set-cookie" not in headers


@pytest.mark.parametrize("request_", [{"scheme": "https"}, {"headers": {"x-forwarded-proto": "https"}}])
def test_an_encrypted_cookie_stays_encrypted(request_):
    _, headers, _ = ask(page(), **request_)
    assert headers["set-cookie"].endswith("; Secure")


def test_nobody_knows_whose_home_it_is_outside_of_a_page():
    files.ask_for_home(visitor.home)
    try:
        with pytest.raises(visitor.NobodyError):
            files.home()
        with files.at_home(files.host_home()):
            assert not files.visiting()
    finally:
        files.ask_for_home(None)


def test_the_hosts_numbers_need_the_token(monkeypatch):
    token = "a token of the host"
    route = metrics.ROUTES[0].app
    asked = {"authorization": f"Bearer {token}"}
    monkeypatch.delenv("CNN_LAB_METRICS_TOKEN", raising=False)
    assert ask(route, asked)[0] == 404
    assert ask(route, {"authorization": "Bearer "})[0] == 404
    monkeypatch.setenv("CNN_LAB_METRICS_TOKEN", token)
    assert ask(route)[0] == 404
    assert ask(route, {"authorization": f"Bearer {token[:-1]}"})[0] == 404
    status, headers, text = ask(route, asked)
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "cnn_lab_runs_waiting 0\n" in text
