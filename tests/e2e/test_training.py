"""What is on screen while a training runs, in a real Chromium: its status after the start, and the way to stop it."""

import re
import shutil

import pytest
from playwright.sync_api import Locator, expect

from cnn_core import runs
from cnn_core.storage.files import home
from tests.e2e.app_page import settle
from tests.pages.fake_runs import fake_run, rewrite_status

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def no_runs(server_home, monkeypatch):
    """The home of the server that other tests use too, without a run. A server of one's own costs 5 s of a processor.

    Half of that is Chromium's, which knows Streamlit's frontend only at this address.
    """
    monkeypatch.setenv("CNN_LAB_HOME", str(server_home))
    shutil.rmtree(server_home / "runs", ignore_errors=True)
    yield
    shutil.rmtree(server_home / "runs", ignore_errors=True)


@pytest.fixture
def running(server):
    """The address of an app in which a training runs; its longest line of progress is on screen."""
    folder = fake_run(state="running", done=1, step=5)
    rewrite_status(folder, step=1200, steps=1250, seconds_left=3725)
    return server


def test_stop_is_in_the_sidebar_without_scrolling(running, page):
    page.set_viewport_size({"width": 1280, "height": 720})
    sidebar = page.locator('[data-testid="stSidebar"]')
    for path in ("convolution", "train"):
        page.goto(f"{running}/{path}")
        expect(sidebar).to_contain_text("Training accuracy this epoch: 81.2 %")
        expect(sidebar.get_by_role("button", name="Stop")).to_be_in_viewport(ratio=1, timeout=20_000)


@pytest.fixture
def finished(server):
    """The address of an app in which a training has finished; the page Train is long."""
    fake_run()
    return server


def test_a_run_that_goes_on_in_another_tab_is_followed_without_a_click(finished, page):
    name = "20260102-030405-abcd"
    rewrite_status(home() / "runs" / name, state="stopped", message="Stopped on request.")
    page.goto(f"{finished}/train")
    status = page.locator(".st-key-training_status").last  # the old one may still be there
    expect(status).to_contain_text("Stopped on request.", timeout=20_000)
    rewrite_status(home() / "runs" / name, state="running")
    expect(status.get_by_role("button", name="Stop")).to_be_visible(timeout=20_000)
    rewrite_status(home() / "runs" / name, state="finished")
    expect(status).to_contain_text("Finished: 3 epochs", timeout=20_000)


@pytest.mark.slow
def test_the_status_is_in_view_after_the_start(finished, page):
    """Of a training that starts at once, of one that waits for it, and on a phone."""
    page.goto(f"{finished}/train")
    start = page.get_by_role("button", name="Start this training")
    status, sidebar = page.locator(".st-key-training_status"), page.locator('[data-testid="stSidebar"]')
    stop, leave = (status.get_by_role("button", name=name) for name in ("Stop", "Leave the line"))

    def begin(button: Locator) -> None:
        expect(start).to_be_enabled()
        start.scroll_into_view_if_needed()
        expect(status).not_to_be_in_viewport()
        start.click()
        expect(button).to_have_count(1)
        settle(page)  # until then the old status stands beside the new one
        expect(status.locator('[data-testid="stProgress"]')).to_be_in_viewport(ratio=1, timeout=20_000)
        expect(button).to_be_in_viewport(ratio=1, timeout=20_000)

    try:
        begin(stop)
        begin(leave)
        leave.click()
        expect(status.get_by_text("The run left the line")).to_be_visible()
        settle(page)
        sidebar.get_by_role("button", name="Stop").click()
        sidebar.get_by_text("Stopped").wait_for()
        page.set_viewport_size({"width": 390, "height": 720})
        begin(stop)
        stop.click()
        expect(status.get_by_text("Stopped")).to_be_visible()
    finally:
        for run in runs.list_runs():
            run.stop()


def test_a_deleted_run_leaves_nothing_on_the_screen(finished, page):
    fake_run("20260103-000000-bbbb")
    newest = fake_run("20260104-000000-cccc")
    page.goto(f"{finished}/train")
    chosen, compared = page.get_by_role("combobox", name="Training run"), page.locator(".st-key-compare")
    confirm = page.get_by_role("button", name="Delete this run permanently")
    expect(chosen).to_have_value(re.compile("^04 Jan"))
    expect(compared).to_contain_text("04 Jan")
    page.get_by_role("button", name="Delete").click()
    confirm.click()
    expect(chosen).to_have_value(re.compile("^03 Jan"), timeout=20_000)
    expect(compared).not_to_contain_text("04 Jan", timeout=20_000)
    expect(compared).to_contain_text("03 Jan")
    expect(compared).to_contain_text("02 Jan")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    expect(confirm).not_to_be_visible(timeout=20_000)
    assert not newest.exists()
