"""A click on the confusion matrix, in a real browser: AppTest cannot click a chart."""

import itertools
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect


@pytest.mark.browser
@pytest.mark.slow
def test_a_click_on_a_number_opens_its_pictures(server, page, tmp_path):
    rng = np.random.default_rng(0)
    for number in range(4):
        for label in ("cat", "dog"):
            Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / f"{label}.{number}.png")
    model, data = "model=article", "data=Folder+on+the+server&subset=All+pictures"
    page.goto(f"{server}/evaluate?{model}&{data}&data_path={tmp_path}")
    page.get_by_role("button", name="Read these pictures").click()
    matrix = page.locator(".st-key-confusion_matrix .heatmaplayer image")
    names = [["Cats recognized", "Cats classified as dogs"], ["Dogs classified as cats", "Dogs recognized"]]
    places = [(1, 0, 0.5), (0, 0, 0.15), (1, 1, 0.85), (0, 1, 0.5), (0, 1, 0.5)]  # near the edges too; one cell twice
    for width, (row, column, inside) in [*zip(itertools.repeat(1280), places), *zip(itertools.repeat(390), places[:2])]:
        page.set_viewport_size({"width": width, "height": 900})
        expect(matrix).to_have_count(1)  # while the page is drawn again, the chart of before stands beside it
        matrix.scroll_into_view_if_needed()
        box = matrix.bounding_box()
        page.mouse.click(box["x"] + box["width"] * (column + inside) / 2, box["y"] + box["height"] * (row + inside) / 2)
        expect(page.get_by_role("heading", name=re.compile(rf"^{names[row][column]}: \d"))).to_be_visible()
        expect(page.get_by_role("radio", name=names[row][column])).to_be_checked()
