"""What only a real browser shows of the first page: clicks on the table of photos, and sliders that come back."""

import io
import re
from typing import Any

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


def file_of(sample: str) -> Any:
    file = io.BytesIO()
    Image.fromarray(picture.sample(sample)[0]).save(file, "PNG")
    return {"name": f"{sample}.png", "mimeType": "image/png", "buffer": file.getvalue()}


def wait_until_the_server_is_silent(page, messages: list) -> None:
    count = -1
    while not messages or len(messages) != count:
        count = len(messages)
        page.wait_for_timeout(1500)


@pytest.mark.parametrize("before", ["click", "drop"])
def test_a_sample_clicked_before_the_table_is_drawn_again_is_shown(server, page, before):
    """With the click the browser sends the choice in the table that it still shows: nobody has made it again."""
    sockets: list = []
    held: list = []
    slow = False

    def connect(socket):
        sockets.append(socket)
        socket.connect_to_server().on_message(lambda message: held.append(message) if slow else socket.send(message))

    page.route_web_socket("**/_stcore/stream", connect)
    page.goto(server)
    settle(page)
    upload(page, photos_input(page), [file_of(name) for name in ("chelsea", "dog", "cat")])
    caption = page.locator(".st-key-verdict [data-testid=stImageCaption]")
    expect(caption).to_have_text("chelsea.png")
    settle(page)
    table = page.locator('[data-testid="stMain"] [data-testid=stDataFrame]').first
    slow = before == "click"
    table.click(position={"x": 60, "y": 36 + 56 + 28})
    if before == "drop":
        expect(caption).to_have_text("dog.png")
        settle(page)
        upload(page, photos_input(page), [file_of("astronaut")])
        slow = True  # from now on: for the upload itself the server had to answer
    wait_until_the_server_is_silent(page, held)
    page.get_by_role("radio", name="coffee").click()
    slow = False
    for message in held:
        sockets[-1].send(message)
    expect(caption).to_have_text(picture.SAMPLES["coffee"].title)
    settle(page)
    expect(caption).to_have_text(picture.SAMPLES["coffee"].title)


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
