"""In a real browser: a stranger's text is text, an unexpected error a number, and another site's upload is refused."""

import http.client
import re
import socket
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest
from playwright.sync_api import expect

from cnn_core.wording import visible
from tests.conftest import ROOT, serve
from tests.e2e.app_page import open_page, photos_input, settle, upload
from tests.made_images import saved
from tests.markup import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXTS = [
    HOSTILE,
    "[a](https://b.example)",
    "![a](https://b.example/c.png)",
    "https://b.example/c",
    "www.b.example",
    "a@b.example",
    "<https://b.example>",
    "**a** __b__ *c* _d_ ~~e~~",
    "a_b_c __d_e__ f__g__h _i_j_ k_",
    "# a",
    "#a",
    "- a",
    "+ a",
    "1. a",
    "12) a",
    "> a",
    "---",
    "===",
    "```a",
    "    a",
    "$a$ $$b$$",
    "\\$a\\$",
    "\\[a\\](b)",
    ":dog: :+1:",
    ":material/pets:",
    "x :material/pets: y",
    ":streamlit:",
    ":red[a]",
    ":red-background[a]",
    ":blue-badge[a]",
    ":small[a]",
    ":shimmer[a]",
    "::a[b]",
    ":::a",
    "a -> b <- c <-> d -- e >= f <= g ~= h",
    "&lt;b&gt; &copy; &#42;",
    "<b>a</b>",
    "<script>alert(1)</script>",
    "| a | b |",
    "[^1]",
    "[ ] a",
    "C:\\pets\\new_cats\\*.jpg",
    "a\nb\n\n# c",
    "cat\u202egpj.exe",
    "\u00fc\u732b\U0001f408 \u0645\u0631\u062d\u0628\u0627",
]

SCRIPT = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from starlette.middleware import Middleware
from cnn_core.wording import plain
from pages.widgets import protection, unexpected

if __name__ == "__main__":
    st.title("Texts")
    for number, text in enumerate({TEXTS!r}):
        with st.container(key=f"text_{{number}}"):
            st.markdown(plain(text))
            st.caption(f"The photo {{plain(text)}}")
            st.markdown(f"**{{plain(text)}}**")
            st.button(plain(text), key=f"button_{{number}}")
            st.error(plain(text))

    @st.fragment
    def part():
        if st.button("Break a part"):
            raise ValueError("the secret of a part")

    part()
    if st.button("Break the page"):
        raise KeyError("the secret of the page")
else:
    app = st.App(__file__, middleware=[Middleware(protection.Headers)], on_script_error=unexpected.explain)
"""

TEXT = "[data-testid=stMarkdownContainer], [data-testid=stCaptionContainer]"
SHOWN = (
    f"(area) => [...area.querySelectorAll('{TEXT}')]"
    """.map((text) => ({
    says: text.innerText,
    formatted: [...text.querySelectorAll('*')].filter(({ tagName }) => !["P", "DIV"].includes(tagName))
        .map(({ tagName }) => tagName),
}))"""
)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("strangers") / "server.log"


@pytest.fixture(scope="module")
def texts(log, chromium):
    """A page that shows each text in five places, each made plain."""
    script = log.with_name("texts.py")
    script.write_text(SCRIPT, "utf-8")
    with serve(log.parent, script, log) as address:
        page = chromium.new_page()
        open_page(page, address)
        yield page
        page.close()


def test_text_is_shown_as_it_is(texts):
    for number, text in enumerate(TEXTS):
        expected = visible(text)
        area = texts.locator(f".st-key-text_{number}")
        expect(area.locator(TEXT)).to_have_count(5)  # the script may have ended before the last one is drawn
        places = area.evaluate(SHOWN)
        for place, before in zip(places, ("", "The photo ", "", "", ""), strict=True):
            assert place["says"].replace("\u2060", "").strip() == before + expected
        assert [place["formatted"] for place in places] == [[], [], ["STRONG"], [], []], text


def test_an_unexpected_error_is_a_number(texts, log):
    sentence = texts.get_by_text("something unexpected happened")
    for what in ("a part", "the page"):
        number = sentence.all_inner_texts()  # of the error before
        texts.get_by_role("button", name=f"Break {what}").click()
        expect(sentence.filter(has_not_text="".join(number) or None)).to_have_count(1)
        settle(texts)
        expect(sentence).to_have_count(1)
        digits = re.search(r"error (\d{6})", sentence.inner_text())
        assert digits
        assert "secret" not in texts.locator("body").inner_text()
        logged = log.read_text("utf-8")
        assert f"Error {digits[1]}" in logged
        assert f"the secret of {what}" in logged.partition(f"Error {digits[1]}")[2]


def test_an_upload_that_stops_half_way(server, page):
    """The connection breaks after a part of what was announced. The page and the server go on as if nothing was."""
    open_page(page, server)
    picture = saved(np.zeros((20, 30, 3), np.uint8), "PNG")
    with page.expect_request(lambda request: "upload_file" in request.url and request.method == "PUT") as sent:
        upload(page, photos_input(page), {"name": "whole.png", "mimeType": "image/png", "buffer": picture})
    address = urllib.parse.urlparse(sent.value.url)
    names = ("cookie", "x-xsrftoken", "content-type")
    kept = {name: value for name, value in sent.value.all_headers().items() if name in names}
    part = 'content-disposition: form-data; name="file"; filename="half.png"'
    body = "\r\n".join([f"--{kept['content-type'].partition('boundary=')[2]}", part, "", ""]).encode()
    lines = [f"PUT {address.path} HTTP/1.1", f"host: {address.netloc}", "content-length: 9000000"]
    lines += [f"{name}: {value}" for name, value in kept.items()]
    for _ in range(20):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body + bytes(100_000))
    expect(page.locator(".st-key-verdict").get_by_text("whole.png")).to_be_visible()
    upload(page, photos_input(page), {"name": "next.png", "mimeType": "image/png", "buffer": picture})
    expect(page.locator(".st-key-verdict").get_by_text("next.png")).to_be_visible()
    with urllib.request.urlopen(f"{server}/_stcore/health") as answer:
        assert answer.status == 200


def test_an_upload_of_another_site_is_refused(server):
    """It has the visitor's cookies, but cannot read the token in them."""
    address = f"{server}/_stcore/upload_file/some-session/some-file"
    headers = {"Cookie": "_streamlit_xsrf=2|12345678|0123456789abcdef0123456789abcdef|1700000000"}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(address, b"photo", headers, method="PUT"))
    assert caught.value.code == 403
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    for origin, status in (("https://other.example", 403), (server, 101)):
        connection = http.client.HTTPConnection(server.removeprefix("http://"))
        connection.request("GET", "/_stcore/stream", headers=upgrade | {"Origin": origin})
        assert connection.getresponse().status == status
        connection.close()
    with urllib.request.urlopen(server) as answer:
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
