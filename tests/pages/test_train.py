"""Lesson 5: the data is read and split, the settings are made, a run is started."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core import runs
from cnn_core.engine.config import TrainingConfig
from cnn_core.network import ARTICLE, ConvBlock, NetworkSpec
from cnn_core.storage.files import home
from pages.widgets import data_source
from tests.pages.fake_runs import rewrite_status
from tests.pages.train_page import agreed, looked, text


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))


@pytest.fixture
def pets(tmp_path):
    """Twelve cats, eight dogs and a broken dog."""
    folder = tmp_path / "pets"
    random = np.random.default_rng(3)
    for label, count in (("cat", 12), ("dog", 8)):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            picture = random.integers(0, 256, (30, 40, 3), dtype=np.uint8)
            Image.fromarray(picture).save(folder / label / f"{number}.png")
    (folder / "dog" / "broken.png").write_bytes(b"no picture")
    return folder


def with_data(app, path):
    test = app("train")
    test.radio(key="data").set_value(data_source.PATH).run()
    test.text_input(key="data_path").set_value(str(path)).run()
    return looked(test)


def test_the_drawn_pets_are_there_without_a_download(app):
    test = looked(app("train"))
    assert "**800** pictures, 400 cats and 400 dogs: **600** for training, **200** for testing." in text(test)


def test_a_folder_is_counted_and_split_and_a_closer_look_names_its_broken_pictures(app, pets):
    test = with_data(app, pets)
    assert "**21** pictures, 12 cats and 9 dogs: **15** for training, **6** for testing." in text(test)
    assert not any("broken" in expander.label for expander in test.expander)
    test.session_state["dataset_facts"] = True
    test = looked(test.run())
    assert any("1 broken" in expander.label for expander in test.expander)
    assert any("dog/broken.png" in list(frame.value.get("file", [])) for frame in test.dataframe)
    test.slider(key="test_percent").set_value(50).run()
    assert "**10** for training, **11** for testing" in text(test)


def test_a_zip_is_read_as_the_folder_is(app, pets, tmp_path):
    test = with_data(app, shutil.make_archive(str(tmp_path / "pets"), "zip", pets))
    assert "**21** pictures, 12 cats and 9 dogs" in text(test)


def test_an_uploaded_zip_is_kept_for_the_run(app, spawned, pets, tmp_path):
    content = Path(shutil.make_archive(str(tmp_path / "pets"), "zip", pets)).read_bytes()
    test = app("train")
    test.radio(key="data").set_value(data_source.UPLOAD).run()
    test.file_uploader(key="data_upload").set_value(("../my pets.zip", content, "application/zip")).run()
    looked(test)
    assert "**21** pictures, 12 cats and 9 dogs" in text(test)
    test.button(key="train_start").click().run()
    kept = Path(runs.Run(spawned[0]).config.data)
    assert kept.parent == home() / "datasets"
    assert kept.read_bytes() == content


def test_another_zip_of_the_same_name_and_size_is_taken(app):
    test = app("train")
    test.radio(key="data").set_value(data_source.UPLOAD).run()
    for content in (b"one", b"two", b"one"):
        test.file_uploader(key="data_upload").set_value(("pets.zip", content, "application/zip")).run()
    kept = sorted(path.read_bytes() for path in (home() / "datasets").iterdir())
    assert kept == [b"one", b"two"]


@pytest.mark.parametrize("case", ["missing", "no zip", "one class", "empty", "two pictures"])
def test_bad_data_gets_a_sentence_and_the_page_goes_on(app, pets, tmp_path, case):
    path, sentence = pets, "There is no folder or zip"
    if case == "missing":
        path = tmp_path / "missing"
    elif case == "no zip":
        path, sentence = tmp_path / "text.zip", "zip"
        path.write_text("this is no zip")
    elif case == "one class":
        shutil.rmtree(pets / "dog")
        sentence = "dog"
    elif case == "empty":
        shutil.rmtree(pets)
        pets.mkdir()
        sentence = "no picture with a label"
    else:
        for file in [*pets.glob("cat/*"), *pets.glob("dog/*")]:
            if file.name != "0.png":
                file.unlink()
        sentence = "too few"
    test = with_data(app, path)
    assert not test.exception
    assert any(sentence in error.value for error in test.error)
    assert test.button(key="train_start").disabled
    assert "Read the pictures again" in [button.label for button in test.main.button]


def test_start_writes_what_was_set(app, spawned, pets):
    test = with_data(app, pets)
    test.slider(key="test_percent").set_value(50).run()
    test.segmented_control(key="augment").set_value("none").run()
    test.selectbox(key="schedule").set_value("constant").run()
    test.number_input(key="epochs").set_value(7).run()
    test.number_input(key="batch_size").set_value(4).run()
    test.number_input(key="learning_rate").set_value(0.0005).run()
    assert "validation set" not in " ".join(caption.value for caption in test.main.caption)
    test.number_input(key="patience").set_value(2).run()
    assert "10\u00a0% of the training pictures are kept aside as a **validation set**" in text(test)
    test.toggle(key="class_weights").set_value(True).run()
    test.button(key="train_start").click().run()
    assert not test.exception
    config = runs.Run(spawned[0]).config
    assert config.class_weights
    assert (config.data, config.images, config.test_size, config.augment) == (str(pets), None, 0.5, "none")
    assert config.schedule == "constant"
    assert (config.epochs, config.batch_size, config.learning_rate, config.patience) == (7, 4, 0.0005, 2)
    assert config.validation == 0.1
    assert test.selectbox(key="run").value == spawned[0].name


def test_the_articles_own_settings_are_one_click_and_so_are_the_defaults(app, spawned, pets):
    test = with_data(app, pets)
    button = {button.label: button for button in test.button}
    button["As in the article"].click().run()
    test.button(key="train_start").click().run()
    config = runs.Run(spawned[0]).config
    article = (3, 15, 0.001, "constant", "article")
    assert (config.epochs, config.batch_size, config.learning_rate, config.schedule, config.augment) == article
    {button.label: button for button in test.button}["Our defaults"].click().run()
    assert not test.exception
    assert test.number_input(key="learning_rate").value == TrainingConfig.learning_rate
    assert test.segmented_control(key="augment").value == TrainingConfig.augment


def test_the_network_of_lesson_4_is_trained_unless_the_articles_is_chosen(app, spawned):
    test = app("network")
    test.slider(key="blocks").set_value(1).run()
    test.switch_page("pages/train.py").run()
    test.button(key="train_start").click().run()
    assert len(runs.Run(spawned[0]).config.network.blocks) == 1
    rewrite_status(spawned[0], state="stopped")
    test.radio(key="network_choice").set_value("The article's network").run()
    test.button(key="train_start").click().run()
    assert runs.Run(spawned[1]).config.network == ARTICLE


def test_a_network_that_does_not_fit_is_named_and_not_started(app, spawned):
    test = app("network")
    test.slider(key="blocks").set_value(1).run()  # this network fits; it must not be trained in the place of the next
    test.slider(key="blocks").set_value(8).run()
    test.switch_page("pages/train.py").run()
    assert not test.exception
    assert any("conv_6" in error.value for error in test.main.error)
    assert test.button(key="train_start").disabled
    assert not test.code
    test.radio(key="network_choice").set_value("The article's network").run()
    assert not test.main.error
    test.button(key="train_start").click().run()
    assert runs.Run(spawned[0]).config.network == ARTICLE


def test_start_without_data_says_what_is_missing(app, spawned):
    test = with_data(app, "")
    test.button(key="train_start").click().run()
    assert ["Choose the pictures first" in error.value for error in test.error] == [True]
    assert not spawned


def test_pictures_that_have_been_mended_can_be_trained_on(app, pets, tmp_path):
    (tmp_path / "pets.zip").write_text("this is no zip")
    test = with_data(app, tmp_path / "pets.zip")
    assert test.button(key="train_start").disabled
    assert "shown above" in test.button(key="train_start").help
    shutil.make_archive(str(tmp_path / "pets"), "zip", pets)
    next(button for button in test.main.button if button.label == "Read the pictures again").click().run()
    assert not looked(test).button(key="train_start").disabled


def test_the_address_names_the_settings(app):
    test = app("train", epochs="9", batch_size="32", data="Folder or zip here", data_path="/pets")
    assert test.number_input(key="epochs").value == 9
    assert test.number_input(key="batch_size").value == 32
    assert test.text_input(key="data_path").value == "/pets"
    agreed(test)
    assert any("EPOCHS, BATCH, SEED = 9, 32" in code.value and 'Path("/pets")' in code.value for code in test.code)


@pytest.mark.slow
def test_a_model_trained_elsewhere_is_loaded_and_asked(app, tmp_path):
    NetworkSpec(16, (ConvBlock(2),), dense_units=2).build().save(tmp_path / "mine.keras")
    content = (tmp_path / "mine.keras").read_bytes()
    test = app("train")
    test.file_uploader(key="model_upload").set_value(("broken.keras", content[:100], "application/zip")).run()
    assert "broken.keras" in test.error[0].value
    test.file_uploader(key="model_upload").set_value(("mine.keras", content, "application/zip")).run()
    assert not test.exception
    assert "“mine” is loaded" in text(test)
    test.button(key="loaded_classify").click().run()
    assert test.selectbox(key="model").value == "mine"


@pytest.mark.slow
def test_augmented_examples_come_on_demand(app):
    test = app("train", timeout=120)
    assert "augmented" not in str([image.proto for image in test.get("image")])
    test.toggle(key="augmented_shown").set_value(True).run()
    assert not test.exception
    assert "augmented" in str([image.proto for image in test.get("image")])
