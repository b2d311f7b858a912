"""Two convolutions in a row are one: the combined kernel against SciPy, and the maps against each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import convolve2d

from cnn_core.convolution import ConvolutionError, conv2d
from cnn_core.kernels import KERNELS
from cnn_core.layers.stacked import combined_kernel, two_layers

SIDES = st.integers(1, 7)


@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_combined_kernel_is_scipys_full_convolution(height, width, rows, columns, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(height, width)), rng.normal(size=(rows, columns))
    combined = combined_kernel(first, second)
    assert combined.dtype == np.float32
    np.testing.assert_allclose(combined, convolve2d(first, second), rtol=1e-5, atol=1e-5)


def test_each_channel_of_the_first_kernel_is_combined_by_itself():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(3, 3, 3)), rng.normal(size=(5, 3))
    expected = np.stack([convolve2d(first[..., channel], second) for channel in range(3)], axis=-1)
    np.testing.assert_allclose(combined_kernel(first, second), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
@pytest.mark.parametrize("first", [(3, 3), (7, 5)])
def test_without_relu_two_layers_are_one_and_with_it_they_are_not(shape, first):
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    both = two_layers(image, rng.normal(size=first), rng.normal(size=(3, 3)))
    np.testing.assert_array_equal(both.one, conv2d(image, both.combined))
    assert both.linear.shape == both.relu.shape == both.one.shape
    assert both.linear_difference < 1e-5 * both.largest
    assert both.relu_difference > 0.1 * both.largest


def test_a_layer_that_adds_its_channels_up():
    rng = np.random.default_rng(3)
    image, first = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8), rng.normal(size=(3, 3, 3))
    both = two_layers(image, first, KERNELS["box_blur"].values)
    assert both.one.shape == (8, 8)
    assert both.linear_difference < 1e-5 * both.largest


def test_relu_changes_nothing_where_nothing_is_negative():
    image = np.random.default_rng(4).integers(0, 256, (12, 12), dtype=np.uint8)
    both = two_layers(image, np.ones((3, 3)), KERNELS["sobel_x"].values)
    assert both.relu_difference == both.linear_difference == 0


def test_what_cannot_be_combined_is_a_sentence():
    with pytest.raises(ConvolutionError, match="The first kernel has the shape"):
        combined_kernel(np.ones((3, 3, 3, 2)), np.ones((3, 3)))
    with pytest.raises(ConvolutionError, match="The first kernel has the shape"):
        combined_kernel(np.ones((3, 3)), np.ones((3, 3, 3)))
    with pytest.raises(ConvolutionError):
        two_layers(np.zeros((4, 4)), np.ones((3, 3)), np.ones((3, 3)))
