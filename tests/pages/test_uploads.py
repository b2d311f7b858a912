"""Uploads that break off, that are too many, and 500 photos at once: the server keeps what it has room for."""

import asyncio
import gc
import tempfile
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web.server.starlette import starlette_routes

from cnn_core.host import counts, limits
from pages.widgets import data_source
from pages.widgets.host.uploads import Uploads
from tests.made_images import saved
from tests.shared_server import door  # noqa: F401

MB = 1_000_000
BOUNDARY = "x"


class Server:
    """Streamlit's own door for uploads, with this app's before it."""

    def __init__(self, monkeypatch) -> None:
        self.kept = MemoryUploadedFileManager("/_stcore/upload_file")
        runtime = SimpleNamespace(uploaded_file_mgr=self.kept, is_active_session=lambda session: True)
        monkeypatch.setattr(Runtime, "_instance", runtime)
        monkeypatch.setattr(starlette_routes, "is_xsrf_enabled", lambda: False)
        routes = starlette_routes.create_upload_routes(runtime, self.kept, None)
        inner = Starlette(routes=routes, middleware=[Middleware(self._uploads)])
        self.app = inner

    def _uploads(self, app) -> Uploads:
        self.counted = Uploads(app)
        return self.counted

    async def put(self, session: str, file: str, size: int, *, breaks_off=False, length=True) -> tuple[int, str]:
        """Send a file in pieces of 1 MB; return the status and the text of the answer, 0 where there is none."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f.zip"\r\n\r\n'.encode()
        parts = [head, *[bytes(MB)] * (size // MB), bytes(size % MB), f"\r\n--{BOUNDARY}--\r\n".encode()]
        headers = [(b"content-type", f"multipart/form-data; boundary={BOUNDARY}".encode())]
        if length:
            headers.append((b"content-length", str(sum(map(len, parts))).encode()))
        if breaks_off:
            parts = parts[: len(parts) // 2]
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages.append({"type": "http.disconnect"} if breaks_off else {"type": "http.request", "more_body": False})
        sent = []

        async def receive():
            await asyncio.sleep(0)  # others have their turn
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "method": "PUT", "path": f"/_stcore/upload_file/{session}/{file}", "headers": headers,
            "query_string": b"", "scheme": "http", "root_path": "",
        }  # fmt: skip
        try:
            await self.app(scope, receive, send)
        except Exception as error:  # as for a server: there is nobody to answer
            return 0, type(error).__name__
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()

    def together(self, *uploads) -> list[int]:
        """Send several files at the same time; return what the server answers to each."""

        async def all_of_them():
            return await asyncio.gather(*uploads)

        return [status for status, _ in asyncio.run(all_of_them())]

    @property
    def idle(self) -> bool:
        return self.counted.arrived == 0 and not self.counted.declared


@pytest.fixture
def server(monkeypatch, tmp_path) -> Server:
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv(limits.MEMORY.variable, "20")
    monkeypatch.setenv(limits.ALL_MEMORY.variable, "50")
    return Server(monkeypatch)


@pytest.mark.parametrize("spooled", [MB, 100 * MB], ids=["in a temporary file", "in memory"])
def test_of_an_upload_that_breaks_off_nothing_is_left(server, monkeypatch, tmp_path, spooled):
    monkeypatch.setattr("starlette.formparsers.MultiPartParser.spool_max_size", spooled)
    asyncio.run(server.put("anna", "whole", 2 * MB))
    asyncio.run(server.put("anna", "before", 2 * MB, breaks_off=True))  # what the first one imports, stays
    tracemalloc.start()
    for number in range(5):
        asyncio.run(server.put("anna", f"half{number}", 16 * MB, breaks_off=True))
    gc.collect()  # an error holds the frames that it went through, and they hold it
    left, _ = tracemalloc.get_traced_memory()
    largest = tracemalloc.take_snapshot().statistics("lineno")[:5]
    tracemalloc.stop()
    assert left < MB, largest
    assert list(server.kept.file_storage["anna"]) == ["whole"]
    assert list((tmp_path / "temporary").iterdir()) == []
    assert server.idle
    assert asyncio.run(server.put("anna", "again", 16 * MB))[0] == 204


@pytest.mark.parametrize("length", [True, False], ids=["said before", "found out"])
def test_one_page_fills_no_more_than_its_share_of_the_memory(server, length):
    assert asyncio.run(server.put("anna", "one", 15 * MB, length=length))[0] == 204
    status, text = asyncio.run(server.put("anna", "two", 6 * MB, length=length))
    assert (status, text) == (413, limits.MEMORY.sentence)
    assert counts.read() == {"refused_max_memory_mb": 1}
    assert asyncio.run(server.put("ben", "one", 15 * MB, length=length))[0] == 204
    server.kept.remove_session_files("anna")  # whose page was closed
    assert asyncio.run(server.put("anna", "two", 6 * MB, length=length))[0] == 204
    assert server.idle


def test_all_pages_together_have_a_limit_too(server):
    names = [f"visitor{number}" for number in range(6)]
    answers = server.together(*(server.put(name, "file", 12 * MB) for name in names))
    assert sorted(set(answers)) == [204, 413]
    assert sum(map(len, server.kept.file_storage.values())) == answers.count(204) <= 4
    assert server.idle


def test_many_files_at_once_are_taken_as_far_as_there_is_room(server):
    answers = server.together(*(server.put("anna", str(number), MB // 2) for number in range(500)))
    assert answers.count(204) == len(server.kept.file_storage["anna"]) == 39  # the 40th does not fit with its headers
    assert answers.count(413) == 461
    assert server.idle


def test_who_announces_much_and_sends_nothing_keeps_nobody_out(server):
    async def both():
        async def silent():
            await asyncio.sleep(3600)

        waiting = [asyncio.create_task(announced(f"silent{number}", silent)) for number in range(20)]
        await asyncio.sleep(0.01)
        answer = await server.put("anna", "file", 15 * MB)
        for task in waiting:
            task.cancel()
        return answer

    async def announced(session, receive):
        scope = {
            "type": "http", "method": "PUT", "path": f"/_stcore/upload_file/{session}/f", "query_string": b"",
            "headers": [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", b"19000000")],
            "scheme": "http", "root_path": "",
        }  # fmt: skip
        await server.app(scope, receive, None)

    assert asyncio.run(both())[0] == 204


@pytest.mark.parametrize("page", ["classify", "train"])
def test_the_browser_knows_what_the_server_would_refuse(app, door, monkeypatch, page):  # noqa: F811
    """It then says so in a sentence; what the server refuses while it arrives shows as “status code 413”."""
    monkeypatch.setenv(limits.UPLOAD.variable, "7")
    door.comes("anna")
    test = app(page)
    uploaders = [*test.main.file_uploader, *test.sidebar.file_uploader]
    if page == "train":
        uploaders += test.radio(key="data").set_value(data_source.UPLOAD).run().main.file_uploader
    assert {"classify": "photos", "train": "data_upload"}[page] in [uploader.key for uploader in uploaders]
    assert {uploader.proto.max_upload_size_mb for uploader in uploaders} == {7}


def test_500_photos_at_once_are_all_answered(app, lab):
    random = np.random.default_rng(0)
    test = app()
    zone = next(upload for upload in test.main.file_uploader if upload.key == "photos")
    zone.set_value(
        [(f"{n}.png", saved(random.integers(0, 256, (24, 24, 3), np.uint8), "PNG"), "image/png") for n in range(500)]
    )
    test.run()
    assert not test.exception
    assert not test.main.error
    assert next(header.value for header in test.main.header) == "Your 500 photos"
