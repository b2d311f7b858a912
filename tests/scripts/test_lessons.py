"""The scripts of lessons 1 to 3 run as they are, and compute what the page computes."""

import numpy as np
import pytest
from PIL import Image

from cnn_core import chain
from cnn_core.chain import Convolution, Pooling, ReLU
from cnn_core.convolution import conv2d
from cnn_core.pixels import open_image, resize, split_channels, to_grayscale
from cnn_core.scripts import chain_script, lessons

KERNEL = np.array([[-1, 0, 1 / 9], [-2.5, 0, 2], [-1, 0, 1]])


@pytest.fixture
def photo(tmp_path, monkeypatch):
    pixels = np.random.default_rng(5).integers(0, 256, (23, 17, 3), np.uint8)
    Image.fromarray(pixels).resize((34, 46)).save(tmp_path / "photo.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    return open_image("photo.jpg")


def run(code: str, capsys) -> dict:
    names: dict = {}
    exec(compile(code, "script", "exec"), names)
    assert capsys.readouterr().out.strip().endswith("True")  # the operation and the layer agree
    return names


@pytest.mark.slow
def test_pixels_script(photo, capsys):
    names: dict = {}
    exec(lessons.pixels(top=10, left=5, size=4), names)
    np.testing.assert_array_equal(names["image"], photo)
    np.testing.assert_array_equal(names["region"], photo[10:14, 5:9])
    assert str(photo[10:14, 5:9]) in capsys.readouterr().out


@pytest.mark.slow
def test_black_and_white_script(photo):
    names: dict = {}
    exec(lessons.black_and_white(threshold=100), names)
    np.testing.assert_array_equal(names["binary"], to_grayscale(photo) >= 100)


@pytest.mark.slow
def test_the_scripts_of_a_shrunk_picture_shrink_it_the_same_way(photo):
    small = resize(photo, 20, 15)
    names: dict = {}
    exec(lessons.pixels(shrunk=(20, 15)), names)
    np.testing.assert_array_equal(names["image"], small)
    exec(lessons.black_and_white(threshold=100, shrunk=(20, 15)), names)
    np.testing.assert_array_equal(names["binary"], to_grayscale(small) >= 100)


@pytest.mark.slow
@pytest.mark.parametrize("channel", ["gray", "green", "all"])
@pytest.mark.parametrize(("stride", "padding", "bias", "relu"), [(1, "valid", 0, False), (3, "same", -12.5, True)])
def test_convolution_script(photo, capsys, channel, stride, padding, bias, relu):
    options = {"stride": stride, "padding": padding, "bias": bias}
    found = run(lessons.convolution(KERNEL.tolist(), channel=channel, relu=relu, **options), capsys)["feature_map"]
    source = {"gray": to_grayscale(photo), "green": split_channels(photo)[1], "all": photo}[channel]
    kernel = np.repeat(KERNEL[..., None], 3, axis=2) if channel == "all" else KERNEL
    expected = conv2d(source, kernel, activation="relu" if relu else None, **options)
    np.testing.assert_allclose(found.numpy()[0, ..., 0], expected, rtol=1e-4, atol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    "stages",
    [
        [Pooling("average", 3, 2, "same")],
        [Convolution(KERNEL), ReLU(), Pooling(), Convolution(np.eye(5)), Pooling("average", 3, 2, "same")],
    ],
)
def test_chain_script(photo, stages):
    found: dict = {}
    exec(compile(chain_script.chain(stages), "script", "exec"), found)
    np.testing.assert_allclose(
        found["image"].numpy()[0, ..., 0], chain.run(to_grayscale(photo), stages)[-1], rtol=1e-4, atol=0.05
    )
