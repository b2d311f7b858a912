"""A chain of stages: each is the function it names, and nothing outside of a receptive field changes its value."""

import numpy as np
import pytest

from cnn_core.chain import Convolution, Pooling, ReLU, receptive_field, run
from cnn_core.convolution import ConvolutionError, conv2d
from cnn_core.pooling import average_pool2d, max_pool2d

RANDOM = np.random.default_rng(3)
IMAGE = RANDOM.integers(0, 256, (24, 19)).astype(np.uint8)
CHAINS = [
    [Convolution(RANDOM.normal(size=(3, 3)))],
    [Convolution(RANDOM.normal(size=(3, 3))), ReLU(), Pooling()],
    [
        Convolution(RANDOM.normal(size=(5, 5))),
        Pooling("average", 3, 2, "same"),
        Convolution(RANDOM.normal(size=(3, 3))),
    ],
    [Pooling("max", 2, 3, "same"), ReLU(), Convolution(RANDOM.normal(size=(3, 3))), Pooling("average")],
]


def test_each_stage_takes_the_map_before_it():
    kernel = RANDOM.normal(size=(3, 3))
    maps = run(IMAGE, [Convolution(kernel), ReLU(), Pooling("average", 3, 2, "same"), Pooling()])
    assert maps[0] is IMAGE
    convolved = conv2d(IMAGE, kernel)
    np.testing.assert_array_equal(maps[1], convolved)
    np.testing.assert_array_equal(maps[2], np.where(convolved > 0, convolved, 0))
    np.testing.assert_array_equal(maps[3], average_pool2d(maps[2], 3, 2, "same"))
    np.testing.assert_array_equal(maps[4], max_pool2d(maps[3]))


def test_a_window_that_does_not_fit_is_refused():
    with pytest.raises(ConvolutionError, match="larger than the picture"):
        run(IMAGE[:6, :6], [Pooling(), Pooling(), Convolution(np.ones((3, 3)))])


@pytest.mark.parametrize("stages", CHAINS)
def test_a_value_depends_on_its_receptive_field_and_on_nothing_else(stages):
    maps = run(IMAGE, stages)
    shapes = [values.shape for values in maps[:-1]]
    height, width = maps[-1].shape
    for row, column in [(0, 0), (height - 1, width - 1), (height // 2, width // 3)]:
        top, left, bottom, right = receptive_field(shapes, stages, row, column)
        outside = 255 - IMAGE
        outside[top:bottom, left:right] = IMAGE[top:bottom, left:right]
        assert run(outside, stages)[-1][row, column] == maps[-1][row, column]
        # Each edge counts: the value of some image changes when only that row or column changes.
        rows, columns = slice(top, bottom), slice(left, right)
        for edge in ((top, columns), (bottom - 1, columns), (rows, left), (rows, right - 1)):
            assert any(_changes(stages, edge, row, column, seed) for seed in range(60))


def _changes(stages, edge, row, column, seed) -> bool:
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, IMAGE.shape).astype(np.uint8)
    other = image.copy()
    other[edge] = random.integers(0, 256, other[edge].shape)
    return run(image, stages)[-1][row, column] != run(other, stages)[-1][row, column]
