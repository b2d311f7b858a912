"""A server's memory: what a visitor had is dropped some time after the browser has gone, even when nobody comes."""

import asyncio
import gc
import subprocess
import sys
import weakref
from types import SimpleNamespace

import pytest
from streamlit import runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from pages.widgets.host import memory
from tests.conftest import ROOT


async def what_is_left_of_a_browser(monkeypatch):
    """Return a session whose time is over, and the server's uploads: one file of it, and one of somebody else."""
    uploads = MemoryUploadedFileManager("/upload")
    session = AppSession(
        ScriptData("streamlit_app.py"), uploads, ScriptCache(), message_enqueued_callback=None, user_info={}
    )
    for owner in (session.id, "somebody else"):
        uploads.add_file(owner, UploadedFileRec("of it", "cat.jpg", "image/jpeg", b"a photo"))
    session.session_state["picture"] = "large"
    storage = MemorySessionStorage(ttl_seconds=0)
    manager = WebsocketSessionManager(storage, SimpleNamespace(), SimpleNamespace(), None)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=manager))
    storage.save(SessionInfo(client=None, session=session, script_run_count=1))
    return session, uploads


def test_a_session_is_dropped_once_its_time_is_over(monkeypatch):
    session, _ = asyncio.run(what_is_left_of_a_browser(monkeypatch))
    kept = weakref.ref(session)
    del session, _
    gc.collect()
    assert kept() is not None  # Streamlit alone keeps it until the next browser goes
    memory.forget_sessions()
    gc.collect()
    assert kept() is None


def test_what_a_session_had_is_dropped_although_streamlit_holds_the_last_one(monkeypatch):
    session, uploads = asyncio.run(what_is_left_of_a_browser(monkeypatch))
    memory.forget_sessions()
    assert {owner: list(files) for owner, files in uploads.file_storage.items()} == {"somebody else": ["of it"]}
    assert not session.session_state.filtered_state


def test_streamlit_still_keeps_its_sessions_where_they_are_looked_for():
    assert "_session_mgr" in Runtime.__init__.__code__.co_names


def test_the_server_itself_looks_for_garbage():
    from streamlit import config

    assert config.get_option("runner.postScriptGC") is False


def test_python_itself_looks_for_garbage_less_often_as_long_as_the_server_runs():
    async def threshold() -> int:
        async with memory.kept_small():
            return gc.get_threshold()[0]

    usual = gc.get_threshold()
    assert asyncio.run(threshold()) == memory.NEW_OBJECTS > usual[0]
    assert gc.get_threshold() == usual


LARGE_BLOCKS = """
from pathlib import Path
from pages.widgets.host import memory

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

memory.share_free_memory()
bytearray(4 * memory.LARGE)  # the C library now takes it that blocks of this size come and go, and wants to keep them
before, pictures, small = megabytes(), [], []
for _ in range(10):
    pictures.append(bytearray(b"1") * (2 * memory.LARGE))
    small.append(bytes(3000))
taken = megabytes() - before
pictures.clear()
print(taken, megabytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="The setting is of the GNU library.")
def test_what_is_large_goes_back_to_the_system_as_soon_as_it_is_free():
    """Although small blocks lie between."""
    done = subprocess.run([sys.executable, "-c", LARGE_BLOCKS], cwd=ROOT, capture_output=True, text=True, check=True)
    taken, left = map(float, done.stdout.split())
    assert taken > 80
    assert left < 10
