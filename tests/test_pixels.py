"""`cnn_core.pixels`: what it computes from an opened image, compared with Pillow and with the definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cnn_core import pixels
from cnn_core.pixels import ImageError

RGB = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(2, 12), st.just(3)))
PHOTO = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


@given(RGB)
def test_channels_come_apart_and_together(image):
    channels = pixels.split_channels(image)
    np.testing.assert_array_equal(np.dstack(channels), image)
    tinted = [pixels.tint_channel(channel, name) for channel, name in zip(channels, pixels.CHANNELS, strict=True)]
    np.testing.assert_array_equal(sum(tinted), image)
    for number, single in enumerate(tinted):
        assert not np.delete(single, number, axis=2).any()


def test_an_unknown_channel():
    with pytest.raises(ImageError, match="red, green, blue"):
        pixels.tint_channel(np.zeros((2, 2), np.uint8), "infrared")


def test_gray_is_pillow_s_for_very_many_colors():
    steps = np.arange(0, 256, 3, dtype=np.uint8)
    image = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(86, -1, 3)
    np.testing.assert_array_equal(pixels.to_grayscale(image), np.asarray(Image.fromarray(image).convert("L")))


@given(RGB, st.integers(-10, 300))
def test_binary_is_one_exactly_where_gray_reaches_the_threshold(image, threshold):
    binary = pixels.to_binary(image, threshold)
    gray = np.asarray(Image.fromarray(image).convert("L"))
    assert binary.dtype == np.uint8
    assert [[int(int(value) >= threshold) for value in row] for row in gray] == binary.tolist()


def test_the_default_threshold_is_half_way():
    image = np.array([[[127] * 3, [128] * 3]], np.uint8)
    assert pixels.to_binary(image).tolist() == [[0, 1]]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(-5, 20), st.integers(-5, 20), st.integers(1, 12))
def test_a_region_is_as_large_as_can_be_and_where_it_says(height, width, row, column, size):
    image = np.arange(height * width).reshape(height, width)
    top, left, values = pixels.region(image, row, column, size)
    assert values.shape == (min(size, height), min(size, width))
    np.testing.assert_array_equal(values, image[top : top + values.shape[0], left : left + values.shape[1]])
    if 0 <= row <= height - size:
        assert top == row


def test_a_region_of_a_picture_keeps_its_channels():
    assert pixels.region(PHOTO, 3, 4, 5)[2].tolist() == PHOTO[3:8, 4:9].tolist()


def test_a_mark_frames_the_region_and_leaves_it_to_be_seen():
    image = np.random.default_rng(1).integers(0, 80, (60, 80, 3), np.uint8)
    marked = pixels.mark(image, top=20, left=30, size=8)
    changed = np.argwhere((marked != image).any(axis=2))
    assert changed.min(axis=0).tolist() == [15, 25]
    assert changed.max(axis=0).tolist() == [32, 42]
    np.testing.assert_array_equal(marked[20:28, 30:38], image[20:28, 30:38])


@pytest.mark.parametrize(("top", "left"), [(0, 0), (-1, -1), (0, 77), (57, 0), (57, 77)])
def test_a_mark_in_a_corner_has_all_its_sides(top, left):
    marked = pixels.mark(np.zeros((60, 80, 3), np.uint8), top, left, 3)
    rows, columns = np.nonzero((marked == pixels.FRAME).all(axis=2))
    assert len(set(rows)) == len(set(columns)) >= 7  # no side is cut off
    assert max(abs(rows.mean() - top - 1), abs(columns.mean() - left - 1)) < 12


@pytest.mark.parametrize(("top", "left"), [(0, 0), (992, 1992), (500, 700)])
def test_a_mark_on_a_shrunk_picture_lies_at_the_same_place(top, left):
    image = np.zeros((100, 200, 3), np.uint8)
    marked = pixels.mark(image, top, left, 8, full_height=1000)
    rows, columns = np.nonzero((marked == pixels.FRAME).all(axis=2))
    assert abs(rows.mean() - top / 10) < 10
    assert abs(columns.mean() - left / 10) < 10
    assert len(rows) > 20
    assert not image.any()


@pytest.mark.parametrize("shape", [(17, 31, 3), (17, 31)])
def test_resize_gives_the_size_and_keeps_the_mean(shape):
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    for height, width in ((9, 8), (40, 12), (17, 31)):
        resized = pixels.resize(image, height, width)
        assert resized.shape == (height, width, *shape[2:])
        assert resized.dtype == np.uint8
        assert abs(resized.mean() - image.mean()) < 4
    np.testing.assert_array_equal(pixels.resize(image, 17, 31), image)


def test_resize_averages_a_fine_pattern_away():
    chessboard = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = pixels.resize(chessboard, 8, 8)
    assert np.abs(small.astype(int) - 127).max() < 16


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 300))
def test_fit_never_enlarges_and_keeps_the_shape_s_proportions(height, width, longest):
    fitted = pixels.fit(np.zeros((height, width), np.uint8), longest)
    assert max(fitted.shape) == min(longest, max(height, width))
    expected = height * fitted.shape[1] / width if width >= height else width * fitted.shape[0] / height
    assert abs(min(fitted.shape) - max(1, expected)) <= 0.5 + 1e-9
