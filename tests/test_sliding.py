"""The fast ways to convolve give the numbers of the definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnn_core.convolution import convolve_by_definition
from cnn_core.sliding import fast


@st.composite
def cases(draw):
    """An image, kernels of whole numbers that fit into it, and a stride: with whole numbers every sum is exact."""
    kernel_height, kernel_width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    height, width = kernel_height + draw(st.integers(0, 24)), kernel_width + draw(st.integers(0, 24))
    channels, filters = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    image = rng.integers(0, 256, (height, width, channels)).astype(np.float32)
    kernels = rng.integers(-9, 10, (kernel_height, kernel_width, channels, filters)).astype(np.float32)
    return image, kernels, (draw(st.integers(1, 4)), draw(st.integers(1, 4)))


@given(cases())
def test_all_filters_at_once_are_the_definition(case):
    image, kernels, stride = case
    np.testing.assert_array_equal(
        fast.each_filter(image, kernels, stride), convolve_by_definition(image, kernels, stride)
    )


@given(cases())
def test_each_channel_by_itself_is_the_definition(case):
    image, kernels, stride = case
    kernel = kernels[:, :, :1, :1]
    channels = [
        convolve_by_definition(image[..., number, None], kernel, stride)[..., 0] for number in range(image.shape[2])
    ]
    np.testing.assert_array_equal(fast.each_channel(image, kernel[..., 0, 0], stride), np.stack(channels, axis=-1))
