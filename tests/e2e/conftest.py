"""A real Chromium that looks at the app. Tests in a browser that follow each other share it, and one tab of it."""

import os
from pathlib import Path

import pytest

from cnn_core.setup.chromium import find_chromium

VIEWPORT = {"width": 1280, "height": 900}
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def playwright():
    """Playwright. Without a Chromium the browser tests are skipped, except in CI, where that is a failure."""
    if find_chromium() is None:
        message = "No Chromium found: the browser tests cannot run. Install one: python -m playwright install chromium"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=90_000)

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def profile(tmp_path_factory) -> Path:
    """What Chromium keeps, also when it is closed for tests without a browser.

    Streamlit's frontend, fetched and compiled, is part of it: that saves a third of what a page costs.
    """
    return tmp_path_factory.mktemp("chromium")


@pytest.fixture(scope="package")
def chromium(playwright, profile):
    """A real Chromium, in which no animation keeps a processor busy."""
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=find_chromium(),
        args=CHROMIUM_FLAGS,
        viewport=VIEWPORT,
        reduced_motion="reduce",
    )
    context.set_default_timeout(90_000)
    yield context
    context.close()


@pytest.fixture(scope="package")
def tab(chromium):
    """A tab that all tests use in turn; each opens in it what it needs."""
    page = chromium.new_page()
    yield page
    page.close()


@pytest.fixture
def page(tab):
    """The shared tab, as it was at first. In a new one, the same page would take 3.3 s of a processor instead of 2."""
    yield tab
    tab.unroute_all()
    tab.goto("about:blank")
    tab.context.clear_cookies()
    tab.set_viewport_size(VIEWPORT)
    tab.mouse.move(0, 0)


@pytest.fixture
def refusing(page):
    """The shared tab, with a browser that refuses to run the labs."""
    devtools = page.context.new_cdp_session(page)  # unlike Playwright's own way, this one can be undone
    devtools.send("Page.enable")
    devtools.send("Page.addScriptToEvaluateOnNewDocument", {"source": "URL.createObjectURL = () => 'blob:refused'"})
    yield page
    devtools.detach()
