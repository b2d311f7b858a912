"""What only a real browser shows of the first page: clicks on the table of photos, and sliders that come back."""

import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from pages.widgets import picture
from tests.e2e.app_page import photos_input, settle, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_click_on_any_cell_of_a_row_shows_that_photo(server, page, tmp_path):
    names = ["first.png", "second.png", "third.png"]
    for name, sample in zip(names, ("chelsea", "dog", "cat"), strict=True):
        Image.fromarray(picture.sample(sample)[0]).save(tmp_path / name)
    Image.fromarray(picture.sample("astronaut")[0]).save(tmp_path / "fourth.png")
    page.goto(server)
    settle(page)
    upload(page, photos_input(page), [tmp_path / name for name in names])
    caption = page.locator(".st-key-verdict [data-testid=stImageCaption]")
    expect(caption).to_have_text("first.png")
    table = page.locator('[data-testid="stMain"] [data-testid=stDataFrame]').first
    box = table.bounding_box()
    for row, name, across in (
        (1, "second.png", 0.5),
        (2, "third.png", 0.3),
        (1, "second.png", 0.9),
        (0, "first.png", 0.1),
    ):
        settle(page)
        table.click(position={"x": across * box["width"], "y": 36 + 56 * row + 28})
        expect(caption).to_have_text(name)
    photos_input(page).set_input_files([tmp_path / "fourth.png"])
    expect(caption).to_have_text("fourth.png")
    settle(page)
    page.get_by_role("radio", name="coffee").click()
    expect(caption).to_have_text(picture.SAMPLES["coffee"].title)
    settle(page)
    table.click(position={"x": 0.5 * box["width"], "y": 36 + 28})
    expect(caption).to_have_text("first.png")


def test_sliders_of_the_square_come_back_as_they_were_left(server, page):
    page.goto(f"{server}/?why=What+if%3F")
    covered = page.locator(".st-key-blanked img")
    expect(covered).to_have_attribute("alt", re.compile("gray square"))
    settle(page)

    def sliders() -> list[str | None]:
        return [
            page.get_by_role("slider", name=name).get_attribute("aria-valuenow")
            for name in ("From left to right", "From top to bottom")
        ]

    first = str(covered.get_attribute("alt"))
    page.get_by_role("slider", name="From left to right").press("ArrowRight")
    expect(covered).not_to_have_attribute("alt", first)
    settle(page)
    before, square = sliders(), covered.get_attribute("alt")
    assert "0" not in before
    page.get_by_role("tab", name="Where it looks").click()
    expect(page.get_by_label("Opacity of the heat map").first).to_be_visible()
    settle(page)
    page.get_by_role("tab", name="What if?").click()
    expect(covered).to_have_attribute("alt", str(square))
    settle(page)
    assert sliders() == before
