"""Zips from strangers: what would leave its folder, grow without end or never end is refused, and nothing is left."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from cnn_core.storage import archives
from tests.made_files import zip_of


def refused(tmp_path: Path, data: bytes, match: str) -> None:
    """Hold a zip to being refused with a sentence, and to leaving nothing behind."""
    path, folder = tmp_path / "pets.zip", tmp_path / "home" / "unpacked"
    path.write_bytes(data)
    with pytest.raises(archives.ArchiveError, match=match) as caught:
        archives.extract(path, folder, wanted=lambda name: name.endswith(".png"))
    assert str(caught.value).endswith(".")
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["home", "pets.zip"]


@pytest.mark.parametrize(
    "name", ["../cat.png", "/cat.png", "a/../../cat.png", "C:\\cat.png", "..\\cat.png", "\\cat.png"]
)
def test_paths_that_leave_their_folder(tmp_path, name):
    refused(tmp_path, zip_of({"dog.png": b"", name: b""}), "outside its own folder")
    refused(tmp_path, zip_of({"train.zip": zip_of({name: b""})}), "outside its own folder")


def test_symbolic_links(tmp_path):
    file, link = io.BytesIO(), zipfile.ZipInfo("cat.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(tmp_path, file.getvalue(), "outside its own folder")


def test_more_than_is_accepted(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    monkeypatch.setattr(archives, "MAX_FILES", 3)
    refused(tmp_path, zip_of({"cat.png": bytes(1001)}), "at most 3 files")
    refused(tmp_path, zip_of({f"cat.{number}.png": b"" for number in range(4)}), "would unpack to 4 files")
    refused(tmp_path, zip_of({"train.zip": zip_of({"cat.png": bytes(900)}) + bytes(200)}), "at most 3 files")


def test_a_size_that_is_a_lie(tmp_path):
    """The zip says that a file has ten bytes, and holds a megabyte of zeros: ten are written, and it is incomplete."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat.png", bytes(10**6))
    data, true, false = file.getvalue(), struct.pack("<I", 10**6), struct.pack("<I", 10)
    (tmp_path / "pets.zip").write_bytes(data.replace(true, false))
    archives.extract(tmp_path / "pets.zip", tmp_path / "unpacked", wanted=lambda _: True)
    assert (tmp_path / "unpacked" / "cat.png").stat().st_size <= 10


@pytest.mark.parametrize("large", [False, True], ids=["zip", "zip64"])
def test_a_list_of_files_that_would_fill_the_memory(tmp_path, large):
    """A zip of some gigabytes may list forty million files; only how long it says that the list is was read."""
    length = archives.MAX_DIRECTORY + 1
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, 0xFFFFFFFF if large else length, 0, 0)
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, length, 0)
    refused(tmp_path, (end64 + struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1) if large else b"") + end, "lists more than")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_photo_is_left_to_the_dataset_and_a_damaged_zip_refused(tmp_path, method):
    def packed(members: dict[str, bytes]) -> bytearray:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return bytearray(file.getvalue())

    photos = {"cat.png": bytes(range(256)) * 9, "dog.png": b"a dog"}
    data = packed(photos)
    data[45:60] = bytes(15)
    (tmp_path / "pets.zip").write_bytes(data)
    archives.extract(tmp_path / "pets.zip", tmp_path / "unpacked", wanted=lambda _: True)
    assert (tmp_path / "unpacked" / "dog.png").read_bytes() == b"a dog"
    outer = packed({"train.zip": zip_of(photos)})
    outer[50:70] = bytes(20)
    folder = tmp_path / "other"
    folder.mkdir()
    refused(folder, bytes(outer), "damaged|not a zip")


def test_names_that_are_none(tmp_path):
    bad = zip_of({"cat\u00fc.png": b""})
    refused(tmp_path, bad.replace("\u00fc".encode(), b"\xff\xff"), "not a zip file")
    (tmp_path / "pets.zip").write_bytes(zip_of({"#": b"", "cat.png": b"cat"}).replace(b"#", b"\0"))
    archives.extract(tmp_path / "pets.zip", tmp_path / "unpacked", wanted=lambda name: name.endswith(".png"))
    assert (tmp_path / "unpacked" / "cat.png").read_bytes() == b"cat"


def test_of_zips_inside_zips_one_level_is_unpacked(tmp_path):
    """A zip that holds itself, as it seems, for ever: what is deeper than Kaggle's train.zip is no photo."""
    content = zip_of({"cat.0.jpg": b"a photo"})
    for _ in range(50):
        content = zip_of({"train.zip": content, "train/dog.0.jpg": b"a photo"})
    (tmp_path / "deep.zip").write_bytes(content)
    archives.extract(tmp_path / "deep.zip", tmp_path / "out", lambda name: name.endswith(".jpg"))
    assert [path.name for path in (tmp_path / "out").rglob("*.*")] == ["dog.0.jpg"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep.zip", "out"]
