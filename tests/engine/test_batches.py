"""A training batch is a function of the seed and its number: any part of a training can be served alone."""

from itertools import chain

import numpy as np
import pytest
from PIL import Image

from cnn_core.dataset import Images
from cnn_core.engine.batches import batches, training_batches

pytestmark = pytest.mark.slow

LABELS = np.arange(10, dtype=np.int32) % 2


def photos(folder, broken=()) -> Images:
    """Ten images, whose gray says which they are."""
    files = [folder / f"{number}.png" for number in range(10)]
    for number, file in enumerate(files):
        Image.new("RGB", (4, 4), (number,) * 3).save(file)
        if number in broken:
            file.write_bytes(b"")
    return Images(list(map(str, files)), 4)


@pytest.fixture
def images(tmp_path, home):
    return photos(tmp_path)


def served(images, numbers: range, **settings) -> list[list[int]]:
    """Return which images each batch holds; its labels must be theirs."""
    found = []
    for batch, labels in training_batches(images, LABELS, 4, numbers, **{"seed": 1, **settings}):
        which = batch.numpy()[:, 0, 0, 0].astype(int)
        np.testing.assert_array_equal(which % 2, labels.numpy())
        found.append(which.tolist())
    return found


def test_every_epoch_has_every_image_once_in_an_order_of_its_own(images):
    first, second = served(images, range(3)), served(images, range(3, 6))
    for epoch in (first, second):
        assert [len(batch) for batch in epoch] == [4, 4, 2]
        assert sorted(number for batch in epoch for number in batch) == list(range(10))
    assert first != second
    assert served(images, range(3), seed=2) != first


@pytest.mark.parametrize("start", range(7))
def test_a_training_can_go_on_at_any_batch(images, start):
    whole = served(images, range(7))
    assert served(images, range(start, 7)) == whole[start:]


@pytest.mark.parametrize("broken", [{3}, {0, 1, 7, 8}, set(range(9))])
def test_broken_images_are_left_out_of_their_batches_whenever_the_training_goes_on(tmp_path, home, images, broken):
    whole = served(images, range(6))
    fewer = photos(tmp_path, broken)
    found = served(fewer, range(6))
    first = min(set(range(10)) - broken)
    assert found == [[number for number in batch if number not in broken] or [first] for batch in whole]
    assert set(fewer.broken) == broken
    assert served(photos(tmp_path, broken), range(4, 6)) == found[4:]
    tested = [shown.numpy()[:, 0, 0, 0].astype(int).tolist() for shown, _ in batches(fewer, LABELS, 4)]
    in_order = [range(4), range(4, 8), range(8, 10)]
    assert tested == [[number for number in batch if number not in broken] or [first] for batch in in_order]


def test_the_change_knows_the_number_of_its_batch(images):
    import tensorflow as tf

    def numbered(batch, number, *_):
        return batch * 0 + tf.cast(number, tf.float32)

    data = training_batches(images, LABELS, 4, range(2, 7), seed=1, change=numbered)
    assert [int(batch.numpy().max()) for batch, _ in data] == [2, 3, 4, 5, 6]


def test_for_testing_they_come_in_their_order(images):
    shown = [(batch.numpy()[:, 0, 0, 0].astype(int).tolist(), labels) for batch, labels in batches(images, LABELS, 4)]
    assert [which for which, _ in shown] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in shown]), LABELS)


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_the_parts_of_each_batch_are_the_whole_batch_in_its_order(images, parts):
    every = [served(images, range(6), part=part, parts=parts) for part in range(parts)]
    assert [list(chain(*shares)) for shares in zip(*every, strict=True)] == served(images, range(6))
    tested = [[list(labels.numpy()) for _, labels in batches(images, LABELS, 4, part, parts)] for part in range(parts)]
    whole = [list(labels.numpy()) for _, labels in batches(images, LABELS, 4)]
    assert [list(chain(*shares)) for shares in zip(*tested, strict=True)] == whole


def test_the_change_knows_the_place_of_its_part(images):
    import tensorflow as tf

    def noted(batch, number, first, whole):
        return batch * 0 + tf.cast(100 * number + tf.cast(10 * first + whole, tf.int64), tf.float32)

    data = training_batches(images, LABELS, 4, range(1, 4), seed=1, change=noted, part=1, parts=2)
    told = [(len(batch), int(batch.numpy().max())) for batch, _ in data]
    assert told == [(2, 124), (1, 212), (2, 324)]  # batches of 4, 2 and 4 images: their halves begin at 2, 1 and 2
