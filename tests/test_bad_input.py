"""Whatever is wrong with a file is said in a sentence, on the command line and on the page, and the next one works.

What exactly is refused, and with which words, is tested module by module; here it is the same set for every way in.
"""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from cnn_core import cli, models
from cnn_core.network import ConvBlock, NetworkSpec
from pages.widgets import data_source, warmup
from tests.made_files import bomb, zip_of
from tests.pages.train_page import looked

pytestmark = pytest.mark.slow


def encoded(format: str, shape: tuple[int, ...] = (40, 50, 3), **options) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(noise).save(file, format, **options)
    return file.getvalue()


PETS = {f"train/{label}.{number}.png": encoded("PNG") for label in ("cat", "dog") for number in range(6)}

BAD_PHOTOS = {
    "empty.jpg": (b"", "is empty"),
    "truncated.jpg": (encoded("JPEG")[:300], "damaged or incomplete"),
    "letter.jpg": (b"Dear dog, how are you?", "not a picture"),
    "bomb.png": (bomb(), "too large"),
    "pixel.png": (encoded("PNG", (1, 1, 3)), "single pixel"),
}
BAD_DATA = {
    "text.zip": (b"This is no zip.", "not a zip file"),
    "outside.zip": (zip_of(PETS | {"../cat.9.png": encoded("PNG")}), "outside its own folder"),
    "cats.zip": (zip_of({name: data for name, data in PETS.items() if "cat" in name}), "of a dog"),
}


def animation() -> bytes:
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(warmup, "ready", lambda: True)
    return tmp_path / "home"


@pytest.fixture(scope="module")
def tiny() -> bytes:
    return keras_file(NetworkSpec(input_size=16, blocks=(ConvBlock(2),), dense_units=2).build())


def keras_file(model) -> bytes:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "model.keras"))
        return Path(folder, "model.keras").read_bytes()


def bad_model(kind: str) -> tuple[bytes, str]:
    import keras
    from keras import layers

    if kind == "no zip":
        return b"PK, but no more", "not a .keras file"
    if kind == "ten classes":
        network = [layers.Input((16, 16, 3)), layers.Flatten(), layers.Dense(10, activation="softmax")]
        return keras_file(keras.Sequential(network)), "10"
    network = [layers.Input((16, 16, 3)), layers.Lambda(lambda x: x), layers.Flatten(), layers.Dense(2, "softmax")]
    return keras_file(keras.Sequential(network)), "contains its own code"


def answers(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_photo_on_the_command_line(tmp_path, tiny, capsys, name):
    content, words = BAD_PHOTOS[name]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.gif").write_bytes(animation())
    (tmp_path / "tiny.keras").write_bytes(tiny)
    photos = [str(tmp_path / name), str(tmp_path / "good.gif")]
    assert cli.main(["classify", *photos, "--model", str(tmp_path / "tiny.keras"), "--json"]) == 1
    bad, good = answers(capsys)
    assert words in bad["error"]
    assert good["label"] in ("cat", "dog")


def test_photos_on_the_page(app):
    test = app()
    upload = next(item for item in test.main.file_uploader if item.key == "photos")
    for name, (content, _) in BAD_PHOTOS.items():
        upload.upload(name, content, "image/png")
    upload.upload("good.gif", animation(), "image/gif")
    test.run()
    assert not test.exception
    said = {error.value.split(":")[0]: error.value for error in test.main.error}
    assert list(said) == list(BAD_PHOTOS)
    for name, (_, words) in BAD_PHOTOS.items():
        assert words in said[name]
    assert any("good.gif" in line.value for line in test.sidebar.markdown)
    assert len([line for line in test.main.markdown if line.value.startswith(("## Cat", "## Dog", "## Neither"))]) == 1


@pytest.mark.parametrize("name", BAD_DATA)
@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_data_on_the_command_line(tmp_path, tiny, capsys, request, name, command):
    content, words = BAD_DATA[name]
    if command == "train":
        request.getfixturevalue("tensorflow_not_yet")
    (tmp_path / name).write_bytes(content)
    (tmp_path / "tiny.keras").write_bytes(tiny)
    options = ["--model", str(tmp_path / "tiny.keras")] if command == "evaluate" else ["--epochs", "1"]
    assert cli.main([command, "--data", str(tmp_path / name), *options, "--json"]) == 1
    assert words in answers(capsys)[-1]["error"]
    assert not (tmp_path / "cat.9.png").exists()


@pytest.mark.parametrize("name", BAD_DATA)
def test_data_on_the_page(app, tmp_path, name):
    content, words = BAD_DATA[name]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.zip").write_bytes(zip_of(PETS))
    test = app("train")
    test.radio(key="data").set_value(data_source.PATH).run()
    test.text_input(key="data_path").set_value(str(tmp_path / name)).run()
    test = looked(test)
    assert not test.exception
    assert any(words in error.value for error in test.error)
    test.text_input(key="data_path").set_value(str(tmp_path / "good.zip")).run()
    assert not looked(test).error


@pytest.mark.parametrize("kind", ["no zip", "ten classes", "code"])
def test_model_on_the_command_line(tmp_path, capsys, kind):
    content, words = bad_model(kind)
    (tmp_path / "bad.keras").write_bytes(content)
    (tmp_path / "photo.png").write_bytes(encoded("PNG"))
    assert cli.main(["classify", str(tmp_path / "photo.png"), "--model", str(tmp_path / "bad.keras"), "--json"]) == 1
    assert words in answers(capsys)[0]["error"]


@pytest.mark.parametrize("kind", ["no zip", "ten classes", "code"])
def test_model_on_the_page(app, kind):
    content, words = bad_model(kind)
    test = app()
    verdict = [line.value for line in test.main.markdown if line.value.startswith(("## Cat", "## Dog", "## Neither"))]
    upload = next(item for item in test.main.file_uploader if item.key == "model_upload")
    upload.upload("bad.keras", content, "application/octet-stream")
    test.run()
    assert not test.exception
    assert words in test.main.error[0].value
    assert [
        line.value for line in test.main.markdown if line.value.startswith(("## Cat", "## Dog", "## Neither"))
    ] == verdict
    assert {card.kind for card in models.list_models()} == {"bundled"}


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on a file's size")
def test_full_disk_while_training_on_the_command_line(home):
    """The processes may write no file past some megabyte, which the model does not fit into."""
    train = f"{sys.executable} -m cnn_core train --images 8 --epochs 1 --batch-size 8 --json"
    done = subprocess.run(["bash", "-c", f"ulimit -f 1000; exec {train}"], capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "disk is full" in json.loads(done.stdout.splitlines()[-1])["error"]
