"""What the pages share, in a real Chromium: addresses, one picture, uploads, and cells that a phone shows."""

import pytest
from playwright.sync_api import expect

from tests.e2e.app_page import open_page

pytestmark = pytest.mark.browser

WIDTHS = [1280, 390]
"""A laptop and a phone. To open a page costs seconds, to make it narrower does not."""


def test_a_deep_link_lands_on_its_page_of_a_server_that_nobody_has_visited(fresh_server, page):
    """Streamlit's old multipage apps would show pages/convolution.py bare, without the sidebar of the front door."""
    open_page(page, f"{fresh_server}/convolution?picture=coffee")
    expect(page.get_by_label("Kernel row 1 column 1")).to_be_visible()
    expect(page.locator('[data-testid="stSidebarNav"]').get_by_text("Lessons")).to_be_visible()
    expect(page.locator('[data-testid="stSidebarNav"] a')).to_have_count(7)
    expect(page.locator(".st-key-picture_shown")).to_contain_text("coffee")


def test_the_picture_is_kept_from_page_to_page_and_in_the_address(server, page):
    open_page(page, f"{server}/pixels")
    page.get_by_role("radio", name="astronaut").click()
    shown = page.locator(".st-key-picture_shown")
    expect(shown).to_contain_text("Eileen Collins")
    image, words = shown.locator("img").bounding_box(), shown.locator("p").bounding_box()
    assert words["x"] > image["x"] + image["width"], "the words are below the picture, not beside it"
    expect(page).to_have_url(f"{server}/pixels?picture=astronaut")
    page.get_by_role("link", name="3 · Pooling").click()
    expect(page).to_have_url(f"{server}/pooling?picture=astronaut")
    expect(shown).to_contain_text("Eileen Collins")
    page.go_back()
    expect(page).to_have_url(f"{server}/pixels?picture=astronaut")


def test_the_camera_is_asked_for_only_on_demand_and_a_bad_upload_is_a_sentence_in_the_sidebar(server, page, tmp_path):
    text = tmp_path / "cat.jpg"
    text.write_text("I am a cat, believe me.")
    open_page(page, f"{server}/pixels")
    expect(page.locator('[data-testid="stCameraInput"]')).to_have_count(0)
    sidebar = page.locator('[data-testid="stSidebar"]')
    sidebar.get_by_text("Use your own picture").click()
    expect(sidebar.locator('[data-testid="stFileUploader"]')).to_be_visible()  # it moves what stands below it
    sidebar.get_by_role("switch", name="Use the camera").press("Space")  # a click may miss it while it still moves
    expect(page.locator('[data-testid="stCameraInput"]')).to_be_visible()
    sidebar.locator('.stFileUploader input[type="file"]').set_input_files(text)
    expect(sidebar.get_by_role("alert").filter(has_text="cat.jpg")).to_be_visible()
    expect(page.locator(".st-key-picture_shown")).to_contain_text("Chelsea")
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)


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
