"""A home that cannot be written, a full disk and a folder that vanishes: each is a sentence, and the page goes on."""

import io
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core import dataset, runs
from cnn_core.data_files import kept
from cnn_core.models import ModelError, save_upload
from pages.widgets import background, data_source
from tests.made_files import zip_of
from tests.pages.fake_runs import fake_run
from tests.pages.train_page import agreed, looked, text

PAGES = ["classify", "pixels", "convolution", "pooling", "network", "train", "evaluate"]


@pytest.fixture
def unwritable(tmp_path, monkeypatch):
    """A home below a file: nobody can write it, not even root, whom a read-only folder does not stop."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "file" / "home"))
    background.forget(*background.jobs())


def png(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 20, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


PETS = {f"{label}.{number}.png": png(number) for number, label in enumerate(["cat", "dog"] * 4)}


@pytest.mark.parametrize("page", PAGES)
def test_a_home_that_cannot_be_written_shows_every_page(app, unwritable, page):
    test = app(page)
    assert not test.exception
    assert not test.sidebar.error


def test_nothing_starts_where_nothing_can_be_written(app, unwritable):
    test = app("train")
    test.sidebar.button(key="short_start").click().run()
    assert not test.exception
    assert "No run can be started" in test.sidebar.error[0].value
    test.radio(key="data").set_value(data_source.UPLOAD).run()
    test.file_uploader(key="data_upload").upload("pets.zip", zip_of(PETS), "application/zip").run()
    assert not test.exception
    assert any("could not be saved" in error.value for error in test.main.error)


def test_photos_are_read_but_not_unpacked_where_nothing_can_be_written(app, unwritable, tmp_path):
    (tmp_path / "pets.zip").write_bytes(zip_of(PETS))
    test = looked(agreed(app("train", data="Folder on the server", data_path=str(tmp_path / "pets.zip"))))
    assert not test.exception
    assert any("could not be read or unpacked" in error.value for error in test.main.error)


def test_a_model_is_not_kept_where_nothing_can_be_written(unwritable, monkeypatch):
    monkeypatch.setattr("cnn_core.models.open_model", lambda data: None)
    with pytest.raises(ModelError, match="could not be saved: Not a directory"):
        save_upload(b"a model", "mine.keras")


def test_a_stop_that_cannot_be_written_is_a_sentence(app, monkeypatch):
    folder = fake_run(state="running", done=1, step=5)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    test = app("train", run=folder.name)
    monkeypatch.setattr(Path, "touch", full)
    test.main.button(key="train_stop").click().run()
    assert not test.exception
    assert any("could not be told to stop: No space left" in error.value for error in test.main.error)
    shutil.rmtree(folder)


def test_a_folder_that_vanishes_while_it_is_looked_at(app, tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    folder, pets = fake_run(), tmp_path / "pets"
    pets.mkdir()
    for name, content in PETS.items():
        (pets / name).write_bytes(content)
    test = looked(agreed(app("train", data="Folder on the server", data_path=str(pets), run=folder.name)))
    assert "4 cats and 4 dogs" in text(test)
    shutil.rmtree(pets)
    shutil.rmtree(tmp_path / "home")
    looked(test.run())
    assert not test.exception
    assert not runs.list_runs()
    assert any("There is no folder or zip" in error.value for error in test.main.error)
    assert test.button(key="train_start").disabled


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_names_that_are_no_text(app, tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    odd = kept.folder() / "pets\udcff.zip"
    odd.parent.mkdir(parents=True)
    odd.write_bytes(zip_of(PETS))
    assert kept.names() == []
    pets = kept.folder() / "pets"
    pets.mkdir()
    (pets / "cat.\udcff.png").write_bytes(png(0))
    with pytest.raises(dataset.DatasetError, match="name is not text"):
        dataset.open_dataset(pets)
    test = looked(app("train", data="Datasets folder", dataset="pets"))
    assert not test.exception
    assert any("Rename it first" in error.value for error in test.main.error)
