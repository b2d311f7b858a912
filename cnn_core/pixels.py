"""An image is numbers: open an image file as an array, and do the first things with its pixels.

Everywhere in this library an image is an array of shape ``(height, width, 3)``, ``uint8``, in the order red, green,
blue: 0 is dark, 255 is bright. Every image file is opened by `open_image`; its result needs no further check.
"""

from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnn_core.image_files import decoding
from cnn_core.image_files.decoding import FORMATS, MAX_PIXELS, ImageError

__all__ = [
    "CHANNELS",
    "FORMATS",
    "FRAME",
    "MAX_PIXELS",
    "ImageError",
    "fit",
    "mark",
    "open_image",
    "region",
    "resize",
    "split_channels",
    "tint_channel",
    "to_binary",
    "to_grayscale",
]

CHANNELS = ("red", "green", "blue")
"""The names of an image's channels, in the order of its last axis."""

FRAME = (213, 94, 0)
"""The color that marks a region: vermilion, which color-blind people can tell from the usual greens and blues."""

Values = TypeVar("Values", bound=np.generic)


def open_image(source: str | Path | bytes | BinaryIO) -> NDArray[np.uint8]:
    """Open an image file as an array of red, green and blue values.

    The image is turned upright as its EXIF orientation says. Gray, palette and CMYK images become RGB. Transparent
    images get a white background. 16-bit values are scaled to 8 bits (65535 becomes 255). Float and 32-bit images have
    no fixed value for white: their darkest value becomes 0 and their brightest 255. An animation or a document of
    several pages gives its first image.

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
        When the file does not exist, or is empty, no image, damaged, larger than `MAX_PIXELS`, or a single pixel.

    References
    ----------
    EXIF orientation: CIPA DC-008, "Exchangeable image file format", tag 0x0112.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (4, 2), (255, 128, 0)).save(file, "PNG")
    >>> image = open_image(file)
    >>> image.shape, image.dtype.name, image[0, 0].tolist()
    ((2, 4, 3), 'uint8', [255, 128, 0])
    """
    return decoding.decode(source)


def split_channels(image: NDArray[Values]) -> tuple[NDArray[Values], NDArray[Values], NDArray[Values]]:
    """Split an image into its red, green and blue channel.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    red, green, blue : ndarrays of uint8, shape (H, W)
        Views of `image`, not copies: 0 where there is none of the color, 255 where there is most.

    Examples
    --------
    >>> red, green, blue = split_channels(np.array([[[250, 120, 10]]], np.uint8))
    >>> red, green, blue
    (array([[250]], dtype=uint8), array([[120]], dtype=uint8), array([[10]], dtype=uint8))
    """
    return image[..., 0], image[..., 1], image[..., 2]


def tint_channel(channel: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """Show one channel in its own color: the other two are set to zero.

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


def to_grayscale(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert color to brightness: 0.299 red + 0.587 green + 0.114 blue. The eye sees green as the brightest.

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


def to_binary(image: NDArray[np.uint8], threshold: int = 128) -> NDArray[np.uint8]:
    """Turn an image into black and white: 1 where it is at least as bright as `threshold`, else 0.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
        An image, or its brightness as `to_grayscale` gives it.
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


def region(image: NDArray[Values], row: int, column: int, size: int) -> tuple[int, int, NDArray[Values]]:
    """Cut a square out of an image. A square that would reach over the edge is moved inside.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (H, W, C)
    row, column : int
        The upper left corner as wanted, in pixels from the top and from the left.
    size : int
        Side of the square in pixels. Where the image is smaller, the square is cut to the image.

    Returns
    -------
    top, left : int
        The corner of the square that was cut.
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


def mark(image: NDArray[np.uint8], top: int, left: int, size: int, full_height: int | None = None) -> NDArray[np.uint8]:
    """Draw a frame around a square region on a copy of an image.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        The image, which may have been shrunk for the screen.
    top, left, size : int
        The region, in pixels of the image as it was before shrinking.
    full_height : int, optional
        Height of the image before shrinking. Leave it out when the image has not been shrunk.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        The frame is an orange line between two white lines, just outside the region. At the image's edge it lies over
        the region. It is never too small to be seen.

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
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    for distance, color in ((1, "white"), (2, FRAME), (3, FRAME), (4, FRAME), (5, "white")):
        draw.rectangle((x0 - distance, y0 - distance, x1 + distance, y1 + distance), outline=color)
    return np.array(canvas)


def _inside(start: float, size: float, side: int) -> tuple[int, int]:
    """Return a region's first and last pixel, away from the image's edges so that its frame is seen."""
    away = min(9, side // 2)
    first = min(max(round(start), away), side - 1 - away)
    return first, max(first, min(round(start + size) - 1, side - 1 - away))


def resize(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize an image to exactly this height and width; its aspect ratio may change.

    Training and prediction both resize with this function.

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


def fit(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Shrink an image so that its longer side is at most `longest` pixels. It is never enlarged.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
    longest : int

    Returns
    -------
    ndarray of uint8
        The image itself when it already fits. Else a smaller one of the same aspect ratio, no side below 1 pixel.

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
