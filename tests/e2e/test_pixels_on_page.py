"""The labs of the Pixels page in the started app: what the hand chooses reaches Python, the address and the code."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from cnn_core.pixels import fit, to_binary, to_grayscale
from pages.widgets import picture
from tests.e2e.app_page import settle
from tests.e2e.lab_page import values
from tests.e2e.test_lab_on_page import wait_for_address

pytestmark = pytest.mark.browser

CHELSEA = picture.sample("chelsea")[0]


def codes(page):
    return page.locator('[data-testid="stMain"] [data-testid="stCode"]')


def test_the_address_and_the_code_follow_the_hand_and_a_link_brings_it_back_with_a_pixel_at_the_edge(server, page):
    page.goto(f"{server}/pixels?region_row=40&region_column=200&region_size=5&region_numbers=Green&threshold=100")
    place = page.locator("[data-role=pixel-place]")
    expect(place).to_have_text("Row 42, column 202")
    np.testing.assert_array_equal(values(page, "window")[..., 0], CHELSEA[40:45, 200:205, 1])
    np.testing.assert_array_equal(values(page, "output")[..., 0], to_binary(CHELSEA, 100))
    page.locator("[data-role=source]").press("Shift+ArrowDown")
    page.get_by_label("Numbers to show").select_option("all")
    page.get_by_role("slider", name="Threshold").fill("77")
    wait_for_address(page, region_row="50", region_numbers=None, threshold="77")
    for fold in page.get_by_text("As printed by NumPy").all():
        fold.click()
    expect(codes(page).filter(has_text="gray >= 77").first).to_be_visible()
    code = codes(page).filter(has_text="print(image[50:55, 200:205])")
    expect(code).to_contain_text(" ".join(f"{number:3}" for number in CHELSEA[50, 200]).strip())
    for _ in range(5):
        page.locator("[data-role=source]").press("Shift+ArrowUp")
    wait_for_address(page, region_row="0", pixel_row=None)
    settle(page)
    page.locator("[data-role=source]").press("Shift+ArrowUp")
    wait_for_address(page, region_row="0", pixel_row="0", pixel_column="202")
    page.go_back()
    expect(place).to_have_text("Row 2, column 202")
    page.go_forward()
    expect(place).to_have_text("Row 0, column 202")
    page.reload()
    expect(place).to_have_text("Row 0, column 202")
    expect(page.get_by_role("slider", name="Threshold")).to_have_value("77")
    expect(page.locator("[data-role=line]")).to_have_attribute("x1", "77")


def test_a_large_picture_is_shrunk_and_the_page_says_so(server, page):
    image = np.kron(np.random.default_rng(0).integers(0, 256, (50, 40, 3)), np.ones((40, 40, 1))).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    page.goto(f"{server}/pixels")
    expect(page.locator("[data-role=pixel-place]")).to_be_visible()
    sidebar = page.locator('[data-testid="stSidebar"]')
    sidebar.get_by_text("Use your own picture").click()
    sidebar.locator('input[type="file"]').set_input_files(
        {"name": "large.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    expect(page.get_by_text("The picture is larger: 2000 rows × 1600 columns.")).to_be_visible()
    expect(page.locator("[data-role=source]")).to_have_attribute("height", "1024")
    expect(page.locator("[data-role=output]")).to_have_attribute("height", "1024")
    small = fit(image, 1024)
    np.testing.assert_array_equal(values(page, "source"), small)
    np.testing.assert_array_equal(values(page, "output")[..., 0], to_grayscale(small) >= 128)
    expect(page.locator('[data-testid="stMain"]')).to_contain_text("1024 rows × 819 columns")


def test_a_browser_that_refuses_the_labs_gets_ordinary_controls(server, refusing):
    refusing.goto(f"{server}/pixels?region_row=40&region_column=200")
    refusing.get_by_role("button", name="Use ordinary controls").first.click()
    expect(refusing.locator(".st-key-region_cells .js-plotly-plot")).to_be_visible()
    slider = refusing.get_by_role("slider", name="Threshold")
    slider.press("ArrowRight")
    wait_for_address(refusing, threshold="129", region_row="40")
    expect(refusing.locator(".st-key-binary img")).to_be_visible()
