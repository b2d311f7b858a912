"""A picture or a colored feature map as the screen takes it: enlarged, as a JPEG, or as a PNG in base64."""

import base64
import io
import struct
import zlib

import numpy as np
from PIL import Image

from cnn_core.pixels import fit


def enlarged(colors: np.ndarray, side: int) -> np.ndarray:
    """Return a picture (H, W, 3) up to `side` pixels large, so that each of its numbers is seen as a square."""
    times = max(1, side // max(colors.shape[:2]))
    return np.repeat(np.repeat(colors, times, axis=0), times, axis=1)


def jpeg(pixels: np.ndarray, quality: int = 92) -> bytes:
    """Encode a picture for the screen. PNG would take ten times as long, and twice as long to arrive."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


def png(colors: np.ndarray, longest: int | None = None) -> str:
    """Return a picture as a PNG in base64, shrunk where a side is longer than `longest`."""
    return base64.b64encode(png_file(fit(colors, longest) if longest else colors)).decode()


def png_file(colors: np.ndarray) -> bytes:
    """Return a picture as a PNG file.

    Pillow tries five filters for each row. Here every row is written as its difference from the row above, filter 2 of
    the PNG specification: for photos that takes half the time, and the file is no larger.

    Parameters
    ----------
    colors : ndarray of uint8, shape (H, W, 3) or (H, W)

    Returns
    -------
    bytes

    References
    ----------
    W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", sections 5, 9 and 11.2.1.
    """
    height, width = colors.shape[:2]
    pixels = np.ascontiguousarray(colors, np.uint8).reshape(height, -1)
    rows = np.full((height, pixels.shape[1] + 1), 2, np.uint8)  # each begins with the number of its filter
    rows[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    kind = 2 if colors.ndim == 3 else 0  # RGB or gray
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
