"""What the page Classify promises: nothing of a visitor's photo is written to the disk."""

import io
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.watched import written


def photo() -> bytes:
    """A photo larger than the 1 MB from which the server's parser would use a temporary file."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (700, 800, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_the_watch_sees_what_is_written(tmp_path):
    with written() as seen, tempfile.TemporaryFile():
        (tmp_path / "file").write_bytes(b"")
    assert tmp_path / "file" in seen
    assert len(seen) >= 2  # the one without a name, too


def test_a_dropped_photo_stays_in_memory(app, lab, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    app()  # what is made once for all visitors
    before = files(tmp_path)
    with written() as seen:
        test = app(why="Where it looks")
        next(upload for upload in test.main.file_uploader if upload.key == "photos").upload(
            "a.png", photo(), "image/png"
        )
        test.sidebar.file_uploader(key="picture_upload").upload("b.png", photo(), "image/png")
        test.run()
        for page in ("pixels", "convolution", "classify"):
            test.switch_page(f"pages/{page}.py").run()
            assert not test.exception
    assert [text for text in test.main.caption if "written to its disk" in text.value]
    others = tmp_path.parent  # what threads of other tests still write is in their own folders
    assert not [
        path for path in seen if path != Path("/dev/null") and (tmp_path in path.parents or others not in path.parents)
    ]
    assert files(tmp_path) == before
