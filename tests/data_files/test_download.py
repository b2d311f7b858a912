"""A download continues where it stopped, whatever the server does, and what is not the published file is not kept."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from cnn_core.data_files import download as downloads
from cnn_core.data_files.download import DownloadError, Remote, download
from cnn_core.storage import lock
from cnn_core.storage.lock import locked

CONTENT = np.random.default_rng(0).bytes(300_000)


class Server(ThreadingHTTPServer):
    """Gives `content`, as its plan says: the first answers in turn, then the last one for ever."""

    content = CONTENT
    plan = ("all",)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/photos.zip"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked, plan = self.server.asked, self.server.plan
        asked.append(self.headers.get("Range"))
        kind = plan[min(len(asked), len(plan)) - 1]
        if isinstance(kind, int):
            self.send_error(kind)
            return
        start = int(asked[-1].removeprefix("bytes=").rstrip("-")) if asked[-1] and kind != "no ranges" else 0
        rest = self.server.content[start:]
        if start >= len(self.server.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            whole = len(self.server.content)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        if kind == "too long":  # it says more than it has
            self.send_header("Content-Length", str(len(rest) + 5000))
        elif kind == "too short":
            self.send_header("Content-Length", str(min(len(rest), 90_000)))
        elif kind != "unknown":
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[:100_000] if kind == "drops" else rest)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(downloads, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(downloads, "PIECE", 4096)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "datasets" / "photos.zip"


def remote(server, content=CONTENT, checksum=True) -> Remote:
    return Remote(server.url, len(content), hashlib.sha256(content).hexdigest() if checksum else None)


@pytest.mark.parametrize(
    "plan",
    [
        ("all",),
        ("unknown",),
        ("drops",),
        ("drops", "no ranges"),
        ("too long",),
        ("too short",),
        (503, 429, "drops", 500, "all"),
    ],
)
def test_the_whole_file_arrives_whatever_the_server_does(server, target, plan):
    server.plan = plan
    told = []
    assert download(remote(server), target, lambda *news: told.append(news)) == target
    assert target.read_bytes() == CONTENT
    assert [file.name for file in target.parent.iterdir() if file.name != "lock"] == ["photos.zip"]
    done = [news[0] for news in told if news[2] == "Downloading"]
    assert done[-1] == told[-1][0] == told[-1][1] == len(CONTENT)
    assert "no ranges" in plan or done == sorted(done)


def test_what_has_arrived_is_not_asked_for_again(server, target):
    server.plan = ("drops",)
    download(remote(server), target)
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]


def test_it_goes_on_after_a_stop(server, target):
    def stop(done, *_):
        if done > 150_000:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        download(remote(server), target, stop)
    assert not target.exists()
    kept = target.with_name("photos.zip.part").stat().st_size
    download(remote(server), target)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]
    assert kept > 150_000


def test_a_stop_is_heard_between_two_attempts(server, target, monkeypatch):
    server.plan = (503,)
    monkeypatch.setattr(downloads, "PAUSE_SECONDS", 60.0)
    told = []

    def stop(*news):
        told.append(news)
        if len(told) > 1:
            raise RuntimeError("enough")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="enough"):
        download(remote(server), target, stop)
    assert time.monotonic() - began < 30
    assert [what for *_, what in told] == ["Waiting to ask the server again"] * 2


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_file_that_is_not_there_is_a_sentence_at_once(server, target, code):
    server.plan = (code,)
    with pytest.raises(DownloadError, match=f"{code}.*from Kaggle"):
        download(remote(server), target)
    assert len(server.asked) == 1


def test_a_server_that_gives_nothing_more_is_given_up_and_what_has_arrived_is_kept(server, target):
    server.plan = ("drops", 500)
    with pytest.raises(DownloadError, match=r"500.*have arrived and are kept"):
        download(remote(server), target)
    assert target.with_name("photos.zip.part").read_bytes() == CONTENT[:100_000]


def test_no_server_is_a_sentence(server, target):
    server.server_close()
    with pytest.raises(DownloadError, match="Check the connection"):
        download(Remote("http://127.0.0.1:9/photos.zip", 10), target)


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        (CONTENT[:-1] + b"?", "checksum"),
        (CONTENT + b"more", "longer"),
        (CONTENT[:1000], "stopped"),
    ],
)
def test_another_file_is_not_taken(server, target, there, sentence):
    server.content = there
    with pytest.raises(DownloadError, match=sentence):
        download(remote(server), target)
    assert not target.exists()


def test_a_part_of_another_file_is_dropped(server, target):
    target.parent.mkdir()
    target.with_name("photos.zip.part").write_bytes(b"x" * 1000)
    with pytest.raises(DownloadError, match="checksum"):
        download(remote(server), target)
    assert download(remote(server), target).read_bytes() == CONTENT


def test_without_a_published_checksum_the_size_decides(server, target):
    server.content = bytes(len(CONTENT))
    assert download(remote(server, checksum=False), target).stat().st_size == len(CONTENT)


def test_two_never_write_the_same_file_and_a_full_disk_is_a_sentence(server, target, monkeypatch):
    target.parent.mkdir()
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.0)
    with locked(target.parent), pytest.raises(DownloadError, match="Another download"):
        download(remote(server), target)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(DownloadError, match="disk has only"):
        download(remote(server), target)
    assert not server.asked
