"""conv2d against SciPy, against numbers worked out by hand, and (slow) against TensorFlow."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d

from cnn_core import CnnLabError
from cnn_core.convolution import MAX_WEIGHT, ConvolutionError, conv2d, convolve_by_definition, output_size, step

RNG = np.random.default_rng(3)


def close(actual, expected):
    """To 1e-4, relative to the largest value: where large products cancel out, float32 has no more digits."""
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4 * max(1.0, abs(expected).max(initial=0)))


@st.composite
def settings_of_a_convolution(draw):
    kernel_size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    padding = draw(st.sampled_from(["valid", "same"]))
    least = kernel_size if padding == "valid" else (1, 1)
    return {
        "size": tuple(draw(st.integers(side, 20)) for side in least),
        "kernel_size": kernel_size,
        "stride": draw(st.tuples(st.integers(1, 5), st.integers(1, 5))),
        "padding": padding,
        "channels": draw(st.integers(1, 4)),
        "filters": draw(st.integers(1, 5)),
        "activation": draw(st.sampled_from([None, "relu"])),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "integers": draw(st.booleans()),
    }


def arrays(case):
    rng = np.random.default_rng(case["seed"])
    shape = (*case["size"], case["channels"])
    image = rng.integers(0, 256, shape, np.uint8) if case["integers"] else rng.normal(0, 100, shape)
    kernel = rng.normal(size=(*case["kernel_size"], case["channels"], case["filters"]))
    return image, kernel, rng.normal(0, 50, case["filters"])


@given(settings_of_a_convolution())
@settings(max_examples=150, deadline=None)
def test_a_whole_layer_equals_scipy(case):
    image, kernel, bias = arrays(case)
    actual = conv2d(
        image, kernel, stride=case["stride"], padding=case["padding"], bias=bias, activation=case["activation"]
    )
    expected = np.stack(
        [
            sum(scipy_map(image[..., c], kernel[..., c, f], case) for c in range(case["channels"])) + bias[f]
            for f in range(case["filters"])
        ],
        axis=-1,
    )
    close(actual, np.maximum(expected, 0) if case["activation"] else expected)


def scipy_map(channel, kernel, case):
    """One channel under one kernel. The zeros of "same" are laid by hand, as TensorFlow's documentation describes."""
    if case["padding"] == "same":
        edges = []
        for size, side, stride in zip(channel.shape, kernel.shape, case["stride"], strict=True):
            missing = max(side - (stride if size % stride == 0 else size % stride), 0)
            edges.append((missing // 2, missing - missing // 2))
        channel = np.pad(channel.astype(float), edges)
    return correlate2d(channel.astype(float), kernel, "valid")[:: case["stride"][0], :: case["stride"][1]]


@pytest.mark.slow
@given(settings_of_a_convolution())
@settings(max_examples=300, deadline=None)
def test_a_whole_layer_equals_tensorflow(case):
    import tensorflow as tf

    image, kernel, bias = arrays(case)
    expected = tf.nn.conv2d(
        image[None].astype("float32"), kernel.astype("float32"), case["stride"], case["padding"].upper()
    )
    expected = tf.nn.bias_add(expected, bias.astype("float32"))
    expected = tf.nn.relu(expected) if case["activation"] else expected
    actual = conv2d(
        image, kernel, stride=case["stride"], padding=case["padding"], bias=bias, activation=case["activation"]
    )
    close(actual, expected[0].numpy())


@given(settings_of_a_convolution())
@settings(max_examples=150, deadline=None)
def test_the_definition_equals_scipy(case):
    image, kernel, _ = arrays(case)
    image = np.pad(image, ((0, 6), (0, 6), (0, 0)))  # so that every kernel fits
    case["padding"] = "valid"
    expected = [
        sum(scipy_map(image[..., c], kernel[..., c, f], case) for c in range(case["channels"]))
        for f in range(case["filters"])
    ]
    close(convolve_by_definition(image, kernel.astype(np.float32), case["stride"]), np.stack(expected, axis=-1))


@given(settings_of_a_convolution())
@settings(max_examples=60, deadline=None)
def test_the_shapes_of_image_and_kernel_agree_with_each_other(case):
    image, kernel, _ = arrays(case)
    options = {"stride": case["stride"], "padding": case["padding"], "activation": case["activation"], "bias": 3.5}
    layer = conv2d(image, kernel, **options)
    close(conv2d(image, kernel[..., 0], **options), layer[..., 0])

    one = kernel[:, :, 0, 0]
    each = conv2d(image, one, **options)
    for c in range(case["channels"]):
        close(conv2d(image[..., c], one, **options), each[..., c])


@given(settings_of_a_convolution(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_step_is_one_value_of_the_map_and_its_numbers_add_up(case, data):
    image, kernel, bias = arrays(case)
    form = data.draw(st.sampled_from(["layer", "filter", "each channel", "gray"]))
    if form != "layer":
        bias = bias[0]
        kernel = kernel[..., 0] if form == "filter" else kernel[..., 0, 0]
        image = image[..., 0] if form == "gray" else image
    options = {"stride": case["stride"], "padding": case["padding"], "bias": bias, "activation": case["activation"]}
    whole = conv2d(image, kernel, **options)
    row, column = (data.draw(st.integers(0, side - 1)) for side in whole.shape[:2])
    one = step(image, kernel, row, column, **options)

    np.testing.assert_allclose(one.value, whole[row, column], rtol=1e-4, atol=1e-4 * max(1, abs(whole).max()))
    np.testing.assert_allclose(one.sum, one.products.reshape(-1, *one.sum.shape).sum(0), rtol=1e-3, atol=0.05)
    for i, j in np.ndindex(one.window.shape[:2]):
        y, x = one.top + i, one.left + j
        inside = 0 <= y < image.shape[0] and 0 <= x < image.shape[1]
        assert (one.window[i, j] == (image[y, x].astype("float32") if inside else 0)).all()


def test_numbers_worked_out_by_hand():
    image = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], np.uint8)
    kernel = [[0, 1], [-2, 0]]
    assert conv2d(image, kernel).tolist() == [[-8, -9, -10], [-12, -13, -14]]
    assert conv2d(image, kernel, stride=2, padding="same", bias=1).tolist() == [[-7, -9], [11, 13]]
    assert conv2d(image, kernel, bias=9.5, activation="relu").tolist() == [[1.5, 0.5, 0], [0, 0, 0]]


def test_the_odd_zero_of_same_goes_below_and_right():
    # 4 pixels, kernel 3, stride 2: one zero is missing in all, and TensorFlow puts it at the end.
    assert conv2d(np.ones((4, 4)), np.ones((3, 3)), stride=2, padding="same").tolist() == [[9, 6], [6, 4]]


def test_the_kernel_is_not_flipped():
    assert conv2d([[1, 2, 3]], [[0, 0, 1]]).tolist() == [[3]]


@pytest.mark.parametrize("kernel_size", [(3, 5), (40, 33)])
def test_bands_that_are_worked_on_one_after_another_leave_no_seam(kernel_size):
    image, kernel = RNG.normal(size=(300, 201)), RNG.normal(size=kernel_size)
    expected = correlate2d(image, kernel, "valid")
    close(conv2d(image, kernel), expected)
    close(conv2d(image, kernel, stride=(3, 2)), expected[::3, ::2])
    close(conv2d(image[..., None], kernel[..., None]), expected)


def test_the_input_is_left_as_it_is():
    image, kernel = np.ones((4, 4), np.float32), np.eye(1, dtype=np.float32)
    result = conv2d(image, kernel, bias=-3, activation="relu")
    assert result.tolist() == np.zeros((4, 4)).tolist()
    assert (image == 1).all()


def test_tensorflow_is_not_needed():
    import subprocess
    import sys

    code = "import cnn_core.convolution, cnn_core.pooling, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kernel": np.ones((5, 5))}, "larger than the picture"),
        ({"kernel": np.ones((1, 5))}, "larger than the picture"),
        ({"kernel": [[np.nan]]}, "finite"),
        ({"kernel": [[np.inf]]}, "finite"),
        ({"kernel": [[None]]}, "finite|must be a number"),
        ({"kernel": [["ten"]]}, "must be a number"),
        ({"kernel": [[1], [2, 3]]}, "must be a number"),
        ({"kernel": [[MAX_WEIGHT * 1.01]]}, "1,000,000"),
        ({"kernel": [[1e300]]}, "1,000,000"),
        ({"kernel": [1, 2, 3]}, "shape"),
        ({"kernel": np.ones((0, 3))}, "shape"),
        ({"kernel": np.ones((2, 2, 3))}, "channels"),
        ({"stride": 0}, "at least 1"),
        ({"stride": (1, -1)}, "at least 1"),
        ({"stride": 1.5}, "whole number"),
        ({"stride": (1, 2, 3)}, "stride"),
        ({"padding": "full"}, "valid.*same"),
        ({"padding": None}, "valid.*same"),
        ({"activation": "tanh"}, "relu"),
        ({"bias": math.nan}, "finite"),
        ({"bias": None}, "finite|must be a number"),
        ({"bias": [1, 2]}, "biases"),
        ({"bias": -2e6}, "1,000,000"),
        ({"image": np.ones(4)}, "shape"),
        ({"image": np.ones((0, 4))}, "shape"),
        ({"image": np.array([["a"]])}, "numbers"),
        ({"image": np.array([[np.nan, 1], [2, 3]])}, "NaN"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(change, sentence):
    arguments = {"image": np.ones((4, 4)), "kernel": np.ones((2, 2))} | change
    image, kernel = arguments.pop("image"), arguments.pop("kernel")
    with pytest.raises(ConvolutionError, match=sentence) as caught:
        conv2d(image, kernel, **arguments)
    assert isinstance(caught.value, CnnLabError)
    assert str(caught.value).endswith(".")
    with pytest.raises(ConvolutionError, match=sentence):
        step(image, kernel, 0, 0, **arguments)


@pytest.mark.parametrize(("row", "column"), [(-1, 0), (0, -1), (3, 0), (0, 3)])
def test_a_step_outside_the_map_is_refused(row, column):
    with pytest.raises(ConvolutionError, match="3 rows and 3 columns"):
        step(np.ones((4, 4)), np.ones((2, 2)), row, column)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 10))
def test_output_size_counts_the_stops(size, kernel_size, stride):
    assert output_size(size, kernel_size, stride=stride, padding="same") == len(range(0, size, stride))
    if kernel_size <= size:
        assert output_size(size, kernel_size, stride=stride) == len(range(0, size - kernel_size + 1, stride))
    else:
        with pytest.raises(ConvolutionError, match="larger"):
            output_size(size, kernel_size, stride=stride)
