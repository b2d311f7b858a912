"""A training batch is a function of the seed and its number: any part of a training can be served alone."""

from itertools import chain

import numpy as np
import pytest

from cnn_core.engine.batches import batches, training_batches

pytestmark = pytest.mark.slow

IMAGES = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
LABELS = np.arange(10, dtype=np.int32) % 2


def served(numbers: range, **settings) -> list[list[int]]:
    """Return which images each batch holds; its labels must be theirs."""
    found = []
    for images, labels in training_batches(IMAGES, LABELS, 4, numbers, **{"seed": 1, **settings}):
        which = images.numpy()[:, 0, 0, 0].astype(int)
        np.testing.assert_array_equal(which % 2, labels.numpy())
        found.append(which.tolist())
    return found


def test_every_epoch_has_every_image_once_in_an_order_of_its_own():
    first, second = served(range(3)), served(range(3, 6))
    for epoch in (first, second):
        assert [len(batch) for batch in epoch] == [4, 4, 2]
        assert sorted(number for batch in epoch for number in batch) == list(range(10))
    assert first != second
    assert served(range(3), seed=2) != first


@pytest.mark.parametrize("start", range(7))
def test_a_training_can_go_on_at_any_batch(start):
    whole = served(range(7))
    assert served(range(start, 7)) == whole[start:]


def test_the_change_knows_the_number_of_its_batch():
    import tensorflow as tf

    def numbered(images, number, *_):
        return images * 0 + tf.cast(number, tf.float32)

    data = training_batches(IMAGES, LABELS, 4, range(2, 7), seed=1, change=numbered)
    assert [int(images.numpy().max()) for images, _ in data] == [2, 3, 4, 5, 6]


def test_for_testing_they_come_in_their_order():
    shown = [(images.numpy()[:, 0, 0, 0].astype(int).tolist(), labels) for images, labels in batches(IMAGES, LABELS, 4)]
    assert [which for which, _ in shown] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in shown]), LABELS)


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_the_parts_of_each_batch_are_the_whole_batch_in_its_order(parts):
    every = [served(range(6), part=part, parts=parts) for part in range(parts)]
    assert [list(chain(*shares)) for shares in zip(*every, strict=True)] == served(range(6))
    tested = [[list(labels.numpy()) for _, labels in batches(IMAGES, LABELS, 4, part, parts)] for part in range(parts)]
    whole = [list(labels.numpy()) for _, labels in batches(IMAGES, LABELS, 4)]
    assert [list(chain(*shares)) for shares in zip(*tested, strict=True)] == whole


def test_the_change_knows_the_place_of_its_part():
    import tensorflow as tf

    def noted(images, number, first, whole):
        return images * 0 + tf.cast(100 * number + tf.cast(10 * first + whole, tf.int64), tf.float32)

    data = training_batches(IMAGES, LABELS, 4, range(1, 4), seed=1, change=noted, part=1, parts=2)
    told = [(len(images), int(images.numpy().max())) for images, _ in data]
    assert told == [(2, 124), (1, 212), (2, 324)]  # batches of 4, 2 and 4 images: their halves begin at 2, 1 and 2
