"""From an image file of any format and color mode to an array of red, green and blue values."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from cnn_core import CnnLabError
from cnn_core.image_files import jpeg_scans

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""The file formats that are read, by Pillow's names."""

MAX_PIXELS = 64_000_000
"""The largest image that is decoded, in pixels (8000 × 8000). To decode it takes at most 500 MB of memory."""

MAX_PIXELS_OF = {"WEBP": 30_000_000, "progressive JPEG": 40_000_000}
"""The same for what takes more memory per pixel."""

MAX_SCANS = 32
"""A progressive JPEG has about ten."""

BAND_PIXELS = 2**21
"""So many pixels are converted at a time."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_FORMATS_TEXT = "JPEG, PNG, WebP, GIF, BMP or TIFF"


class ImageError(CnnLabError):
    """A file that is not a usable image. The message says why, and what to try instead."""


def decode(source: str | Path | bytes | BinaryIO) -> NDArray[np.uint8]:
    """Read an image file. See `cnn_core.pixels.open_image`, through which everybody else calls it."""
    with _as_file(source) as file:
        try:
            start = file.read(16)
            file.seek(0)
        except (OSError, ValueError, TypeError) as error:
            raise ImageError(f"The file cannot be read ({error}). Choose another one.") from error
        if not start:
            raise ImageError("The file is empty. Choose a picture file that has content.")
        return _decoded(file, start)


def _as_file(source: Any) -> AbstractContextManager[Any]:
    """Return a context manager that gives `source` as a seekable binary file. It closes only what it opened."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return nullcontext(io.BytesIO(source))
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        try:
            return closing(path.open("rb"))
        except FileNotFoundError as error:
            raise ImageError(f"There is no file “{path}”. Check its name and folder.") from error
        except IsADirectoryError as error:
            raise ImageError(f"“{path}” is a folder, not a picture. Choose a file in it.") from error
        except (OSError, ValueError) as error:
            raise ImageError(f"“{path}” cannot be opened ({error}). Check its name and permissions.") from error
    try:
        source.seek(0)
    except (AttributeError, OSError):
        return nullcontext(io.BytesIO(source.read()))
    except ValueError as error:
        raise ImageError("The file is already closed. Open it again.") from error
    return nullcontext(source)


def _decoded(file: BinaryIO, start: bytes) -> NDArray[np.uint8]:
    damaged = ImageError(
        "The picture is damaged or incomplete: only its beginning can be read. "
        "Download or copy it again, or choose another one."
    )
    try:
        with Image.open(file, formats=FORMATS) as image:
            _check_size(image)
            _check_scans(file, image)
            image.load()
            with suppress(Exception):  # broken EXIF data must not make a good image unreadable
                ImageOps.exif_transpose(image, in_place=True)
            return _to_rgb(image)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large("it") from error
    except UnidentifiedImageError as error:
        if start.startswith(_SIGNATURES):
            raise damaged from error
        raise ImageError(f"The file is not a picture that can be read. Use {_FORMATS_TEXT}.") from error
    except MemoryError as error:
        raise ImageError("There is not enough memory for this picture. Make it smaller and try again.") from error
    except Exception as error:  # Pillow's decoders raise many kinds of exceptions on a broken file
        raise damaged from error


def _check_size(image: Image.Image) -> None:
    kind = "progressive JPEG" if image.info.get("progressive") else str(image.format)
    (width, height), limit = image.size, MAX_PIXELS_OF.get(kind, MAX_PIXELS)
    if width * height > limit:
        raise _too_large(f"at {width:,} × {height:,} pixels it", limit)
    if width * height <= 1:
        raise ImageError("The picture is a single pixel, which shows nothing. Choose a larger one.")


def _check_scans(file: BinaryIO, image: Image.Image) -> None:
    if image.format not in ("JPEG", "MPO"):
        return
    at = file.tell()
    file.seek(0)
    scans = jpeg_scans.count(file.read())
    file.seek(at)
    if scans > MAX_SCANS:
        raise ImageError(
            f"The picture is stored in {scans:,} passes over the whole image, which would take long to decode; "
            f"at most {MAX_SCANS} are read. Open it in another program, and save it again."
        )


def _too_large(subject: str, limit: int = MAX_PIXELS) -> ImageError:
    return ImageError(
        f"The picture is too large: {subject} would need too much memory. "
        f"Make it smaller: at most {limit // 1_000_000} million pixels can be read."
    )


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Convert a decoded image of any Pillow mode to uint8 RGB, shape (H, W, 3).

    In bands of rows: what is computed on the way is then small, however large the image is.
    """
    convert = _deep_gray(image) if image.mode.startswith("I") or image.mode == "F" else _colors
    transparent = image.info.get("transparency")
    if isinstance(transparent, tuple) and max(transparent) > 255:  # Pillow has cut only the pixels to 8 bits
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    rgb, top = np.empty((image.height, image.width, 3), np.uint8), 0
    for band in _bands(image):
        rgb[top : top + band.height] = convert(band)
        top += band.height
    return rgb


def _bands(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the image in pieces of whole rows, from the top, of about `BAND_PIXELS` each."""
    rows = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _colors(image: Image.Image) -> NDArray[np.uint8]:
    """Convert an image of 8 bits to uint8 RGB, shape (H, W, 3), what is transparent on white."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        background = Image.new("RGB", image.size, "white")
        background.paste(image, mask=image.getchannel("A"))
        image = background
    return np.asarray(image.convert("RGB"))


def _deep_gray(image: Image.Image) -> Callable[[Image.Image], NDArray[np.uint8]]:
    """Return what converts bands of this image, of gray values of more than 8 bits, to uint8, shape (H, W, 1).

    Pillow itself would clip them at 255.
    """
    tiff_tags = getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16"):
        bits = tiff_tags.get(ExifTags.Base.BitsPerSample, (16,))[0]
        darkest, brightest = 0.0, 2.0**bits - 1
    else:
        ends = [(part.min(), part.max()) for part in map(_numbers, _bands(image))]
        darkest, brightest = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    negative = tiff_tags.get(ExifTags.Base.PhotometricInterpretation) == 0  # 0 is white
    transparent = image.info.get("transparency")

    def convert(band: Image.Image) -> NDArray[np.uint8]:
        values = _numbers(band)
        gray = (values - darkest) * (255 / max(brightest - darkest, 1e-12))
        if negative:
            gray = 255 - gray
        if isinstance(transparent, int):
            gray[values == transparent] = 255
        eight_bits: NDArray[np.uint8] = np.rint(gray).clip(0, 255).astype(np.uint8)
        return eight_bits[:, :, np.newaxis]

    return convert


def _numbers(image: Image.Image) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.nan_to_num(np.asarray(image).astype(np.float32))
    return values
