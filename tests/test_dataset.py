"""Datasets: every shape they come in, what is broken in them, and zips that mean harm."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core import dataset
from cnn_core.data_files.survey import readable
from cnn_core.storage import archives
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
    assert table.attrs["name"] == "dogs-vs-cats"
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
    assert len(table) == 8  # no file is opened yet
    whole = readable(table, table.attrs["folder"])
    assert len(whole) == 6
    assert whole.attrs["broken"] == ["PetImages/Cat/666.jpg", "PetImages/Dog/11702.jpg"]


def test_damaged_member_is_broken_not_fatal(tmp_path):
    data = bytearray(zip_of(kaggle()))
    at = data.index(b"train/dog.2.png") + 40
    data[at] ^= 0xFF  # its checksum no longer holds
    path = tmp_path / "train.zip"
    path.write_bytes(data)
    table = dataset.open_dataset(path)
    whole = readable(table, table.attrs["folder"])
    assert whole.attrs["broken"] == ["train/dog.2.png"]
    assert len(whole) == len(table) - 1 == 7


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
    with pytest.raises(dataset.DatasetError, match="no picture of a dog"):
        dataset.open_dataset(tmp_path)


def test_no_labels_and_nothing_there(tmp_path):
    (tmp_path / "1.png").write_bytes(picture())
    with pytest.raises(dataset.DatasetError, match="no picture with a label"):
        dataset.open_dataset(tmp_path)
    with pytest.raises(dataset.DatasetError, match="There is no folder or zip"):
        dataset.open_dataset(tmp_path / "nothing")


def test_the_sets_share_no_photo_and_need_four(tmp_path):
    (tmp_path / "train.zip").write_bytes(zip_of(kaggle(10)))
    table = dataset.open_dataset(tmp_path)
    training, test = dataset.split(table)
    assert (len(training), len(test)) == (15, 5)
    assert not set(training["file"]) & set(test["file"])
    with pytest.raises(dataset.DatasetError, match="too few"):
        dataset.split(table.head(3))


def test_no_photo_is_opened_before_it_is_needed(tmp_path, monkeypatch):
    (tmp_path / "train.zip").write_bytes(zip_of(kaggle()))
    dataset.open_dataset(tmp_path)  # unpacked
    monkeypatch.setattr("PIL.Image.open", lambda *_, **__: pytest.fail("a photo was opened"))
    table = dataset.open_dataset(tmp_path)
    dataset.split(table)
    images, labels = dataset.images_and_labels(table, 6)
    assert (len(images), labels.tolist()) == (8, [0] * 4 + [1] * 4)


def test_long_listings_show_their_progress(tmp_path):
    for number in range(2500):
        (tmp_path / f"{'cat' if number % 2 else 'dog'}.{number}.jpg").touch()
    told = []
    dataset.open_dataset(tmp_path, progress=lambda *news: told.append(news))
    assert [done for done, _, _ in told] == [1000, 2000, 2500]


def test_the_order_is_that_of_the_parts_of_the_paths(tmp_path):
    inside = ["cat/b/1.png", "cat/a.png", "cat/b.png", "cat b/1.png", "cat-1.png", "dog/1.png", "cat/b 2/1.png"]
    for name in inside:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    table = dataset.open_dataset(tmp_path)
    found = [Path(file).relative_to(tmp_path) for file in table["file"]]
    assert found == sorted(
        (path for path in map(Path, inside) if path.parts[0] != "cat b"), key=lambda path: path.parts
    )


@pytest.mark.parametrize("size", [4, 5, 7, 10, 101, 1000])
@pytest.mark.parametrize(("share", "seed"), [(0.25, 42), (0.1, 0), (0.3, 7), (0.5, 1), (1 / 3, 3)])
def test_the_split_is_scikit_learns(size, share, seed):
    import pandas as pd
    from sklearn.model_selection import train_test_split

    table = pd.DataFrame({"file": map(str, range(size)), "label": "cat"})
    expected = train_test_split(table, test_size=share, random_state=seed)
    for ours, theirs in zip(dataset.split(table, share, seed), expected, strict=True):
        assert ours["file"].tolist() == theirs["file"].tolist()


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="the real dataset, ../shared/data/dogs-vs-cats.zip, is not here")
def test_real_dataset_is_the_articles():
    table = dataset.open_dataset(REAL)
    assert table["label"].value_counts().to_dict() == {"cat": 12500, "dog": 12500}
    training, test = dataset.split(table)
    assert (len(training), len(test)) == (18750, 6250)
