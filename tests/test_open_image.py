"""`pixels.open_image`: what can be opened, against files written by hand."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cnn_core import pixels
from cnn_core.pixels import open_image
from tests.made_images import photo, png, saved, tiff

RGB = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(2, 12), st.just(3)))


@given(RGB)
@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_back_every_value(format, image):
    opened = open_image(saved(image, format))
    assert opened.dtype == np.uint8
    np.testing.assert_array_equal(opened, image)


def test_lossless_webp_gives_back_every_value():
    np.testing.assert_array_equal(open_image(saved(photo(), "WEBP", lossless=True)), photo())


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_lossy_formats_come_close(format):
    opened = open_image(saved(photo(), format, quality=95))
    assert opened.shape == (40, 60, 3)
    assert np.abs(opened.astype(int) - photo()).mean() < 4


def test_path_text_bytes_and_files_give_the_same(tmp_path):
    content = saved(photo(), "PNG")
    path = tmp_path / "Käthe’s cat.png"
    path.write_bytes(content)
    read = io.BytesIO(content)
    read.seek(0, io.SEEK_END)
    with path.open("rb") as file:
        for source in (path, str(path), content, bytearray(content), read, file):
            np.testing.assert_array_equal(open_image(source), photo())
        assert not file.closed
    path.unlink()  # fails on Windows if a handle were left open


def test_a_stream_that_cannot_seek_is_read():
    class Stream:
        def __init__(self, content: bytes) -> None:
            self.read = io.BytesIO(content).read

    np.testing.assert_array_equal(open_image(Stream(saved(photo(), "PNG"))), photo())


UPRIGHT = {  # EXIF's definition: what to do with the stored picture to see it upright
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if format == "WEBP" else {}
    opened = open_image(saved(photo(), format, exif=exif, **options))
    np.testing.assert_array_equal(opened, UPRIGHT[orientation](photo()))


def test_exif_orientation_of_a_jpeg():
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:, 16:] = 255
    opened = open_image(saved(stored, "JPEG", exif=exif))
    assert opened.shape == (32, 16, 3)
    assert opened[:12].max() < 40
    assert opened[20:].min() > 215


def test_broken_exif_does_not_cost_the_picture():
    content = saved(photo(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7fnonsense")
    assert open_image(content).shape == (40, 60, 3)


def test_gray_becomes_three_equal_channels():
    gray = np.array([[0, 100, 255]], np.uint8)
    opened = open_image(saved(gray, "PNG"))
    for channel in pixels.split_channels(opened):
        np.testing.assert_array_equal(channel, gray)


def test_one_bit_is_black_and_white():
    image = Image.new("1", (2, 1))
    image.putpixel((1, 0), 1)
    assert open_image(saved(image, "PNG")).tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_sixteen_bit_gray_is_scaled_not_clipped():
    gray = np.array([[0, 128, 129, 257, 32768, 65535]])
    expected = np.repeat(np.rint(gray / 257).astype(np.uint8)[..., None], 3, axis=-1)
    np.testing.assert_array_equal(open_image(png(gray, 0)), expected)
    np.testing.assert_array_equal(open_image(saved(gray.astype(np.uint16), "TIFF")), expected)
    np.testing.assert_array_equal(open_image(saved(gray.astype(">u2"), "TIFF")), expected)


def test_sixteen_bit_color_is_scaled_not_clipped():
    values = np.array([[[0, 32768, 65535], [300, 1000, 65000]]])
    assert np.abs(open_image(png(values, 2)) - values / 257).max() <= 1


def test_twelve_bit_gray_reaches_white():
    assert open_image(tiff(12, 1, b"\xff\xf8\x00", width=2))[..., 0].tolist() == [[255, 128]]


@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_whose_zero_is_white(bits):
    data = np.array([0, 255 if bits == 8 else 65535], f"<u{bits // 8}").tobytes()
    assert open_image(tiff(bits, 0, data, width=2))[..., 0].tolist() == [[255, 0]]


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_values_without_an_agreed_white_are_stretched(dtype):
    values = np.array([[-50, 0, 50]], dtype)
    assert open_image(saved(values, "TIFF"))[..., 0].tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_float_pictures_with_odd_values_open(odd):
    opened = open_image(saved(np.array([[0, 1, odd]], np.float32), "TIFF"))
    assert opened.shape == (1, 3, 3)


def test_a_flat_float_picture_opens():
    assert open_image(saved(np.full((2, 2), 7, np.float32), "TIFF")).shape == (2, 2, 3)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk(format):
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red, green, blue = (channel.mean() for channel in pixels.split_channels(open_image(saved(cmyk, format))))
    assert red > 245
    assert green < 10
    assert blue < 10


@given(arrays(np.uint8, (3, 4, 4)))
def test_transparency_lies_over_white(rgba):
    alpha = rgba[..., 3:] / 255
    expected = rgba[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(open_image(saved(rgba, "PNG")) - expected).max() <= 1


def test_transparent_gray_lies_over_white():
    gray = np.array([[[0, 255], [0, 0], [0, 128]]], np.uint8)
    opened = open_image(png(gray, 4, bits=8))
    assert opened[0, :, 0].tolist() == [0, 255, 127]


def test_transparent_palette_lies_over_white():
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    expected = [[255, 0, 0], [255, 255, 255], [0, 0, 255]]
    assert open_image(saved(image, "PNG", transparency=1)).tolist() == [expected]
    assert open_image(saved(image, "GIF", transparency=1)).tolist() == [expected]
    assert open_image(saved(image, "PNG")).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]


@pytest.mark.parametrize(("color_type", "channels"), [(0, 1), (2, 3)])
def test_a_transparent_sixteen_bit_color_lies_over_white(color_type, channels):
    values = np.repeat(np.array([[0, 0x8000, 0x1234]])[..., None], channels, axis=-1).squeeze()
    opened = open_image(png(values.reshape(1, 3, *values.shape[1:]), color_type, transparent=(0x8000,) * channels))
    assert opened[0, :, 0].tolist() == [0, 255, 0x12]


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(format):
    red, blue = (Image.new("RGB", (20, 10), color) for color in ("red", "blue"))
    content = saved(red, format, save_all=True, append_images=[blue])
    opened = open_image(content)
    assert opened.shape == (10, 20, 3)
    assert np.abs(opened.astype(int) - (255, 0, 0)).max() <= 2


def test_the_result_can_be_changed():
    image = open_image(saved(photo(), "JPEG"))
    image[0, 0] = 7
    assert image[0, 0].tolist() == [7, 7, 7]


def test_small_pictures_are_welcome():
    for shape in ((2, 3, 3), (1, 2, 3), (2, 1, 3)):
        assert open_image(saved(np.zeros(shape, np.uint8), "PNG")).shape == shape


def test_many_threads_at_once():
    images = [np.full((30, 30, 3), value, np.uint8) for value in range(40)]
    contents = [saved(image, "PNG") for image in images]
    barrier = threading.Barrier(8)

    def work(number: int) -> bool:
        if number < 8:
            barrier.wait(10)
        return bool((open_image(contents[number]) == number).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(40)))
