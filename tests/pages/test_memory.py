"""A server's memory: what a visitor had is dropped some time after the browser has gone, even when nobody comes."""

import gc
import subprocess
import sys
import weakref
from types import SimpleNamespace

import pytest
from streamlit import runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from pages.widgets.host import memory
from tests.conftest import ROOT


class Session:
    """Stands for what Streamlit keeps of a browser."""

    id = "of a browser that has gone"


def test_a_session_is_dropped_once_its_time_is_over(monkeypatch):
    storage = MemorySessionStorage(ttl_seconds=0)
    manager = WebsocketSessionManager(storage, SimpleNamespace(), SimpleNamespace(), None)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=manager))
    session = Session()
    kept = weakref.ref(session)
    storage.save(SessionInfo(client=None, session=session, script_run_count=1))
    del session
    gc.collect()
    assert kept() is not None  # Streamlit alone keeps it until the next browser goes
    memory.forget_sessions()
    assert kept() is None


def test_streamlit_still_keeps_its_sessions_where_they_are_looked_for():
    assert "_session_mgr" in Runtime.__init__.__code__.co_names


def test_the_server_itself_looks_for_garbage():
    from streamlit import config

    assert config.get_option("runner.postScriptGC") is False


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
