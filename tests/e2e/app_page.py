"""A page of the started app in Chromium: open it, wait until it is drawn, give it a file."""

from contextlib import suppress
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError, expect


def open_page(page: Page, address: str) -> None:
    """Go there, and wait until the page is drawn."""
    page.goto(address)
    expect(page.locator('[data-testid="stMain"] h1')).to_have_count(1)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the script has run, and nothing on screen is of before or still to come."""
    # Counted, since Playwright describes the whole page each time that anything else is not yet as expected.
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_have_count(1)
    expect(page.locator('[data-stale="true"], .stMain .stSkeleton:visible, .stMain .stSpinner')).to_have_count(0)


def photos_input(page: Page) -> Locator:
    """The input that takes the photos on Classify; there is one for a model, too."""
    return page.locator('.st-key-photos input[type="file"]')


def upload(page: Page, place: Locator, files: Any) -> None:
    """Choose files. Playwright may do so before the page listens; then nothing is sent, and they are chosen again."""
    for _ in range(5):
        with suppress(TimeoutError), page.expect_request(lambda request: "upload_file" in request.url, timeout=5000):
            place.set_input_files(files)
            return
    raise AssertionError("The page has sent no file to the server.")
