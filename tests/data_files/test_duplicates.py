"""A photo of the test set that is in the training set too is found, also resized or saved anew; others are not."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from cnn_core import dataset
from cnn_core.data_files.duplicates import duplicates
from cnn_core.data_files.summary import summary
from cnn_core.data_files.survey import survey
from cnn_core.source import Source

PHOTOS = ("chelsea", "coffee", "astronaut", "rocket")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Cats: four photos and their mirror images. Dogs: four pictures of noise and four plain walls."""
    folder = tmp_path_factory.mktemp("original")
    random = np.random.default_rng(0)
    for label in dataset.LABELS:
        (folder / label).mkdir()
    for number, name in enumerate(PHOTOS):
        photo = Image.fromarray(getattr(data, name)())
        photo.save(folder / "cat" / f"{name}.png")
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "cat" / f"{name}_mirrored.png")
        noise = random.integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(noise).save(folder / "dog" / f"noise_{number}.png")
        Image.new("RGB", (40 + number, 50), (60 * number, 30, 30)).save(folder / "dog" / f"wall_{number}.png")
    return folder


@pytest.fixture
def pets(tmp_path, home, original):
    """A copy of them that a test may change."""
    return shutil.copytree(original, tmp_path / "pets")


def seen(table) -> dict:
    return dict(zip(table["file"], survey(table["file"]), strict=True))


def found(folder: Path) -> dict[str, tuple[str, bool]]:
    """Take the copies as the test set, and say what each was found to be a copy of."""
    table = dataset.open_dataset(folder)
    copies = table["file"].str.contains("copy")
    rows = duplicates(seen(table), table[~copies], table[copies])
    names = {part: [Path(file).name for file in rows[part]] for part in ("test", "training")}
    return dict(zip(names["test"], zip(names["training"], rows["same_file"], strict=True), strict=True))


def test_without_copies_nothing_is_found(pets):
    table = dataset.open_dataset(pets)
    half = table["file"].str.contains("mirrored|_1|_2")
    assert duplicates(seen(table), table[half], table[~half]).empty


@pytest.mark.parametrize("name", [*PHOTOS, "chelsea_mirrored"])
def test_copies_are_found_resized_saved_anew_and_as_they_are(pets, name):
    photo = Image.open(pets / "cat" / f"{name}.png")
    photo.resize((photo.width // 3, photo.height // 3)).save(pets / "cat" / "copy_small.png")
    photo.save(pets / "dog" / "copy_poor.jpg", quality=40)
    photo.resize((photo.width * 2, photo.height * 2)).convert("L").save(pets / "cat" / "copy_large_and_gray.webp")
    shutil.copyfile(pets / "cat" / f"{name}.png", pets / "cat" / "copy_same.png")
    photo.crop((0, 0, photo.width // 2, photo.height // 2)).save(pets / "cat" / "copy_of_a_part.png")
    copies = found(pets)
    assert copies.pop("copy_same.png") == (f"{name}.png", True)
    copies.pop("copy_large_and_gray.webp", None)  # gray or in color, may be told apart
    assert copies == {"copy_small.png": (f"{name}.png", False), "copy_poor.jpg": (f"{name}.png", False)}


def test_the_summary_counts_what_is_there(pets):
    shutil.copyfile(pets / "cat" / "rocket.png", pets / "cat" / "rocket_again.png")
    (pets / "dog" / "broken.jpg").write_bytes(b"no picture")
    source = Source(str(pets), test_size=0.5, seed=1)
    table = source.table()
    facts = summary(source, table)
    assert facts.balance["photos"].tolist() == [9, 8]
    assert sorted(facts.balance[["training", "test"]].sum()) == [8, 9]  # of 9 each, one is broken
    assert facts.broken == ["dog/broken.jpg"]
    whole = [file for file in table["file"] if "broken" not in file]
    sizes = [Image.open(file).size for file in whole]
    assert facts.sizes.width == (
        min(w for w, _ in sizes),
        int(np.median([w for w, _ in sizes])),
        max(w for w, _ in sizes),
    )
    assert facts.sizes.height[2] == max(h for _, h in sizes)
    assert facts.sizes.bytes == sum(Path(file).stat().st_size for file in whole)
    training, _ = source.parts(table)
    apart = {Path(file).name for file in training["file"]} & {"rocket.png", "rocket_again.png"}
    assert len(facts.duplicates) == (len(apart) == 1)


def test_every_photo_is_read_once(pets, monkeypatch):
    (pets / "dog" / "broken.jpg").write_bytes(b"no picture")
    told = []
    source = Source(str(pets))
    first = summary(source, source.table(), progress=lambda *news: told.append(news))
    assert (17, 17, "Looking at the pictures") in told
    monkeypatch.setattr("cnn_core.data_files.survey.open_image", lambda _: pytest.fail("read again"))
    assert summary(source, source.table()).broken == first.broken == ["dog/broken.jpg"]


def test_photos_that_have_gone_are_a_sentence(pets):
    source = Source(str(pets))
    table = source.table()
    (pets / "cat" / "rocket.png").unlink()
    with pytest.raises(dataset.DatasetError, match="Read them again"):
        summary(source, table)
