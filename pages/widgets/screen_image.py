"""A picture or a colored feature map as the screen takes it: enlarged, as a JPEG, or exactly, as a WebP in base64."""

import base64
import io

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


def exact(colors: np.ndarray, longest: int | None = None) -> str:
    """Return a picture as a lossless WebP in base64, shrunk where a side is longer than `longest`.

    PNG takes twice as long for a photo, and is a third larger.
    """
    file = io.BytesIO()
    pixels = fit(colors, longest) if longest else colors
    Image.fromarray(pixels).save(file, "WEBP", lossless=True, method=0, quality=0)  # the fastest way
    return base64.b64encode(file.getvalue()).decode()
