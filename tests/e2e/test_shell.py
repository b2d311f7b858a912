"""What every page promises, in a real Chromium: its own address, no traceback, one picture, and a layout for phones."""

from contextlib import suppress

import pytest
from playwright.sync_api import Page, TimeoutError, expect

pytestmark = pytest.mark.browser

WIDTHS = [1280, 390]
"""A laptop and a phone. To open a page costs seconds, to make it narrower does not."""

PAGES = ["", "pixels", "convolution", "pooling", "network", "train", "evaluate"]

# Columns that are too narrow for what they hold do not widen the page: they hide it.
TOO_WIDE = """() => [...document.querySelectorAll('html, .stMain, .stMainBlockContainer, .stMain .stHorizontalBlock')]
    .filter(area => area.scrollWidth > area.clientWidth + 1)
    .map(area => area.className + ': ' + area.innerText.slice(0, 80))"""


NO_HANDLES = ".stDataFrame {overflow: hidden}"
"""A table of Streamlit's scrolls by itself, and keeps an invisible handle beyond its right edge."""


def settled(page: Page) -> list[str]:
    """Wait for the layout, and name what is wider than the space it has."""
    with suppress(TimeoutError):
        page.wait_for_function(f"() => ({TOO_WIDE})().length === 0", timeout=10_000)
    return page.evaluate(TOO_WIDE)


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator('[data-testid="stMain"] h1').first).to_be_visible()
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute("data-test-script-state", "notRunning")


def test_a_deep_link_lands_on_its_page_of_a_server_that_nobody_has_visited(fresh_server, page):
    """Streamlit's old multipage apps would show pages/convolution.py bare, without the sidebar of the front door."""
    open_page(page, f"{fresh_server}/convolution?picture=coffee")
    expect(page.get_by_label("Kernel row 1 column 1")).to_be_visible()
    expect(page.locator('[data-testid="stSidebarNav"]').get_by_text("Lessons")).to_be_visible()
    expect(page.locator('[data-testid="stSidebarNav"] a')).to_have_count(len(PAGES))
    expect(page.locator(".st-key-picture_shown")).to_contain_text("coffee")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_no_traceback_and_fits_the_screen(server, page, path):
    page.set_viewport_size({"width": WIDTHS[0], "height": 844})
    open_page(page, f"{server}/{path}")
    for chart in page.locator('[data-testid="stPlotlyChart"]:visible').all():  # drawn after the script has ended
        expect(chart.locator(".main-svg").first).to_be_attached()
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    page.add_style_tag(content=NO_HANDLES)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        too_wide = settled(page)
        if too_wide:  # a table of Streamlit's may keep its old width; what counts is a page opened at this one
            open_page(page, f"{server}/{path}")
            page.add_style_tag(content=NO_HANDLES)
            too_wide = settled(page)
        assert not too_wide, f"At {width} pixels these are wider than the space they have: {too_wide}"
    unnamed = page.locator('[data-testid="stMain"] img:not([alt]), [data-testid="stMain"] img[alt=""]')
    expect(unnamed).to_have_count(0)


def test_the_picture_is_kept_from_page_to_page_and_in_the_address(server, page):
    open_page(page, f"{server}/pixels")
    page.get_by_role("radio", name="astronaut").click()
    shown = page.locator(".st-key-picture_shown")
    expect(shown).to_contain_text("Eileen Collins")
    expect(page).to_have_url(f"{server}/pixels?picture=astronaut")
    page.get_by_role("link", name="3 · Pooling").click()
    expect(page).to_have_url(f"{server}/pooling?picture=astronaut")
    expect(shown).to_contain_text("Eileen Collins")
    page.go_back()
    expect(page).to_have_url(f"{server}/pixels?picture=astronaut")


def test_a_bad_upload_is_a_sentence_in_the_sidebar(server, page, tmp_path):
    text = tmp_path / "cat.jpg"
    text.write_text("I am a cat, believe me.")
    open_page(page, f"{server}/pixels")
    sidebar = page.locator('[data-testid="stSidebar"]')
    sidebar.get_by_text("Use your own picture").click()
    sidebar.locator('input[type="file"]').set_input_files(text)
    expect(sidebar.get_by_role("alert").filter(has_text="cat.jpg")).to_be_visible()
    expect(page.locator(".st-key-picture_shown")).to_contain_text("Chelsea")
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)


def test_the_camera_is_asked_for_only_on_demand(server, page):
    open_page(page, f"{server}/pixels")
    expect(page.locator('[data-testid="stCameraInput"]')).to_have_count(0)
    sidebar = page.locator('[data-testid="stSidebar"]')
    sidebar.get_by_text("Use your own picture").click()
    sidebar.get_by_text("Use the camera").click()
    expect(page.locator('[data-testid="stCameraInput"]')).to_be_visible()


def test_all_nine_kernel_cells_can_be_seen_and_typed_into(server, page):
    page.set_viewport_size({"width": WIDTHS[0], "height": 844})
    open_page(page, f"{server}/convolution")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        for row in (1, 2, 3):
            for column in (1, 2, 3):
                cell = page.get_by_label(f"Kernel row {row} column {column}")
                cell.scroll_into_view_if_needed()
                expect(cell).to_be_in_viewport(ratio=1)
