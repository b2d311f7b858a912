"""No address breaks a page: what it asks for and nobody offers is passed over, or said in a sentence."""

import io
import time
from random import Random

import pytest
from PIL import Image

from pages.widgets import controls
from tests.markup import HOSTILE, markup

PAGES = ["classify", "pixels", "convolution", "pooling", "network", "train", "evaluate"]
VALUES = [
    HOSTILE, "", " ", "-1", "0", "1e999", "NaN", "inf", "9" * 400, "1.5", "true", "../../etc/passwd", "/etc/passwd",
    "~root", "~nobody-of-this-name", "a\0b", "\U0001f408", "1,2,3,4,5,6,7,8,9", "1e308," * 8 + "1",
    "nan," * 8 + "1",
    "conv:1,1,1/conv:2", "/" * 500, "x" * 10_000, "{}", "[1]", "None", "article:0", "article:999999", "/etc/hosts:0",
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_random_addresses(app, lab, page):
    random = Random(page)
    for _ in range(5):
        asked = random.sample(sorted(controls.CONTROLS), random.choice((1, 3, 8, len(controls.CONTROLS))))
        query = {name: random.choice(VALUES) for name in asked}
        test = app(page, **query)
        assert not test.exception, query
        assert not markup(test), query


def test_an_infinite_number_and_an_empty_choice_mean_the_default(app, lab):
    """Streamlit itself breaks off on the one, and makes None of the other."""
    test = app("train", epochs="inf", learning_rate="1e999", augment="")
    assert not test.exception
    assert test.number_input(key="epochs").value == controls.EPOCHS.default
    assert test.number_input(key="learning_rate").value == controls.LEARNING_RATE.default
    assert next(group for group in test.main.button_group if group.key == "augment").value == controls.AUGMENT.default


@pytest.mark.slow
def test_five_hundred_photos_at_once(app, lab):
    test = app()
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "gray").save(file, "JPEG")
    zone = test.main.file_uploader(key="photos")
    for number in range(500):
        zone.upload(f"{number}.jpg", file.getvalue() if number % 50 else b"no picture", "image/jpeg")
    begun = time.process_time()
    test.run()
    assert not test.exception
    assert "Your 490 photos" in [header.value for header in test.main.header]
    assert len(test.main.error) == 10
    assert time.process_time() - begun < 60
