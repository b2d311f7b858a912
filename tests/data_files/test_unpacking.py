"""A zip is unpacked beside the import of TensorFlow: a head start, that leaves nothing behind when it is given up."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cnn_core import dataset
from cnn_core.data_files import unpacking
from cnn_core.storage import archives, lock
from tests.made_files import zip_of

ROOT = Path(__file__).parents[2]
MANY = {f"train/{'cat' if number % 2 else 'dog'}.{number}.jpg": b"" for number in range(20_000)}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def pets(tmp_path):
    path = tmp_path / "pets.zip"
    path.write_bytes(zip_of(dict(list(MANY.items())[:1200])))
    return path


def unpacked_by(home: Path) -> list[Path]:
    """Return what lies in the cache, finished or not."""
    return [file for file in (home / "cache").iterdir() if file.name != lock.NAME]


def test_the_process_unpacks_and_tells_how_far_it_is(home, pets, monkeypatch):
    told = []
    with unpacking.beside(str(pets)) as unpacked:
        unpacked(lambda *progress: told.append(progress))
    assert told == [(done, 1200, "Unpacking the pictures") for done in (500, 1000, 1200)]
    monkeypatch.setattr(archives, "extract", lambda *_: pytest.fail("It was unpacked before."))
    assert len(dataset.open_dataset(pets)) == 1200


def test_a_large_zip_takes_long_until_it_is_unpacked(home, pets, tmp_path, monkeypatch):
    assert not unpacking.takes_long(str(pets))
    monkeypatch.setattr(unpacking, "LARGE", 10_000)
    assert unpacking.takes_long(str(pets))
    cut_off = tmp_path / "half.zip"
    cut_off.write_bytes(pets.read_bytes()[: pets.stat().st_size // 2])
    for other in (cut_off, tmp_path / "no.zip", tmp_path):
        assert not unpacking.takes_long(str(other))
    dataset.open_dataset(pets)
    assert not unpacking.takes_long(str(pets))


def test_no_process_is_begun_for_nothing(monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("There is nothing to unpack."))
    with unpacking.beside(None) as unpacked:
        unpacked(print)


def test_what_is_wrong_is_said_by_whoever_opens_the_dataset(home, tmp_path):
    path = tmp_path / "pets.zip"
    path.write_bytes(zip_of({"../cat.0.jpg": b""}))
    with unpacking.beside(str(path)) as unpacked:
        unpacked(print)
    with pytest.raises(dataset.DatasetError, match="outside its own folder"):
        dataset.open_dataset(path)


def test_the_process_need_not_be_there(home, pets, monkeypatch):
    def fail(*_, **__):
        raise OSError

    monkeypatch.setattr(subprocess, "Popen", fail)
    with unpacking.beside(str(pets)) as unpacked:
        unpacked(print)
    assert len(dataset.open_dataset(pets)) == 1200


def test_it_is_given_up_with_the_block(home, tmp_path):
    path = tmp_path / "many.zip"
    path.write_bytes(zip_of(MANY))

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), unpacking.beside(str(path)) as unpacked:
        unpacked(stop)
    assert not unpacked_by(home)


def test_it_ends_when_the_process_that_began_it_is_killed(home, tmp_path):
    path = tmp_path / "many.zip"
    path.write_bytes(zip_of(MANY))
    script = (
        "import sys, time; from cnn_core.data_files import unpacking\n"
        "with unpacking.beside(sys.argv[1]) as unpacked: unpacked(lambda *_: (print(flush=True), time.sleep(60)))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=-1, env=environment) as process:
        process.stdout.readline()  # it unpacks
        assert unpacked_by(home)
        process.kill()
    deadline = time.monotonic() + 60
    while unpacked_by(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not unpacked_by(home)


def test_who_wants_the_same_zip_meanwhile_waits_and_does_not_unpack_it_again(home, pets):
    first, extract = threading.Event(), archives.extract
    said = []

    def slowly(*arguments):
        assert not first.is_set(), "It was unpacked twice."
        first.set()
        while (0, 0, "Unpacking the pictures") not in said:
            time.sleep(0.01)
        extract(*arguments)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as threads:
        patch.setattr(archives, "extract", slowly)
        one = threads.submit(unpacking.folder_of, pets)
        assert first.wait(10)
        assert unpacking.folder_of(pets, lambda *progress: said.append(progress)) == one.result(10)


def test_who_waits_can_be_stopped(home, pets):
    (home / "cache").mkdir(parents=True)

    def stop(*_):
        raise KeyboardInterrupt

    with lock.locked(home / "cache"), pytest.raises(KeyboardInterrupt):
        unpacking.folder_of(pets, stop)
    assert len(dataset.open_dataset(pets)) == 1200
