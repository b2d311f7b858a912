"""Photos are decoded when they are first needed, in any number and on any disk; broken ones are left out and named."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core import dataset
from cnn_core.data_files import decoded
from cnn_core.dataset import Images
from cnn_core.pixels import open_image, resize
from cnn_core.storage import cache

SIZE = 6


@pytest.fixture
def files(tmp_path, home):
    """Eight photos, of which the fourth and the last are broken."""
    random = np.random.default_rng(1)
    found = [tmp_path / f"{'cat' if number < 4 else 'dog'}.{number}.png" for number in range(8)]
    for file in found:
        Image.fromarray(random.integers(0, 256, (9, 7, 3), np.uint8)).save(file)
    found[3].write_bytes(found[3].read_bytes()[:60])
    found[7].write_bytes(b"")
    return list(map(str, found))


def expected(files, places):
    return np.stack([resize(open_image(files[place]), SIZE, SIZE) for place in places])


@pytest.fixture
def no_decoding(monkeypatch):
    def forbid():
        monkeypatch.setattr("cnn_core.data_files.decoded.open_image", lambda file: pytest.fail(f"{file} was decoded"))

    return forbid


def kept(home) -> Path:
    (path,) = (home / "cache").glob("images-*")
    return path


def test_photos_come_in_the_order_asked_for_without_the_broken_ones(files):
    images = Images(files, SIZE)
    found, places = images.read([5, 3, 0, 7, 5])
    assert places.tolist() == [5, 0, 5]
    np.testing.assert_array_equal(found, expected(files, places))
    assert images.broken == {3: files[3], 7: files[7]}
    assert images.read([7, 3])[0].shape == (0, SIZE, SIZE, 3)
    assert (images.first([7, 3, 6, 1]), images.first([3, 7])) == (6, None)


def test_nothing_is_decoded_twice_also_not_by_the_next_process(files, no_decoding):
    places = [0, 2, 6]
    images = Images(files, SIZE)
    images.read(places)
    no_decoding()
    for again in (images, Images(files, SIZE)):
        np.testing.assert_array_equal(again.read(places)[0], expected(files, places))


def test_a_photo_that_has_changed_is_decoded_anew(files):
    before = Images(files, SIZE).read([0, 1])[0]
    shutil.copyfile(files[1], files[0])
    os.utime(files[0], ns=(1, 1))
    after = Images(files, SIZE).read([0, 1])[0]
    np.testing.assert_array_equal(after, before[[1, 1]])


@pytest.mark.parametrize("damage", ["cut", "zeros", "noise"])
def test_what_was_only_half_written_is_not_believed(files, home, damage):
    Images(files, SIZE).read(range(8))
    whole = kept(home).read_bytes()
    half = len(whole) // 2
    rest = {"cut": b"", "zeros": bytes(len(whole) - half), "noise": os.urandom(len(whole) - half)}[damage]
    kept(home).write_bytes(whole[:half] + rest)
    found, places = Images(files, SIZE).read(range(8))
    np.testing.assert_array_equal(found, expected(files, places))


def test_where_there_is_no_room_photos_are_decoded_every_time(files, home, monkeypatch):
    monkeypatch.setitem(cache.MAX_BYTES, "images", 2 * 4 * (SIZE * SIZE * 3 + 4))  # four for each of two sets
    for _ in range(2):
        found, places = Images(files, SIZE).read(range(8))
        np.testing.assert_array_equal(found, expected(files, places))
    assert kept(home).stat().st_size <= cache.MAX_BYTES["images"] / 2


def test_older_results_make_room_while_the_file_grows(files, home, monkeypatch):
    row = SIZE * SIZE * 3 + 4
    monkeypatch.setattr(decoded, "PRUNE_BYTES", 2 * row)
    monkeypatch.setitem(cache.MAX_BYTES, "images", 16 * row)
    old = cache.cached("images", ["old"], lambda path: path.write_bytes(bytes(12 * row)), ".rows")
    os.utime(old, (1, 1))
    images = Images(files, SIZE)
    assert old.exists(), "there is room for both yet"
    images.read(range(3))
    assert old.exists()
    images.read(range(8))
    assert not old.exists()


def test_a_home_that_cannot_be_written_does_no_harm(files, home):
    home.write_text("in the way")
    np.testing.assert_array_equal(Images(files, SIZE).read([0])[0], expected(files, [0]))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_does_no_harm(files, home):
    Images(files, SIZE)
    rows = kept(home)
    rows.unlink()
    rows.symlink_to("/dev/full")
    np.testing.assert_array_equal(Images(files, SIZE).read([0, 1])[0], expected(files, [0, 1]))


def test_a_class_without_a_photo_that_can_be_read_is_a_sentence(files):
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    dataset.check_readable(Images(files, SIZE), labels, "training")
    only = [files[0], files[3], files[7], files[7]]
    with pytest.raises(dataset.DatasetError, match="No dog of the test set can be read: all 2 files are broken"):
        dataset.check_readable(Images(only, SIZE), np.array([0, 0, 1, 1]), "test")
