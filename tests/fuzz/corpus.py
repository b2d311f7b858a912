"""Small valid files of every kind that a door takes, made in code."""

import io
import json
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from tests.made_files import bomb, chunk, zip_of

MODES = ("L", "RGB", "RGBA", "P", "CMYK", "1", "I;16", "F", "LA", "LAB")
TURNED = Image.Exif()
TURNED[0x0112] = 6
OPTIONS = {
    "JPEG": [{}, {"progressive": True}, {"exif": TURNED}],
    "PNG": [{}, {"transparency": 3}],
    "WEBP": [{}, {"lossless": True}],
    "GIF": [{}, {"transparency": 1, "interlace": 0}],
    "BMP": [{}],
    "TIFF": [{}, *({"compression": name} for name in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg", "group4"))],
}  # fmt: skip


def images() -> list[bytes]:
    """Return files of every format, mode and compression that Pillow writes, animations, and files that claim much."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8))
    files = []
    for format, ways in OPTIONS.items():
        for mode in MODES:
            deep = {"I;16": np.uint16, "F": np.float32}.get(mode)
            image = Image.fromarray(np.asarray(noise.convert("L"), deep)) if deep else noise.convert(mode)
            for options in ways:
                file = io.BytesIO()
                try:
                    image.save(file, format, **options)
                except (OSError, ValueError, KeyError, SystemError, TypeError):
                    continue  # the format has no such mode
                files.append(file.getvalue())
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        file = io.BytesIO()
        noise.save(file, format, save_all=True, append_images=[ImageOps.invert(noise)] * 3)
        files.append(file.getvalue())
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000)))
    start, rest = bomb(8, 8)[:33], bomb(8, 8)[33:]
    return [*files, bomb(), bomb(8000, 8000), start + text + rest]


def zips() -> list[bytes]:
    """Return datasets: compressed in four ways, in folders, a zip in a zip, and none."""
    photos = {f"{label}.{number}.png": images()[number] for number, label in enumerate(["cat", "dog"] * 3)}
    folders = {f"PetImages/{name.split('.')[0].title()}/{name[4:]}": data for name, data in photos.items()}
    files = [
        zip_of(photos),
        zip_of({"train.zip": zip_of(photos)}),
        zip_of({"a/train.zip": zip_of(folders)}),
        zip_of({}),
    ]
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, data in folders.items():
                archive.writestr(name, data)
        files.append(file.getvalue())
    return files


def models() -> list[bytes]:
    """Return ``.keras`` files of a small network, its weights compressed and not, made without Keras."""
    import h5py

    def layer(kind: str, name: str, **config: object) -> dict[str, object]:
        return {
            "class_name": kind,
            "module": "keras.layers",
            "registered_name": None,
            "config": {"name": name, **config},
        }

    layers = [
        layer("InputLayer", "input", batch_shape=[None, 8, 8, 3], dtype="float32"),
        layer("Rescaling", "rescaling", scale=1 / 255, offset=0.0),
        layer("Conv2D", "conv2d", filters=2, kernel_size=[3, 3], activation="relu"),
        layer("Flatten", "flatten"),
        layer("Dense", "dense", units=2, activation="softmax"),
    ]
    config = {"class_name": "Sequential", "module": "keras", "config": {"name": "net", "layers": layers}}
    files = []
    for options in ({}, {"compression": "gzip", "chunks": True}):
        weights = io.BytesIO()
        with h5py.File(weights, "w") as file:
            for name, shape in {"conv2d": (3, 3, 3, 2), "dense": (72, 2)}.items():
                file.create_dataset(f"layers/{name}/vars/0", data=np.ones(shape, np.float32), **options)
                file.create_dataset(f"layers/{name}/vars/1", data=np.zeros(2, np.float32))
        members = {"config.json": json.dumps(config).encode(), "metadata.json": b"{}"}
        files.append(zip_of(members | {"model.weights.h5": weights.getvalue()}))
    return files


DOORS: dict[str, Callable[[], list[bytes]]] = {"image": images, "dataset": zips, "model": models}
