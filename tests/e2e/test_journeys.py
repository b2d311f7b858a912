"""The three things people come for, in a real Chromium against the started app."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from pages.widgets import picture
from tests.e2e.app_page import photos_input, settle, upload

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]


def pixels(page: Page, key: str) -> np.ndarray:
    """Return what stands on screen in the area of that key, as far as it can be seen."""
    return np.asarray(Image.open(io.BytesIO(page.locator(f".st-key-{key}").first.screenshot())).convert("RGB"))


def ask_command_line(photo: Path) -> dict:
    command = [sys.executable, "-m", "cnn_core", "classify", str(photo), "--json"]
    answer = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


@pytest.mark.slow
def test_upload_a_pet_photo_and_read_the_verdict(server, page, tmp_path):
    page.goto(server)
    settle(page)
    for pet, label in (("chelsea", "cat"), ("coffee", "neither")):
        photo = tmp_path / f"my {pet}.png"
        Image.fromarray(picture.sample(pet)[0]).save(photo)
        upload(page, photos_input(page), photo)
        verdict = page.locator(".st-key-verdict")
        expect(verdict).to_contain_text(photo.name)
        settle(page)
        expect(verdict).to_contain_text(re.compile(r"(cat|dog), (over )?\d+|neither", re.IGNORECASE))
        expected = ask_command_line(photo)
        words = verdict.inner_text()
        percent = f"{100 * expected['probability']:.0f}" if expected["probability"] < 0.995 else "over 99"
        said = {"neither": "Neither cat nor dog", "cat": f"Cat, {percent}\u00a0%"}[label]
        assert expected["label"] == label
        assert said in words
        for pet_label in ("cat", "dog"):
            if 0.001 < expected["probabilities"][pet_label] < 0.999:
                assert f"{100 * expected['probabilities'][pet_label]:.1f}\u00a0%" in words


def test_edit_a_kernel_cell_and_see_the_convolution_change(server, page):
    page.goto(f"{server}/convolution")
    cell = page.get_by_label("Kernel row 2 column 2")
    expect(cell).to_be_visible()
    expect(page.locator(".st-key-convolution_output")).to_be_visible()
    settle(page)
    page.wait_for_timeout(500)
    before = pixels(page, "convolution_output")
    cell.fill("-3")
    cell.press("Enter")
    for _ in range(50):
        page.wait_for_timeout(100)
        after = pixels(page, "convolution_output")
        if after.shape != before.shape or np.mean(np.abs(after.astype(int) - before)) > 5:
            break
    else:
        pytest.fail("The feature map on screen is as it was before.")
    expect(cell).to_have_value(re.compile(r"^-3"))


@pytest.mark.slow
def test_start_a_short_training_run_from_the_sidebar_and_watch_it_finish(server, page):
    page.goto(f"{server}/pixels")
    sidebar = page.locator('[data-testid="stSidebar"]')
    sidebar.get_by_text("Settings of the short run").click()
    for label, value in (("Pictures", "48"), ("Epochs", "1")):
        field = sidebar.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Enter")
    expect(sidebar).to_contain_text("48 drawn pets, 1 epoch")
    sidebar.get_by_role("button", name="Start training").click()
    expect(sidebar.locator('[data-testid="stProgress"]')).to_be_visible()
    page.get_by_role("link", name="5 · Train").click()
    # Two statuses stand there for a moment while the page is drawn again.
    finished = page.locator(".st-key-training_status").filter(has_text="Finished: 1 epoch")
    finished.wait_for(timeout=180_000)  # `expect` would describe the whole page twice a second
    curves = page.locator(".st-key-training_curves")
    expect(curves).to_contain_text("accuracy")
    expect(curves.locator(".js-plotly-plot .scatterlayer path, .js-plotly-plot .scattergl").first).to_be_attached()
    expect(sidebar).to_contain_text("Finished: 1 epoch")
    expect(sidebar.get_by_role("button", name="Start training")).to_be_enabled()
