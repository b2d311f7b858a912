"""`pixels.open_image`: what is refused, and with which message."""

import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cnn_core import CnnLabError
from cnn_core.image_files import decoding
from cnn_core.pixels import ImageError, open_image
from tests.conftest import ROOT
from tests.made_files import bomb
from tests.made_images import photo, saved


def refusal(source: object) -> str:
    with pytest.raises(ImageError) as caught:
        open_image(source)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.endswith(".")
    assert ". " in message or ";" in message, "a reason and a next step"
    return message


def test_an_image_error_is_the_family_s():
    assert issubclass(ImageError, CnnLabError)


def test_empty():
    assert "empty" in refusal(b"")
    assert "empty" in refusal(io.BytesIO())


@pytest.mark.parametrize(
    "content", [b"Dear cat,\n", b"\0" * 100, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"]
)
def test_not_a_picture(content, tmp_path):
    path = tmp_path / "cat.jpg"
    path.write_bytes(content)
    for source in (path, content):
        assert "not a picture" in refusal(source)


def test_formats_that_are_not_promised_are_refused():
    assert "JPEG, PNG" in refusal(saved(photo(), "PPM"))
    assert "JPEG, PNG" in refusal(saved(photo(), "ICO"))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_a_truncated_picture(format, share):
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)
    content = saved(noise, format)
    assert "damaged or incomplete" in refusal(content[: max(20, int(len(content) * share))])


@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]), st.data())
def test_any_damage_is_an_image_error_or_a_picture(noise, format, data):
    content = saved(photo(8, 8), format)
    start = data.draw(st.integers(0, len(content)))
    damaged = content[:start] + noise + content[start + len(noise) :]
    try:
        image = open_image(damaged)
    except ImageError:
        return
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert image.dtype == np.uint8


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [8001, 10_000, 30_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_by_its_header(side):
    message = refusal(bomb(side, side))
    assert "too large" in message
    assert "64 million pixels" in message


@pytest.mark.parametrize(("format", "options"), [("WEBP", {"method": 0}), ("JPEG", {"progressive": True})])
def test_what_takes_more_memory_per_pixel_may_have_fewer(format, options, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS_OF", {"WEBP": 99, "progressive JPEG": 99})
    assert "too large: at 10 × 10 pixels" in refusal(saved(photo(10, 10), format, **options))
    assert open_image(saved(photo(9, 11), format, **options)).shape == (9, 11, 3)
    assert open_image(saved(photo(10, 10), "JPEG")).shape == (10, 10, 3)


def test_a_jpeg_of_thousands_of_passes():
    """Its last scan again and again: 100 bytes each, and each goes over the whole picture."""
    content = saved(photo(64, 64), "JPEG", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    assert "2,010 passes" in refusal(content[:-2] + scan * 2000 + content[-2:])
    video = b"\xff\xda\0\2" * 5000  # phones append one
    assert open_image(content + video).shape == (64, 64, 3)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is not there")
@pytest.mark.parametrize(("format", "mode"), [("PNG", "RGBA"), ("TIFF", "F"), ("JPEG", "CMYK"), ("WEBP", "RGB")])
def test_the_largest_picture_takes_at_most_500_megabytes(format, mode, tmp_path):
    pixels = decoding.MAX_PIXELS_OF.get(format, decoding.MAX_PIXELS)
    options = {"TIFF": {"compression": "tiff_deflate"}, "WEBP": {"method": 0}}.get(format, {})
    path = tmp_path / "large"
    side = int(pixels**0.5)
    Image.new(mode, (side, side)).save(path, format, **options)
    code = (
        "import resource, sys; from cnn_core.pixels import open_image; unit = 20 if sys.platform == 'darwin' else 10; "
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> unit; before = most()"
        f"; image = open_image({str(path)!r}); assert image.shape == ({side}, {side}, 3); print(most() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500


def test_the_largest_picture_is_not_called_too_large():
    # Its header passes, so its missing rows are found.
    assert "damaged" in refusal(bomb(2000, 2000))


def test_a_single_pixel():
    assert "single pixel" in refusal(saved(np.zeros((1, 1, 3), np.uint8), "PNG"))


def test_a_file_that_is_not_there(tmp_path):
    assert "There is no file" in refusal(tmp_path / "cat.jpg")
    assert "cat.jpg" in refusal(str(tmp_path / "cat.jpg"))


def test_a_folder(tmp_path):
    assert str(tmp_path) in refusal(tmp_path)


def test_names_that_no_file_can_have():
    for name in ("cat\0.jpg", "c" * 5000):
        refusal(name)


def test_a_closed_file_and_a_text_file():
    closed = io.BytesIO(saved(photo(), "PNG"))
    closed.close()
    assert "closed" in refusal(closed)
    refusal(io.StringIO("cat"))
