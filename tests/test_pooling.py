"""Pooling against a plain loop over windows, against numbers worked out by hand, and (slow) against TensorFlow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core import CnnLabError
from cnn_core.pooling import PoolingError, average_pool2d, max_pool2d, output_size, windows


@st.composite
def poolings(draw):
    pool_size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    padding = draw(st.sampled_from(["valid", "same"]))
    least = pool_size if padding == "valid" else (1, 1)
    shape = [draw(st.integers(side, 16)) for side in least]
    if draw(st.booleans()):
        shape.append(draw(st.integers(1, 4)))
    image = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(0, 100, shape).astype("float32")
    strides = draw(st.one_of(st.none(), st.tuples(st.integers(1, 5), st.integers(1, 5))))
    return image, pool_size, strides, padding


@given(poolings())
@settings(max_examples=150, deadline=None)
def test_each_value_is_the_largest_or_the_mean_of_its_window(case):
    image, *options = case
    edges = windows(*image.shape[:2], *options)
    largest, mean = max_pool2d(image, *options), average_pool2d(image, *options)
    assert largest.shape == mean.shape == (*edges.shape[:2], *image.shape[2:])
    assert largest.dtype == mean.dtype == np.float32
    for row, column in np.ndindex(edges.shape[:2]):
        top, left, bottom, right = edges[row, column]
        window = image[top:bottom, left:right]
        assert window.size
        assert (largest[row, column] == window.max(axis=(0, 1))).all()
        np.testing.assert_allclose(mean[row, column], window.mean(axis=(0, 1)), rtol=1e-4, atol=1e-3)


@pytest.mark.slow
@given(poolings())
@settings(max_examples=300, deadline=None)
def test_equals_tensorflow(case):
    import tensorflow as tf

    image, pool_size, strides, padding = case
    batch = image.reshape(1, *image.shape[:2], -1)
    for ours, theirs in ((max_pool2d, tf.nn.max_pool2d), (average_pool2d, tf.nn.avg_pool2d)):
        expected = theirs(batch, pool_size, strides or pool_size, padding.upper())[0].numpy()
        actual = ours(image, pool_size, strides, padding)
        np.testing.assert_allclose(actual.reshape(expected.shape), expected, rtol=1e-4, atol=1e-3)


def test_numbers_worked_out_by_hand():
    image = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 90]], np.uint8)
    assert max_pool2d(image).tolist() == [[5]]
    assert max_pool2d(image, strides=1).tolist() == [[5, 6], [8, 90]]
    assert max_pool2d(image, padding="same").tolist() == [[5, 6], [8, 90]]
    assert average_pool2d(image, padding="same").tolist() == [[3, 4.5], [7.5, 90]]
    assert max_pool2d(image, (1, 3)).tolist() == [[3], [6], [90]]


def test_padding_never_wins_over_negative_numbers():
    assert max_pool2d([[-5, -7, -2]], (1, 2), padding="same").tolist() == [[-5, -2]]


def test_windows_as_tensorflow_lays_them():
    # 3 pixels, window 2, stride 1: one cell is missing, and it comes after the last.
    assert windows(1, 3, (1, 2), (1, 1), "same")[0, :, [1, 3]].T.tolist() == [[0, 2], [1, 3], [2, 3]]
    # 5 pixels, window 3, stride 2: one before, one after.
    assert windows(1, 5, (1, 3), (1, 2), "same")[0, :, [1, 3]].T.tolist() == [[0, 2], [1, 4], [3, 5]]


def test_the_input_is_left_as_it_is():
    image = np.arange(16, dtype=np.float32).reshape(4, 4)
    before = image.copy()
    max_pool2d(image)
    average_pool2d(image, 1)
    assert (image == before).all()


@pytest.mark.parametrize("pool", [max_pool2d, average_pool2d])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pool_size": 5}, "larger than the picture"),
        ({"pool_size": 0}, "at least 1"),
        ({"pool_size": 1.5}, "whole number"),
        ({"pool_size": (1, 2, 3)}, "one number, or two"),
        ({"strides": 0}, "at least 1"),
        ({"strides": (1, "2")}, "whole number"),
        ({"padding": "full"}, "valid.*same"),
        ({"image": np.ones(4)}, "shape"),
        ({"image": np.ones((2, 2, 2, 2))}, "shape"),
        ({"image": np.ones((4, 0))}, "shape"),
        ({"image": [["a"]]}, "numbers"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(pool, change, sentence):
    arguments = {"image": np.ones((4, 4))} | change
    with pytest.raises(PoolingError, match=sentence) as caught:
        pool(**arguments)
    assert isinstance(caught.value, CnnLabError)
    assert str(caught.value).endswith(".")


@given(st.integers(1, 40), st.integers(1, 10), st.one_of(st.none(), st.integers(1, 10)))
def test_output_size_counts_the_windows(size, pool_size, strides):
    stride = strides or pool_size
    assert output_size(size, pool_size, strides=strides, padding="same") == len(range(0, size, stride))
    if pool_size <= size:
        assert output_size(size, pool_size, strides=strides) == len(range(0, size - pool_size + 1, stride))
