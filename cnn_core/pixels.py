"""A picture is numbers: from any picture file to a checked ``uint8`` array, and the first things to do with one.

Everywhere in this library a picture is an array of shape ``(height, width, 3)``, ``uint8``, in the order red, green,
blue: 0 is dark, 255 is bright. `open_image` is the only door: what comes out of it needs no further check.
"""

import io
import os
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageDraw, ImageOps, UnidentifiedImageError

from cnn_core import CnnLabError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""The file formats that `open_image` reads, by Pillow's names."""

MAX_PIXELS = 64_000_000
"""The largest picture that is decoded, in pixels (8000 × 8000). Decoding it takes at most some 1.7 GB of memory."""

CHANNELS = ("red", "green", "blue")
"""The names of a picture's channels, in the order of its last axis."""

FRAME = (213, 94, 0)
"""The colour that marks a region: vermilion, which colour-blind eyes tell from the usual greens and blues."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_FORMATS_TEXT = "JPEG, PNG, WebP, GIF, BMP or TIFF"


class ImageError(CnnLabError):
    """A file that is no usable picture. The message says why, and what to try instead."""


def open_image(source: str | Path | bytes | BinaryIO) -> np.ndarray:
    """Open a picture file as an array of red, green and blue values.

    The picture is turned upright as its EXIF orientation says. Grey, palette and CMYK pictures become RGB, transparent
    ones are laid over white, 16-bit values are scaled to 8 bits (65535 becomes 255). Float and 32-bit pictures, which
    have no agreed white, are stretched from their own darkest to their own brightest value. Of an animation or a
    document of several pages the first is taken.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        A path, the file's content, or an open file (read from its start).

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Red, green, blue, 0 to 255.

    Raises
    ------
    ImageError
        When there is no such file, or it is empty, no picture, damaged, larger than `MAX_PIXELS`, or a single pixel.

    References
    ----------
    EXIF orientation: CIPA DC-008, "Exchangeable image file format", tag 0x0112.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (4, 2), (255, 128, 0)).save(file, "PNG")
    >>> image = open_image(file)
    >>> image.shape, image.dtype.name, image[0, 0].tolist()
    ((2, 4, 3), 'uint8', [255, 128, 0])
    """
    with _as_file(source) as file:
        try:
            start = file.read(16)
            file.seek(0)
        except (OSError, ValueError, TypeError) as error:
            raise ImageError(f"The file cannot be read ({error}). Choose another one.") from error
        if not start:
            raise ImageError("The file is empty. Choose a picture file that has content.")
        return _decode(file, start)


def _as_file(source: Any) -> Any:
    """Return a context manager that gives `source` as a seekable binary file; only a file opened here is closed."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return nullcontext(io.BytesIO(source))
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        try:
            return closing(path.open("rb"))
        except FileNotFoundError as error:
            raise ImageError(f"There is no file “{path}”. Check its name and folder.") from error
        except IsADirectoryError as error:
            raise ImageError(f"“{path}” is a folder, not a picture. Name a file in it.") from error
        except (OSError, ValueError) as error:
            raise ImageError(f"“{path}” cannot be opened ({error}). Check its name and permissions.") from error
    try:
        source.seek(0)
    except (AttributeError, OSError):
        return nullcontext(io.BytesIO(source.read()))
    except ValueError as error:
        raise ImageError("The file is already closed. Open it again and try once more.") from error
    return nullcontext(source)


def _decode(file: BinaryIO, start: bytes) -> np.ndarray:
    damaged = ImageError(
        "The picture is damaged or incomplete: it begins like one, but cannot be read to its end. "
        "Download or copy it again, or choose another one."
    )
    try:
        with Image.open(file, formats=FORMATS) as image:
            _check_size(*image.size)
            image.load()
            with suppress(Exception):  # broken EXIF data must not cost us a sound picture
                ImageOps.exif_transpose(image, in_place=True)
            return _to_rgb(image)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large("It") from error
    except UnidentifiedImageError as error:
        if start.startswith(_SIGNATURES):
            raise damaged from error
        raise ImageError(f"The file is not a picture that can be read. Use {_FORMATS_TEXT}.") from error
    except MemoryError as error:
        raise ImageError("There is not enough memory for this picture. Make it smaller and try again.") from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them stumble over
        raise damaged from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(f"At {width:,} × {height:,} pixels it")
    if width * height <= 1:
        raise ImageError("The picture is a single pixel, which shows nothing. Choose a larger one.")


def _too_large(subject: str) -> ImageError:
    return ImageError(
        f"The picture is too large: {subject[0].lower() + subject[1:]} would need too much memory. "
        f"Make it smaller; up to {MAX_PIXELS // 1_000_000} million pixels are read."
    )


def _to_rgb(image: Image.Image) -> np.ndarray:
    """Convert a decoded picture of any Pillow mode to uint8 RGB, shape (H, W, 3)."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return np.array(image)
    if image.mode.startswith("I") or image.mode == "F":
        return np.repeat(_deep_grey_to_8_bit(image)[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        transparent = image.info.get("transparency")
        if isinstance(transparent, tuple) and max(transparent) > 255:  # Pillow has cut only the pixels to 8 bits
            image.info["transparency"] = tuple(value >> 8 for value in transparent)
        image = image.convert("RGBA")
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    return np.array(image.convert("RGB"))


def _deep_grey_to_8_bit(image: Image.Image) -> np.ndarray:
    """Scale grey values of more than 8 bits to uint8, shape (H, W); Pillow itself would clip them at 255."""
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    tiff_tags = getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16"):
        bits = tiff_tags.get(ExifTags.Base.BitsPerSample, (16,))[0]
        darkest, brightest = 0.0, 2.0**bits - 1
    else:
        darkest, brightest = float(values.min()), float(values.max())
    grey = (values - darkest) * (255 / max(brightest - darkest, 1e-12))
    if tiff_tags.get(ExifTags.Base.PhotometricInterpretation) == 0:  # a negative: 0 is white
        grey = 255 - grey
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return np.rint(grey).clip(0, 255).astype(np.uint8)


def split_channels(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take a picture apart into its red, green and blue channel.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    red, green, blue : ndarrays of uint8, shape (H, W)
        Views of `image`, not copies: 0 where there is none of the colour, 255 where there is most.

    Examples
    --------
    >>> red, green, blue = split_channels(np.array([[[250, 120, 10]]], np.uint8))
    >>> red, green, blue
    (array([[250]], dtype=uint8), array([[120]], dtype=uint8), array([[10]], dtype=uint8))
    """
    return image[..., 0], image[..., 1], image[..., 2]


def tint_channel(channel: np.ndarray, name: str) -> np.ndarray:
    """Show one channel in its own colour: the other two are set to zero.

    Parameters
    ----------
    channel : ndarray of uint8, shape (H, W)
    name : {"red", "green", "blue"}

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ImageError
        When `name` is no channel.

    Examples
    --------
    >>> tint_channel(np.array([[7]], np.uint8), "green")
    array([[[0, 7, 0]]], dtype=uint8)
    """
    if name not in CHANNELS:
        raise ImageError(f"There is no channel “{name}”. Choose one of {', '.join(CHANNELS)}.")
    tinted = np.zeros((*channel.shape, 3), np.uint8)
    tinted[..., CHANNELS.index(name)] = channel
    return tinted


def to_grayscale(image: np.ndarray) -> np.ndarray:
    """Turn colour into brightness: 0.299 red + 0.587 green + 0.114 blue, as the eye weighs them.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of uint8, shape (H, W)
        Rounded to whole numbers; the same values as Pillow's ``convert("L")``.

    References
    ----------
    ITU-R Recommendation BT.601, "Studio encoding parameters of digital television", section 2.5.1.

    Examples
    --------
    >>> to_grayscale(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8))
    array([[ 76, 150,  29, 255]], dtype=uint8)
    """
    red, green, blue = (channel.astype(np.uint32) for channel in split_channels(image))
    # The weights as fractions of 2 ** 16: whole numbers are exact and fast; adding a half rounds.
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).astype(np.uint8)


def to_binary(image: np.ndarray, threshold: int = 128) -> np.ndarray:
    """Turn a picture into black and white: 1 where it is at least as bright as `threshold`, else 0.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
        A picture, or its brightness as `to_grayscale` gives it.
    threshold : int
        At 0 everything is white, from 256 on everything is black.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        Only zeros and ones.

    Examples
    --------
    >>> to_binary(np.array([[[10, 10, 10], [128, 128, 128], [250, 250, 250]]], np.uint8))
    array([[0, 1, 1]], dtype=uint8)
    """
    gray = image if image.ndim == 2 else to_grayscale(image)
    return (gray >= threshold).astype(np.uint8)


def region(image: np.ndarray, row: int, column: int, size: int) -> tuple[int, int, np.ndarray]:
    """Cut a square out of a picture, moved inwards where it would reach over the edge.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (H, W, C)
    row, column : int
        The wished upper left corner, in pixels from the top and from the left.
    size : int
        Side of the square in pixels; cut down to the picture where the picture is smaller.

    Returns
    -------
    top, left : int
        The corner as it came to be.
    values : ndarray, shape (h, w) or (h, w, C)
        A view of `image` with h and w at most `size`.

    Examples
    --------
    >>> region(np.arange(12).reshape(3, 4), row=2, column=0, size=2)
    (1, 0, array([[4, 5],
           [8, 9]]))
    """
    top = max(0, min(row, image.shape[0] - size))
    left = max(0, min(column, image.shape[1] - size))
    return top, left, image[top : top + size, left : left + size]


def mark(image: np.ndarray, top: int, left: int, size: int, full_height: int | None = None) -> np.ndarray:
    """Draw a frame around a square region on a copy of a picture.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        The picture, which may have been shrunk for the screen.
    top, left, size : int
        The region, in pixels of the picture as it was before shrinking.
    full_height : int, optional
        Height of the picture before shrinking; left out when it has not been shrunk.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        The frame is an orange line between two white ones, just outside the region (at the picture's edge, over it)
        and never too small to be seen.

    Examples
    --------
    >>> marked = mark(np.zeros((40, 40, 3), np.uint8), top=10, left=20, size=8)
    >>> marked[11, 21].tolist(), marked[8, 21].tolist()
    ([0, 0, 0], [213, 94, 0])
    """
    scale = image.shape[0] / (full_height or image.shape[0])
    (y0, y1), (x0, x1) = (
        _inside(start * scale, size * scale, side) for start, side in ((top, image.shape[0]), (left, image.shape[1]))
    )
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for distance, colour in ((1, "white"), (2, FRAME), (3, FRAME), (4, FRAME), (5, "white")):
        draw.rectangle((x0 - distance, y0 - distance, x1 + distance, y1 + distance), outline=colour)
    return np.array(picture)


def _inside(start: float, size: float, side: int) -> tuple[int, int]:
    """Return a region's first and last pixel, away from the picture's edges so that its frame is seen."""
    away = min(9, side // 2)
    first = min(max(round(start), away), side - 1 - away)
    return first, max(first, min(round(start + size) - 1, side - 1 - away))


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a picture, without regard to its aspect ratio. Training and prediction both resize with this function.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
    height, width : int
        The new size in pixels, each at least 1.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3) or (height, width)
        Bilinear; when shrinking, every source pixel counts (antialiased), so fine patterns do not turn into moiré.

    Examples
    --------
    >>> resize(np.array([[0, 100], [100, 200]], np.uint8), 1, 1)
    array([[100]], dtype=uint8)
    """
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def fit(image: np.ndarray, longest: int) -> np.ndarray:
    """Shrink a picture so that its longer side is at most `longest` pixels. It is never enlarged.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
    longest : int

    Returns
    -------
    ndarray of uint8
        The picture itself when it already fits; else of the same aspect ratio, no side below 1 pixel.

    Examples
    --------
    >>> fit(np.zeros((400, 100, 3), np.uint8), 200).shape
    (200, 50, 3)
    """
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    return resize(image, max(1, round(height * scale)), max(1, round(width * scale)))
