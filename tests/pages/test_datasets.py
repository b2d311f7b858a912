"""Data as people have it, on Train and Evaluate: where it comes from, what is in it, mistakes that are corrected."""

import shutil
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image

from cnn_core import evaluation, runs
from cnn_core.data_files import corrections, kept
from cnn_core.data_files.download import DownloadError
from cnn_core.pixels import open_image
from pages.widgets import background, data_source, dataset_download
from tests.pages.train_page import agreed, finish, looked, text

CATS, DOGS = (250, 240, 230, 60, 10), (0, 5, 9, 200)
"""Brightness of the pets: whoever calls what is bright a cat is wrong with two cats and one dog."""


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    background.forget(*background.jobs())


@pytest.fixture
def pets(tmp_path):
    for label, values in (("cat", CATS), ("dog", DOGS)):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for value in values:
            image = np.full((8, 9, 3), value, np.uint8)
            image[value % 8, 3] = 255 - value  # or they would look alike from far away
            Image.fromarray(image).save(tmp_path / "pets" / label / f"{value}.png")
    return tmp_path / "pets"


@pytest.fixture
def bright_is_cat(monkeypatch):
    """Every model calls what is bright a cat, without being loaded."""

    def remembered(card, table, progress=None):
        bright = np.array([open_image(file).mean() / 255 for file in table["file"]])
        return evaluation.decide(evaluation.Evaluation(table.assign(cat=bright, dog=1 - bright, pet=np.nan)), 0.5)

    monkeypatch.setattr(evaluation, "remembered", remembered)


def evaluated(app, pets):
    test = app("evaluate", model="article", data="Folder on the server", data_path=str(pets), subset="All pictures")
    return finish(agreed(test))


def accuracy(test) -> str:
    return [item.value for item in test.metric if item.label == "Accuracy"][-1]


def test_a_mistake_is_relabeled_or_left_out_and_taken_back(app, pets, bright_is_cat, spawned):
    test = evaluated(app, pets)
    assert not test.exception
    assert accuracy(test) == "66.7\u00a0%"  # 6 of 9
    test.button(key="relabel dog/200.png").click().run()
    assert accuracy(test) == "77.8\u00a0%"
    test.button(key="leave out cat/10.png").click().run()
    assert accuracy(test) == "87.5\u00a0%"  # 7 of 8
    assert corrections.of(pets) == {"dog/200.png": "cat", "cat/10.png": None}
    assert any("1 relabeled, 1 left out" in fold.label for fold in test.expander)
    (again,) = [link.proto for link in test.get("page_link") if "Train again" in link.proto.label]
    test = looked(agreed(app("train", **dict(parse_qsl(again.query_string)))))
    assert "**8** pictures, 5 cats and 3 dogs" in text(test)
    test.button(key="train_start").click().run()
    assert runs.Run(spawned[0]).config.corrections == corrections.of(pets)
    test.button(key="corrections_undo").click().run()
    assert not corrections.of(pets)
    assert "**9** pictures, 5 cats and 4 dogs" in text(looked(test))


def test_damaged_corrections_are_a_sentence_and_the_pages_live_on(app, pets, bright_is_cat):
    path = corrections.path_of(pets)
    path.parent.mkdir(parents=True)
    path.write_text("cat/10.png\tbird")
    test = evaluated(app, pets)
    assert not test.exception
    assert any("bird" in error.value for error in test.error)
    test = looked(agreed(app("train", data="Folder on the server", data_path=str(pets))))
    assert not test.exception
    assert any("bird" in error.value for error in test.error)
    start = test.button(key="train_start")
    assert start.disabled
    assert "network" not in start.help, "the network is not what is wrong"


def test_what_lies_in_the_datasets_folder_can_be_chosen(app, pets):
    test = app("train")
    test.radio(key="data").set_value(data_source.KEPT).run()
    assert str(kept.folder()) in text(test)
    assert any("no dataset yet" in info.value for info in test.info)
    shutil.copytree(pets, kept.folder() / "mine")
    shutil.make_archive(str(kept.folder() / "zipped"), "zip", pets)
    corrections.correct(kept.folder() / "mine", ["cat/10.png"], None)  # whose file lies beside it
    test.run()
    assert test.selectbox(key="dataset").options == ["mine", "zipped.zip"]
    assert "**8** pictures" in text(looked(test))
    test.selectbox(key="dataset").set_value("zipped.zip").run()
    assert "**9** pictures" in text(looked(test))


def test_microsofts_photos_are_downloaded_on_demand(app, pets, monkeypatch, tmp_path):
    wrong = [DownloadError("The server sleeps.")]

    def download(remote, target, progress):
        if wrong:
            raise wrong.pop()
        target.parent.mkdir(parents=True)
        shutil.copyfile(shutil.make_archive(str(tmp_path / "made"), "zip", pets), target)

    monkeypatch.setattr(dataset_download, "download", download)
    test = app("train")
    test.radio(key="data").set_value(data_source.MICROSOFT).run()
    assert "825 MB to download" in text(test)
    assert "needs an account" in text(test) or "account there" in text(test)
    assert not list(Path(kept.folder()).glob("*"))
    finish(test.button(key="dataset_download").click().run())
    assert any("The server sleeps" in error.value for error in test.error)
    finish(test.button(key="dataset_download").click().run())
    assert not test.exception
    assert "**9** pictures" in text(looked(test))


def test_a_closer_look_shows_balance_sizes_and_duplicates_that_can_be_left_out(app, pets):
    for number in range(5):
        shutil.copyfile(pets / "cat" / "250.png", pets / "cat" / f"copy_{number}.png")
    test = app("train")
    test.session_state["dataset_facts"] = True
    test.radio(key="data").set_value(data_source.PATH).run()
    test.text_input(key="data_path").set_value(str(pets)).run()
    looked(test)
    assert not test.exception
    assert "Width 9 to 9 pixels" in text(test)
    assert "also in the training set" in text(test)
    assert any("share" in frame.value for frame in test.dataframe)
    next(button for button in test.button if "Leave these out" in button.label).click().run()
    assert set(corrections.of(pets).values()) == {None}
    assert "No picture of the test set was found in the training set." in text(looked(test))
