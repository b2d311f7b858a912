"""Names and addresses that a stranger has chosen are shown on every page as they are, never as Markdown or HTML."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from cnn_core import models
from pages.widgets import data_source, verdict
from tests.made_files import zip_of
from tests.markup import HOSTILE, markup
from tests.pages.fake_runs import fake_run
from tests.pages.train_page import agreed, looked

LESSONS = ["pixels", "convolution", "pooling", "network"]


def png(seed: int) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def zone(test):
    return next(upload for upload in test.main.file_uploader if upload.label.startswith("Drop"))


def test_the_check_finds_what_is_not_escaped(app):
    """A page that shows the name as Markdown would be found, else the tests below could not fail."""
    test = app("pixels")
    upload = next(upload for upload in test.sidebar.file_uploader if upload.key == "picture_upload")
    upload.upload(HOSTILE, png(0), "image/png")
    test.run()
    assert not markup(test)
    test.sidebar.markdown[0].proto.body = HOSTILE
    assert len(markup(test)) == 1


def test_a_photos_name(app, lab):
    test = app()
    zone(test).upload(HOSTILE, png(1), "image/png")
    zone(test).upload(f"2{HOSTILE}", png(2), "image/png")
    zone(test).upload(f"bad {HOSTILE}", b"no picture", "image/png")
    test.run()
    assert not test.exception
    assert len(test.main.error) == 1
    assert not markup(test)
    for page in [*LESSONS, "train"]:
        test.switch_page(f"pages/{page}.py").run()
        assert not test.exception, page
        assert not markup(test), page


@pytest.mark.parametrize("page", LESSONS)
def test_the_address(app, lab, page):
    hostile = dict.fromkeys(
        ("kernel", "chain", "origin", "blocks", "input_size", "threshold", "picture", "row"), HOSTILE
    )
    hostile |= {"kernel_of": f"{HOSTILE}:1", "channel": "all"}
    test = app(page, **hostile)
    assert not test.exception
    assert not markup(test)


def test_models_runs_and_datasets(app, lab):
    """Files and folders in the home, as somebody with a shell, a stranger's zip or another program has named them."""
    name = HOSTILE.replace("/", "")
    (models.WEIGHTS / "tiny.card.json").write_text(f'{{"title": {name!r}, "data": {name!r}}}'.replace("'", '"'))
    (lab / "models").mkdir(parents=True)
    (lab / "models" / f"{name}.keras").write_bytes((models.WEIGHTS / "tiny.keras").read_bytes())
    fake_run(name, data=name, state="failed", message=name)
    fake_run("20260102-030405-abcd", data=f"/there/{name}", state="waiting", message=name)
    for page in ("classify", *LESSONS, "train", "evaluate"):
        test = app(page)
        assert not test.exception, page
        assert not markup(test), page


def test_names_inside_a_zip(app, home, tmp_path):
    name = HOSTILE.replace("/", "")
    photos = {f"{label}s/{number}{name}.png": png(number) for number, label in enumerate(["cat", "dog"] * 4)}
    broken = {f"cats/broken {name}.png": b""}
    path = tmp_path / f"{name}.zip"
    path.write_bytes(zip_of(photos | broken))
    for found in (path, tmp_path / f"{name} is nowhere"):
        test = app("train", data="Folder on the server", data_path=str(found))
        assert not markup(test)
        test = looked(agreed(test))
        assert not test.exception
        assert not markup(test)
    assert test.radio(key="data").value == data_source.PATH
    assert test.error


def test_a_name_is_no_formula_in_a_spreadsheet():
    names = ["=HYPERLINK(1).png", "+1.png", "-1.png", "@a.png", 'cat, "a".png']
    rows = list(csv.DictReader(io.StringIO(verdict.csv_of([{"file": name, "error": ""} for name in names]))))
    assert [row["file"] for row in rows] == [*(f"'{name}" for name in names[:4]), names[4]]
