"""The page of lesson 1 shows the picture's own numbers, keeps its state in the address, and stands any picture."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnn_core.pixels import ImageError, fit
from cnn_core.wording import percent
from pages.widgets import picture
from pages.widgets.pixels import bench


def chelsea() -> np.ndarray:
    return picture.sample("chelsea")[0]


def chart(test: AppTest, number: int) -> dict:
    return json.loads(test.get("plotly_chart")[number].proto.spec)


def cells(test: AppTest) -> list[list[int]]:
    """The numbers in the zoomed cells, row by row, top to bottom."""
    return [[int(number) for number in text.split("<br>")] for text in chart(test, 0)["data"][1]["text"]]


def unpacked(values: list | dict) -> np.ndarray:
    """Undo the packing in which Plotly sends an array to the browser."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return np.array(values)


def upload(test: AppTest, image: np.ndarray) -> AppTest:
    """The page with another picture, uploaded in the sidebar."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return test.file_uploader(key="picture_upload").set_value(("mine.png", file.getvalue(), "image/png")).run()


def alts(test: AppTest) -> list[str]:
    """What a screen reader says for each image; Streamlit's tests called these "imgs" once and "image" later."""
    return [image.alt for block in (*test.get("image"), *test.get("imgs")) for image in block.proto.imgs]


def test_the_page_opens_with_everything(app):
    test = app("pixels")
    assert not test.exception
    assert test.title[0].value == "A picture is numbers"
    assert not test.error
    text = " ".join(alts(test))
    for expected in ("frame marks rows", "red light", "its red channel in gray", "blue light", "threshold 128"):
        assert expected in text
    assert all(alts(test))
    assert all(block.proto.alt for block in test.get("plotly_chart"))


def test_the_cells_hold_the_picture_s_numbers(app):
    test = app("pixels", region_row="40", region_column="200", region_size="5")
    assert cells(test) == chelsea()[40:45, 200:205].reshape(-1, 3).tolist()
    assert any("rows 40 to 44, columns 200 to 204" in caption.value for caption in test.caption)
    assert any("rows 40 to 44, columns 200 to 204" in alt for alt in alts(test))


@pytest.mark.parametrize(("choice", "channel"), [("Red", 0), ("Green", 1), ("Blue", 2)])
def test_one_channel(app, choice, channel):
    test = app("pixels", region_row="40", region_column="200", region_numbers=choice)
    assert cells(test) == chelsea()[40:48, 200:208, channel].reshape(-1, 1).tolist()
    assert any(f"print({choice.lower()}[40:48, 200:208])" in code.value for code in test.code)


def test_gray_is_pillow_s(app):
    test = app("pixels", region_row="0", region_column="0", region_numbers="Gray")
    gray = np.asarray(Image.fromarray(chelsea()).convert("L"))
    assert cells(test) == gray[:8, :8].reshape(-1, 1).tolist()


def test_numpy_s_own_print_of_the_picture(app):
    test = app("pixels")
    assert any(str(chelsea()) in code.value and "(300, 451, 3)" in code.value for code in test.code)


def test_moving_the_region_changes_the_cells(app):
    test = app("pixels", region_column="50")
    test.slider(key="region_row").set_value(10).run()
    assert cells(test) == chelsea()[10:18, 50:58].reshape(-1, 3).tolist()


def test_another_size_leaves_the_region_where_it_is(app):
    test = app("pixels", region_row="40", region_column="200")
    test.slider(key="region_size").set_value(3).run()
    assert cells(test) == chelsea()[40:43, 200:203].reshape(-1, 3).tolist()


def test_a_region_at_the_edge_moves_inwards(app):
    test = app("pixels", region_row="299", region_column="450")
    assert cells(test) == chelsea()[292:, 443:].reshape(-1, 3).tolist()


@pytest.mark.parametrize("threshold", [0, 1, 100, 255, 256])
def test_the_threshold(app, threshold):
    test = app("pixels", threshold=str(threshold))
    gray = np.asarray(Image.fromarray(chelsea()).convert("L"))
    share = (gray >= threshold).mean()
    assert any(caption.value.startswith(f"{percent(share, counted=True)} of the pixels") for caption in test.caption)
    black, white = (unpacked(bars["y"]).sum() for bars in chart(test, 1)["data"])
    assert black + white == gray.size
    assert white == (gray >= threshold).sum()


def test_the_threshold_moves_without_error(app):
    test = app("pixels")
    test.slider(key="threshold").set_value(200).run()
    assert not test.exception
    assert any("gray >= 200" in code.value for code in test.code)


@pytest.mark.parametrize(
    "query",
    [
        {"region_row": "9999"},
        {"region_row": "-3"},
        {"region_column": "cat"},
        {"region_size": "1e9"},
        {"region_numbers": "infrared"},
        {"threshold": ""},
        {"threshold": "nan"},
        {"picture": "unicorn"},
    ],
)
def test_a_mistyped_address_shows_the_default(app, query):
    test = app("pixels", **query)
    assert not test.exception
    assert len(cells(test)) == 64
    assert test.slider(key="threshold").value == 128


def test_a_large_picture_is_shrunk_once_for_two_lessons(app, monkeypatch):
    shrink, asked = picture.fit, []
    monkeypatch.setattr(picture, "fit", lambda image, to: asked.append((max(image.shape), to)) or shrink(image, to))
    test = upload(app("pixels"), np.zeros((50, 2000, 3), np.uint8))
    assert not test.exception
    test.switch_page("pages/convolution.py").run()
    assert not test.exception
    assert asked.count((2000, 1024)) == 1


@pytest.mark.parametrize(("page", "size"), [("convolution", "819 × 1024"), ("pooling", "307 × 384")])
def test_the_lessons_after_it_say_that_they_shrink_a_large_picture(app, page, size):
    test = upload(app(page), np.random.default_rng(0).integers(0, 256, (1200, 1500, 3), np.uint8))
    assert not test.exception
    (said,) = [caption.value for caption in test.caption if "shrinks" in caption.value]
    assert "1200 rows × 1500 columns" in said
    assert size in said


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 1, 3), (2, 3, 3), (5, 900, 3), (3000, 4, 3)])
def test_pictures_of_odd_shapes(app, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    test = upload(app("pixels"), image)
    assert not test.exception
    image = fit(image, 1024)
    height, width = image.shape[:2]
    assert f"{height} rows × {width} columns" in test.markdown[0].value
    assert len(cells(test)) == min(8, height) * min(8, width)
    assert any(str(image) in code.value for code in test.code)
    shrunk = [info.value for info in test.info if f"{shape[0]} rows × {shape[1]} columns" in info.value]
    assert bool(shrunk) == (max(shape) > 1024), "a page that shrinks the picture says so"
    assert any("target_size=(1024, 1)" in code.value for code in test.code) == bool(shrunk)


@pytest.mark.parametrize(
    "wrong",
    [
        {"row": -1},
        {"row": 1.5},
        {"row": None},
        {"size": 99},
        {"numbers": "infrared"},
        {"pixel_row": "cat"},
        {"column": {}},
    ],
)
def test_what_a_browser_sends_is_not_trusted(wrong):
    sent = {"row": 3, "column": 4, "size": 5, "numbers": "red", "pixel_row": None, "pixel_column": 6}
    bench.from_lab(sent, bench.WINDOW)
    with pytest.raises(ImageError, match="Reload the page"):
        bench.from_lab(sent | {"row": 7} | wrong, bench.WINDOW)
    assert {name: bench.current()[name] for name in bench.WINDOW} == sent


def test_the_address_asks_for_what_is_not_offered(app):
    test = app("pixels", region_size="1000", threshold="900")
    assert "region_size=1000 and threshold=900" in test.warning[0].value
    test.slider(key="region_size").set_value(3).run()
    assert not test.warning


def test_a_smaller_picture_after_a_far_region(app):
    test = app("pixels", region_row="295", region_column="445")
    small = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    upload(test, small)
    assert not test.exception
    place = next(caption.value for caption in test.caption if "The framed pixels" in caption.value)
    top, bottom, left, right = map(int, re.findall(r"\d+", place)[:4])
    assert (bottom - top, right - left) == (7, 7)
    assert cells(test) == small[top : bottom + 1, left : right + 1].reshape(-1, 3).tolist()


def test_a_file_that_is_no_picture_leaves_the_page_working(app):
    test = app("pixels")
    before = cells(test)
    test.file_uploader(key="picture_upload").set_value(("cat.jpg", b"meow", "image/jpeg")).run()
    assert not test.exception
    assert "not a picture" in test.error[0].value
    assert cells(test) == before
