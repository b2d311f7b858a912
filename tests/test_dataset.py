"""Datasets: every shape they come in, what is broken in them, and zips that mean harm."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core import dataset
from cnn_core.pixels import open_image, resize
from cnn_core.storage import archives, cache
from tests.made_files import zip_of

REAL = Path(__file__).parents[2] / "shared" / "data" / "dogs-vs-cats.zip"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def picture(value: int = 0, size: int = 8) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((size, size, 3), value, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def kaggle(count: int = 4) -> dict[str, bytes]:
    return {f"train/{label}.{n}.png": picture(n) for label in ("cat", "dog") for n in range(count)}


def names(table) -> list[str]:
    return [Path(file).name for file in table["file"]]


def test_zip_within_a_zip(tmp_path):
    path = tmp_path / "dogs-vs-cats.zip"
    path.write_bytes(zip_of({"test1.zip": b"?", "sampleSubmission.csv": b"id,label", "train.zip": zip_of(kaggle(11))}))
    table = dataset.open_dataset(path)
    assert table["label"].value_counts().to_dict() == {"cat": 11, "dog": 11}
    assert names(table)[:3] == ["cat.0.png", "cat.1.png", "cat.10.png"]  # sorted by name, as text
    assert (table.attrs["name"], table.attrs["broken"]) == ("dogs-vs-cats", [])
    assert table["file"].str.startswith(table.attrs["folder"]).all()


def test_train_zip_and_folder_holding_it_give_the_same(tmp_path):
    (tmp_path / "train.zip").write_bytes(zip_of(kaggle()))
    assert names(dataset.open_dataset(tmp_path / "train.zip")) == names(dataset.open_dataset(tmp_path))


def test_petimages_with_its_broken_files(tmp_path):
    members = {f"PetImages/{label}/{n}.jpg": picture(n) for label in ("Cat", "Dog") for n in range(3)}
    members |= {"PetImages/Cat/666.jpg": b"", "PetImages/Dog/11702.jpg": b"no picture", "PetImages/Dog/Thumbs.db": b"x"}
    path = tmp_path / "kagglecatsanddogs_5340.zip"
    path.write_bytes(zip_of(members))
    table = dataset.open_dataset(path)
    assert len(table) == 6
    assert table.attrs["broken"] == ["PetImages/Cat/666.jpg", "PetImages/Dog/11702.jpg"]


def test_damaged_member_is_broken_not_fatal(tmp_path):
    data = bytearray(zip_of(kaggle()))
    at = data.index(b"train/dog.2.png") + 40
    data[at] ^= 0xFF  # its checksum no longer holds
    path = tmp_path / "train.zip"
    path.write_bytes(data)
    table = dataset.open_dataset(path)
    assert table.attrs["broken"] == ["train/dog.2.png"]
    assert len(table) == 7


@pytest.mark.parametrize("folders", [("cat", "dog"), ("Cats", "Dogs"), ("train/cats", "train/dogs")])
def test_folders_named_after_classes(tmp_path, folders):
    for folder in folders:
        (tmp_path / "pets" / folder).mkdir(parents=True)
        for n in range(2):
            (tmp_path / "pets" / folder / f"IMG_{n}.png").write_bytes(picture(n))
    assert dataset.open_dataset(tmp_path / "pets")["label"].tolist() == ["cat", "cat", "dog", "dog"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.0.jpg", "cat"),
        ("Dog_12.png", "dog"),
        ("dogs/cat.3.jpg", "cat"),
        ("a/Cats/b/1.jpg", "cat"),
        ("category.jpg", None),
        ("dogma/1.jpg", None),
        ("test1/1.jpg", None),
    ],
)
def test_label_of(name, label):
    assert dataset.label_of(name) == label


def test_zip_is_extracted_once(tmp_path):
    path = tmp_path / "train.zip"
    path.write_bytes(zip_of(kaggle()))
    first = dataset.open_dataset(path)
    file = Path(first["file"][0])
    before = file.stat().st_mtime_ns
    dataset.open_dataset(path)
    assert file.stat().st_mtime_ns == before
    os.utime(path, ns=(1, 1))  # a changed zip is read anew
    assert dataset.open_dataset(path)["file"][0] != str(file)


@pytest.mark.parametrize(
    "evil", ["../evil.cat.png", "a/../../cat.1.png", "/etc/cat.9.png", "C:\\cat.1.png", "..\\cat.1.png"]
)
def test_path_outside_is_refused_and_nothing_unpacked(tmp_path, home, evil):
    path = tmp_path / "train.zip"
    path.write_bytes(zip_of({**kaggle(), evil: picture()}))
    with pytest.raises(dataset.DatasetError, match="outside its own folder"):
        dataset.open_dataset(path)
    assert not list(home.rglob("*.png"))
    assert not list(tmp_path.glob("*.png"))


def test_inner_zip_is_checked_too(tmp_path, home):
    path = tmp_path / "dogs-vs-cats.zip"
    path.write_bytes(zip_of({"train.zip": zip_of({**kaggle(), "../cat.1.png": picture()})}))
    with pytest.raises(dataset.DatasetError, match="outside its own folder"):
        dataset.open_dataset(path)
    assert not list(home.rglob("*.png"))


def test_size_is_bounded_before_unpacking(tmp_path, home, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    path = tmp_path / "bomb.zip"
    path.write_bytes(zip_of({**kaggle(), "train/cat.99.png": b"0" * 2000}))
    with pytest.raises(dataset.DatasetError, match="would unpack to"):
        dataset.open_dataset(path)
    assert not list(home.rglob("*.png"))


def test_full_disk_is_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "train.zip"
    path.write_bytes(zip_of(kaggle()))
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(dataset.DatasetError, match="disk has only"):
        dataset.open_dataset(path)


@pytest.mark.parametrize("data", [b"", b"this is text", zip_of(kaggle())[:-30]])
def test_no_zip(tmp_path, data):
    path = tmp_path / "photos.zip"
    path.write_bytes(data)
    with pytest.raises(dataset.DatasetError, match="is not a zip file"):
        dataset.open_dataset(path)


def test_one_class(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.png").write_bytes(picture())
    with pytest.raises(dataset.DatasetError, match="no readable picture of a dog"):
        dataset.open_dataset(tmp_path)


def test_no_labels_and_nothing_there(tmp_path):
    (tmp_path / "1.png").write_bytes(picture())
    with pytest.raises(dataset.DatasetError, match="no picture with a label"):
        dataset.open_dataset(tmp_path)
    with pytest.raises(dataset.DatasetError, match="There is no folder or zip"):
        dataset.open_dataset(tmp_path / "nothing")


def test_split_is_the_articles(tmp_path):
    from sklearn.model_selection import train_test_split

    (tmp_path / "train.zip").write_bytes(zip_of(kaggle(10)))
    table = dataset.open_dataset(tmp_path)
    training, test = dataset.split(table)
    expected = train_test_split(table, test_size=0.25, random_state=42)
    assert training["file"].tolist() == expected[0]["file"].tolist()
    assert test["file"].tolist() == expected[1]["file"].tolist()
    assert not set(training["file"]) & set(test["file"])
    with pytest.raises(dataset.DatasetError, match="too few"):
        dataset.split(table.head(3))


def test_load_images_decodes_once_and_in_order(tmp_path):
    (tmp_path / "train.zip").write_bytes(zip_of(kaggle()))
    table = dataset.open_dataset(tmp_path)
    told = []
    images, labels = dataset.load_images(table, 6, lambda *progress: told.append(progress))
    assert images.shape == (8, 6, 6, 3)
    assert images.dtype == np.uint8
    assert labels.tolist() == [0] * 4 + [1] * 4
    for image, file in zip(images, table["file"], strict=True):
        np.testing.assert_array_equal(image, resize(open_image(file), 6, 6))
    assert told[-1][:2] == (8, 8)
    told.clear()
    again, _ = dataset.load_images(table, 6, lambda *progress: told.append(progress))
    np.testing.assert_array_equal(again, images)
    assert not told  # it came from the cache


def test_load_images_names_a_file_that_went_bad(tmp_path):
    (tmp_path / "train.zip").write_bytes(zip_of(kaggle()))
    table = dataset.open_dataset(tmp_path)
    Path(table["file"][0]).write_bytes(b"")
    with pytest.raises(dataset.DatasetError, match="could not be prepared"):
        dataset.load_images(table, 6)
    assert not list((tmp_path / "home" / "cache").glob(".*"))


def test_cache_stays_bounded(tmp_path, monkeypatch):
    (tmp_path / "train.zip").write_bytes(zip_of(kaggle()))
    table = dataset.open_dataset(tmp_path)
    monkeypatch.setitem(cache.MAX_BYTES, "images", 3000)
    for size in (8, 9, 10):  # 1.5, 1.9 and 2.4 kB
        images, _ = dataset.load_images(table, size)
    kept = list((tmp_path / "home" / "cache").glob("images-*.npy"))
    assert [np.load(file).shape for file in kept] == [images.shape]


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="the real dataset, ../shared/data/dogs-vs-cats.zip, is not here")
def test_real_dataset_is_the_articles():
    table = dataset.open_dataset(REAL)
    assert table["label"].value_counts().to_dict() == {"cat": 12500, "dog": 12500}
    assert table.attrs["broken"] == []
    training, test = dataset.split(table)
    assert (len(training), len(test)) == (18750, 6250)
