"""A shared server and real browsers: the cookie or a link leads back to one's own space, and to nobody else's.

Their tabs on Train tell the same of a run.
"""

import re

import pytest

from cnn_core.host import spaces, tickets
from cnn_core.storage import files
from pages.widgets.host import link, visitor
from tests.conftest import serve
from tests.pages.fake_runs import fake_run, rewrite_status

RUN = "20260102-030405-abcd"


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_finds_its_space_again_and_no_other(page, tmp_path, monkeypatch):
    from playwright.sync_api import expect

    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))
    monkeypatch.setenv("CNN_LAB_MODE", "shared")
    run, training = page.get_by_text("02 Jan 03:04:05"), page.get_by_role("heading", name="1 · The pictures")
    chosen = page.get_by_role("combobox", name="Training run")

    def ticket() -> dict:
        return next(cookie for cookie in page.context.cookies() if cookie["name"] == visitor.COOKIE)

    with serve(tmp_path) as address:
        page.context.clear_cookies()
        page.goto(f"{address}/pixels")
        mine = ticket()
        assert (mine["httpOnly"], mine["sameSite"]) == (True, "Lax")
        with files.at_home(spaces.folder(tickets.holder(mine["value"]))):
            folder = fake_run(RUN)
            way_back = link.address(address)
        page.goto(f"{address}/train")
        expect(chosen).to_have_value(re.compile("^02 Jan 03:04:05"))
        assert ticket()["value"] == mine["value"]
        rewrite_status(folder, state="running")  # as if another tab had resumed it
        status = page.locator(".st-key-training_status").last  # the old one may still be there
        expect(status.get_by_role("button", name="Stop")).to_be_visible()
        rewrite_status(folder, state="finished")
        expect(status).to_contain_text("Finished: 3 epochs")
        for shown in (None, mine["value"][:-1]):  # somebody else, and somebody who forges
            page.context.clear_cookies()
            if shown:
                page.context.add_cookies([mine | {"value": shown}])
            page.goto(f"{address}/train?run={RUN}")
            expect(training).to_be_visible()
            expect(run).to_have_count(0)
            assert ticket()["value"] not in (mine["value"], shown)
        page.context.clear_cookies()
        page.goto(way_back)
        page.get_by_role("button", name="Open this space").click()
        page.wait_for_url(f"{address}/")
        assert ticket()["value"] == mine["value"]
        page.get_by_role("link", name="5 · Train").click()
        expect(chosen).to_have_value(re.compile("^02 Jan 03:04:05"))
        with page.expect_download() as report:  # it is written when it is asked for, in a thread that runs no page
            page.get_by_role("button", name="Report as HTML").click()
        assert RUN in report.value.path().read_text("utf-8")
