"""The ways back to one's own space: a link that its visitor keeps, or the account; each leads to one space only."""

import re

import pytest
from starlette.routing import Router
from streamlit.testing.v1 import AppTest

from cnn_core.host import spaces, start, tickets
from cnn_core.storage import files
from cnn_core.wording import plain
from pages.widgets.host import account, link, upkeep, visitor
from tests.conftest import ROOT
from tests.pages.test_cookie import ask
from tests.shared_server import at, door  # noqa: F401

APP = Router(link.ROUTES)
SERVER = "lab.school.example"
SECRETS = {
    "auth": {
        "redirect_uri": f"https://{SERVER}/oauth2callback",
        "cookie_secret": "a secret of at least 32 characters",
        "client_id": "lab",
        "client_secret": "of the provider",
        "server_metadata_url": "https://accounts.school.example/.well-known/openid-configuration",
    }
}
ANNA = {"is_logged_in": True, "iss": "https://accounts.school.example", "sub": "7", "name": "Anna [x](y)"}
BEN = ANNA | {"sub": "8", "name": "Ben"}


@pytest.fixture(autouse=True)
def secrets_are_read_anew():
    forget = account.set_up.cache_clear
    forget()
    yield
    forget()


def opened(**session) -> AppTest:
    """Run the app with the fold of the own space open, and in it the link."""
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    test.session_state["own_space"] = test.session_state["own_space_link"] = True
    for name, value in session.items():
        setattr(test, name, value)
    return test.run()


def link_of(door, name: str) -> str:  # noqa: F811
    """Return the link that this visitor keeps."""
    with files.at_home(door.comes(name)):
        return link.address(f"https://{SERVER}")


def follow(address: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    path, _, query = address.removeprefix(f"https://{SERVER}").partition("?")
    return ask(APP, {"host": SERVER} | headers, path=path, query_string=query.encode(), method=method)


def test_the_link_on_the_page_opens_the_space_in_a_browser_without_the_cookie(door):  # noqa: F811
    space = door.comes("anna")
    test = opened(context={"url": f"https://{SERVER}/pixels?gray=on"})
    assert not test.exception
    (shown,) = [code.value for code in test.sidebar.code]
    assert shown.startswith(f"https://{SERVER}/")
    assert not test.query_params  # it does not go into the address on its own
    status, headers, text = follow(shown)
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert "set-cookie" not in headers  # a preview of the link changes nothing
    assert space.name not in text
    status, headers, _ = follow(shown, "POST", origin=f"https://{SERVER}")
    assert (status, headers["location"]) == (303, "/")
    ticket = re.match(rf"{visitor.COOKIE}=([^;]+);", headers["set-cookie"])[1]
    assert tickets.holder(ticket) == space.name


@pytest.mark.parametrize("origin", [{}, {"origin": "null"}, {"origin": "https://evil.example"}])
def test_no_other_site_can_put_a_visitor_into_a_space(door, origin):  # noqa: F811
    _, headers, _ = follow(link_of(door, "anna"), "POST", **origin)
    assert "set-cookie" not in headers


def test_a_link_that_was_not_made_here_opens_nothing(door, monkeypatch):  # noqa: F811
    good = link_of(door, "anna")
    link_of(door, "ben")
    ticket = f"{link.PATH}?key={door.shown}"  # what a cookie holds is no key
    other_space = good.replace(door.comes("anna").name, door.comes("ben").name)
    for wrong in (good[:-1], ticket, other_space, link.PATH, f"{link.PATH}?key=%00"):
        for method in ("GET", "POST"):
            status, headers, text = follow(wrong, method, origin=f"https://{SERVER}")
            assert status == 404
            assert "set-cookie" not in headers
            assert "This link does not work" in text
    assert follow(good)[0] == 200
    monkeypatch.setenv("CNN_LAB_MODE", "personal")
    assert follow(good)[0] == 404


def test_a_key_is_no_ticket(door):  # noqa: F811
    key = tickets.key_of("0" * 32, "1")
    assert tickets.holder(key) is None
    assert tickets.read_key(key) == ("0" * 32, "1")
    assert tickets.read_key(tickets.ticket_of("0" * 32)) is None


def test_a_new_link_ends_the_old_one(door):  # noqa: F811
    space, others = door.comes("anna"), link_of(door, "ben")
    door.comes("anna")
    test = opened(context={"url": f"https://{SERVER}"})
    (old,) = [code.value for code in test.sidebar.code]
    assert opened(context={"url": f"https://{SERVER}"}).sidebar.code[0].value == old  # a look makes no new one
    test.sidebar.button(key="own_space_new_link").click().run()
    (new,) = [code.value for code in test.sidebar.code]
    assert [follow(one)[0] for one in (old, new, others)] == [404, 200, 200]
    with files.at_home(space):
        assert spaces.clear()
    assert follow(new)[0] == 404
    assert link_of(door, "anna") not in (old, new)  # nor does one of a space that was deleted come back with the space
    assert [follow(one)[0] for one in (old, new)] == [404, 404]


def test_who_does_not_ask_for_a_link_has_none(door):  # noqa: F811
    space = door.comes("anna")
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    test.session_state["own_space"] = True
    test.run()
    assert not test.exception and not test.sidebar.code
    assert not space.exists()


def test_a_teacher_reads_no_link(door, monkeypatch):  # noqa: F811
    monkeypatch.setenv(start.TEACHER, "a long code")
    key = link_of(door, "anna").partition("key=")[2]
    door.comes("teacher")
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).switch_page("pages/teacher.py")
    test.session_state["teacher_in"] = True
    test.run()
    assert not test.exception
    assert key.partition(".")[2] not in "\n".join(str(node.proto) for node in (*test.main, *test.sidebar))


def test_who_has_not_signed_in_sees_the_door_and_nothing_else(door):  # noqa: F811
    door.comes("anna")
    test = opened(secrets=SECRETS, user={"is_logged_in": False})
    assert not test.exception
    assert [button.label for button in test.main.button] == ["Sign in"]
    assert len(test.sidebar) == 0


def test_the_space_is_the_accounts_and_the_cookie_counts_no_longer(door):  # noqa: F811
    seen = []
    for shown in ("one", "another"):
        door.comes(shown)
        seen.append([space_of(user) for user in (ANNA, BEN)])
        assert door.space(shown).name not in seen[-1]
    assert seen[0] == seen[1]
    assert len({*seen[0], space_of(ANNA | {"iss": "https://evil.example"})}) == 3


def test_the_page_says_whose_the_space_is(door):  # noqa: F811
    test = opened(secrets=SECRETS, user=ANNA)
    assert not test.exception
    text = "".join(caption.value for caption in test.sidebar.caption)
    assert rf"the account of **{plain(ANNA['name'])}**" in text
    assert ANNA["name"] not in text
    assert not test.sidebar.code  # no link: the account is the way back
    assert "sign_out" in [button.key for button in test.sidebar.button]


def space_of(user: dict) -> str:
    """Return the name of the space that a page of this account has."""

    def script():
        import streamlit as st

        from cnn_core.storage import files

        st.write(files.home().name)

    test = AppTest.from_function(script)
    test.secrets, test.user = SECRETS, user
    return test.run().markdown[0].value


def test_links_open_nothing_where_visitors_sign_in(door, monkeypatch):  # noqa: F811
    monkeypatch.setattr(account, "set_up", lambda: True)
    assert follow(link_of(door, "anna"), "POST", origin=f"https://{SERVER}")[0] == 404


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"client_id": ""}, "lacks client_id, client_secret, server_metadata_url"),
        ({"redirect_uri": f"https://{SERVER}/"}, "must be the address of this server, followed by /oauth2callback"),
        ({"cookie_secret": "short"}, "cookie_secret .* is too short: it must have at least 32 characters"),
    ],
)
def test_what_is_wrong_with_the_accounts_is_one_sentence_at_start(door, monkeypatch, change, sentence):  # noqa: F811
    monkeypatch.setattr(account, "set_up", lambda: True)
    monkeypatch.setattr(account, "is_authlib_installed", lambda: True)
    monkeypatch.setattr(account.st, "secrets", {"auth": SECRETS["auth"] | change})
    with pytest.raises(SystemExit, match=sentence):
        upkeep.prepare()


def test_accounts_need_their_package_and_then_no_cookie(door, monkeypatch):  # noqa: F811
    monkeypatch.setattr(account, "set_up", lambda: True)
    monkeypatch.setattr(account.st, "secrets", SECRETS)
    monkeypatch.setattr(account, "is_authlib_installed", lambda: False)
    with pytest.raises(SystemExit, match="pip install streamlit"):
        upkeep.prepare()
    monkeypatch.setattr(account, "is_authlib_installed", lambda: True)
    monkeypatch.setattr(upkeep.config, "set_option", lambda *_: None)
    assert visitor.Cookies not in [middleware.cls for middleware in upkeep.prepare()]


def test_several_providers_have_a_button_each(monkeypatch):
    keys = {name: SECRETS["auth"][name] for name in account.NEEDED}
    monkeypatch.setattr(account.st, "secrets", {"auth": {"google": keys, "okta": keys, "half": {"client_id": "x"}}})
    assert account.providers() == ["google", "okta"]
