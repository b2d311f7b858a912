"""What the labs are sent as a picture is the picture, number for number."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from pages.widgets import screen_image

SIDE = st.integers(1, 9)


@given(st.tuples(SIDE, SIDE, st.just(3)) | st.tuples(SIDE, SIDE), st.data())
def test_pillow_reads_the_same_picture_back(shape, data):
    colors = data.draw(arrays(np.uint8, shape))
    file = Image.open(io.BytesIO(base64.b64decode(screen_image.exact(colors))))
    gray = colors.ndim == 2  # WebP has only colors: a gray picture is the same in each
    np.testing.assert_array_equal(np.asarray(file), np.stack([colors] * 3, -1) if gray else colors)


@pytest.mark.parametrize("shape", [(300, 100, 3), (100, 300)])
def test_a_large_picture_is_shrunk_and_keeps_its_proportions(shape):
    file = Image.open(io.BytesIO(base64.b64decode(screen_image.exact(np.zeros(shape, np.uint8), 60))))
    assert file.format == "WEBP"
    assert sorted(file.size) == [20, 60]
