"""What every page shares: the navigation, the picture, and no heavy import before it is needed."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.runtime.state.session_state import SessionState

from cnn_core import models
from pages.widgets import picture

ROOT = Path(__file__).parents[1]
PAGES = ["classify", "pixels", "convolution", "pooling", "network", "train", "evaluate"]


def png(height: int, width: int, color: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), color).save(file, "PNG")
    return file.getvalue()


def caption(test) -> str:
    return test.sidebar.markdown[0].value


def pills(test):
    return next(group for group in test.sidebar.button_group if group.key == "picture")


def uploader(test):
    return next(upload for upload in test.sidebar.file_uploader if upload.key == "picture_upload")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_without_an_error(app, name):
    test = app(name)
    assert not test.exception
    assert test.main.children, "the page shows nothing"
    assert "Chelsea" in caption(test)


def test_what_the_first_page_imports_is_light():
    """Half a second of pandas, or seconds of TensorFlow, would stand between the visitor and the first page."""
    code = """
import ast, sys
import streamlit_app
from pages.widgets import picture, warmup
page = ast.parse(open("pages/classify.py").read())
imports = [node for node in page.body if isinstance(node, ast.Import | ast.ImportFrom)]
exec(compile(ast.Module(imports, []), "classify.py", "exec"))
picture.sample("chelsea")
print(*{"tensorflow", "keras", "skimage", "sklearn", "scipy", "pandas"} & set(sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


@pytest.mark.parametrize("name", ["pixels", "convolution", "pooling", "network"])
def test_a_lesson_needs_no_tensorflow(app, name, no_tensorflow):
    assert not app(name).exception


@pytest.mark.parametrize("tab", ["Where it looks", "What if?", "Two models"])
def test_a_bundled_models_verdict_and_heat_map_need_no_tensorflow(app, tab, no_tensorflow):
    test = app(why=tab)
    assert not test.exception
    assert not test.main.error
    said = [text.value for text in test.main.markdown if text.value.startswith("## ")]
    assert said[0] == "## " + models.open_model().classify(picture.sample("chelsea")[0]).sentence
    assert [image.alt for block in (*test.get("image"), *test.get("imgs")) for image in block.proto.imgs if image.alt]


@pytest.mark.parametrize("name", picture.SAMPLES)
def test_the_address_names_the_sample(app, name):
    assert picture.SAMPLES[name].title in caption(app("pixels", picture=name))


def test_an_unknown_sample_in_the_address_means_the_first_one(app):
    test = app("pixels", picture="../../etc/passwd")
    assert not test.exception
    assert "Chelsea" in caption(test)


def test_the_samples_are_pictures_that_nobody_can_change():
    for name in picture.SAMPLES:
        image, _ = picture.sample(name)
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert min(image.shape[:2]) >= 128
        with pytest.raises(ValueError, match="read-only"):
            image[0, 0] = 0


def test_an_upload_is_the_picture_of_every_page_until_a_sample_is_chosen(app):
    test = app("pixels")
    uploader(test).upload("my cat.png", png(40, 60, (9, 9, 9)), "image/png")
    test.run()
    assert caption(test) == "**my cat.png**  \n:small[:gray[40 rows × 60 columns]]"
    assert pills(test).value is None
    test.switch_page("pages/pooling.py").run()
    assert caption(test) == "**my cat.png**  \n:small[:gray[40 rows × 60 columns]]"
    pills(test).set_value("coffee").run()
    assert "coffee" in caption(test)


def test_an_upload_counts_even_if_its_callback_is_lost(app):
    """As it may be when a part of the page repeats itself at that moment."""
    test = app("pixels")
    uploader(test).upload("my cat.png", png(40, 60, (9, 9, 9)), "image/png")
    with pytest.MonkeyPatch.context() as lost:
        lost.setattr(SessionState, "_call_callbacks", lambda *_, **__: lost.undo())
        test.run()
    assert caption(test) == "**my cat.png**  \n:small[:gray[40 rows × 60 columns]]"
    pills(test).set_value("coffee").run()
    assert "coffee" in caption(test)


@pytest.mark.parametrize("content", [b"", b"I am a cat, believe me.", png(300, 300, (1, 2, 3))[:150]])
def test_a_bad_upload_is_a_sentence_and_the_picture_stays(app, content):
    test = app("pixels", picture="coffee")
    uploader(test).upload("pet.png", content, "image/png")
    test.run()
    assert not test.exception
    assert test.sidebar.error[0].value.startswith("pet.png: ")
    assert "coffee" in caption(test)
    pills(test).set_value("chelsea").run()
    assert not test.sidebar.error
