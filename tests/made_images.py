"""Image files that tests need: by Pillow, or written by hand where it writes none of that kind."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.made_files import chunk


def saved(image: Image.Image | np.ndarray, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, format, **options)
    return file.getvalue()


def png(values: np.ndarray, color_type: int, bits: int = 16, transparent: tuple[int, ...] = ()) -> bytes:
    """A PNG written from its specification, since Pillow writes no 16-bit color."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes() for row in values)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0))
        + (chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)) if transparent else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff(bits: int, photometric: int, data: bytes, width: int) -> bytes:
    """A TIFF of one row of gray, written from its specification."""
    tags = [(256, width), (257, 1), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, 1)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in [*tags, (279, len(data))])
    padded = data + b"\0" * (len(data) % 2)
    return b"II*\0" + struct.pack("<I", 8 + len(padded)) + padded + struct.pack("<H", 9) + entries + bytes(4)


def photo(height: int = 40, width: int = 60) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 4, columns * 3, 255 - rows - columns], axis=-1).astype(np.uint8)


def photos(folder):
    """Write four cats and four dogs."""
    folder.mkdir(parents=True)
    for number in range(8):
        image = np.full((8, 9, 3), 30 * number, np.uint8)
        Image.fromarray(image).save(folder / f"{('cat', 'dog')[number % 2]}.{number // 2}.png")
    return folder
