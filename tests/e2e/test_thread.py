"""One number followed to the photo in a real Chromium, with hand and keyboard: every number shown is the library's."""

import re

import pytest
from playwright.sync_api import Page, expect

from cnn_core import thread, walk
from cnn_core.layers.way_back import place as where
from cnn_core.models import open_model
from cnn_core.pixels import resize
from cnn_core.wording import number
from pages.widgets import picture
from tests.e2e.lab_page import values

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHELSEA = picture.sample("chelsea")[0]


def title(page: Page, *parts: str) -> None:
    expect(page.locator("[data-role=title]")).to_have_text(re.compile(".*".join(map(re.escape, parts))))


def follow(layer: str, *at: int, which: int | None = None, cell: tuple[int, int] | None = None) -> thread.Knot:
    return thread.follow(open_model("article"), CHELSEA, thread.Place(layer, at), which, cell)


def shown(page: Page, table: int) -> list[float]:
    cells = page.locator("[data-role=part] table").nth(table).locator("td").all_inner_texts()
    return [float(text.replace("−", "-")) for text in cells]


def test_a_number_of_the_dense_layer_is_followed_to_the_photo(server, page):
    page.goto(f"{server}/?why=Layer+by+layer&model=article&walk_layer=dense")
    lab = page.get_by_role("region", name="Follow one number back")
    expect(lab).to_be_visible()
    place = thread.first_place(walk.strongest(open_model("article"), CHELSEA, "dense"), 0)
    knot = follow(*place[:1], *place.at)
    title(page, f"dense, number {place.at[0] + 1}: {number(knot.sum.value)}")
    expect(lab).to_contain_text("These 64 partial sums and the bias are added.")
    expect(lab).to_contain_text(f"= {number(knot.sum.total)} → ReLU {number(knot.sum.value)}")

    bars = page.locator("[data-role=bars] button")
    expect(bars).to_have_count(12)
    page.get_by_role("button", name="Show all 64").click()
    expect(bars).to_have_count(64)
    order = knot.sum.order
    said = [text.split("\n") for text in bars.all_inner_texts()]
    assert said == [[f"map {at + 1}", number(knot.sum.partial_sums[at])] for at in order]

    bars.nth(2).focus()
    page.keyboard.press("Enter")
    expect(bars.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(bars.nth(2)).to_be_focused()
    knot = follow(*place[:1], *place.at, which=int(order[2]))
    expect(page.locator("[data-role=part-title]")).to_have_text(
        f"Map {order[2] + 1} of pool_2: {number(knot.sum.partial_sums[order[2]])}"
    )
    end = knot.way.end
    go = page.locator("[data-role=go]")
    expect(go).to_contain_text(f"conv_2, {where(end.at)}")
    go.focus()
    page.keyboard.press("Enter")

    knot = follow("conv_2", *end.at)
    title(page, f"conv_2, {where(end.at)}: {number(knot.sum.value)}")
    expect(page.locator("[data-role=title]")).to_be_focused()
    which = knot.way.cell[-1]
    for table, numbers in enumerate((knot.sum.window, knot.sum.kernel, knot.sum.products)):
        assert shown(page, table) == pytest.approx([float(f"{one:.5g}") for one in numbers[..., which].ravel()])
    page.wait_for_function("() => new URL(location).searchParams.has('thread')")
    page.go_back()
    title(page, f"dense, number {place.at[0] + 1}")
    page.go_forward()
    title(page, f"conv_2, {where(end.at)}")
    page.locator("[data-key=cell-2-1]").click()
    knot = follow("conv_2", *end.at, which=which, cell=(2, 1))
    expect(page.locator("[data-role=way-title]")).to_have_text(f"Where {number(knot.way.value)} comes from")
    expect(page.locator("[data-role=way]")).to_contain_text(knot.way.passages[0].says)
    end = knot.way.end
    page.locator("[data-role=go]").click()

    knot = follow("conv_1", *end.at)
    title(page, f"conv_1, {where(end.at)}: {number(knot.sum.value)}")
    row, column, channel = knot.way.end.at
    pixels = resize(CHELSEA, 128, 128)
    red, green, blue = pixels[row, column].tolist()
    expect(page.locator("[data-role=ends]")).to_contain_text(
        f"row {row}, column {column} is red {red}, green {green}, blue {blue}"
    )
    top, left = knot.sum.top, knot.sum.left
    assert shown(page, 0) == pixels[top : top + 3, left : left + 3, channel].ravel().tolist()
    assert (values(page, "photo") == pixels).all()

    canvas = page.locator("[data-role=map]")
    box = canvas.bounding_box()
    canvas.click(position={"x": (20 + 0.5) / 126 * box["width"], "y": (30 + 0.5) / 126 * box["height"]})
    title(
        page,
        f"conv_1, row 30, column 20 of map {end.at[2] + 1}: {number(follow('conv_1', 30, 20, end.at[2]).sum.value)}",
    )
    page.get_by_label("Map, 1 to 64").fill("5")
    page.get_by_label("Map, 1 to 64").press("Tab")
    fifth = number(follow("conv_1", 30, 20, 4).sum.value)
    title(page, f"conv_1, row 30, column 20 of map 5: {fifth}")
    page.wait_for_function("() => new URL(location).searchParams.get('thread')?.endsWith('conv_1:30,20,4')")
    page.reload()
    title(page, f"conv_1, row 30, column 20 of map 5: {fifth}")
    page.get_by_role("navigation", name="The path so far").get_by_role("button").first.click()
    title(page, f"dense, number {place.at[0] + 1}")
    expect(bars.nth(2)).to_have_attribute("aria-pressed", "true")

    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("[data-role=bars] button").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert lab.evaluate("(lab) => lab.scrollWidth <= lab.clientWidth")
