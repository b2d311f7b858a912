"""A server's memory: what a visitor had is dropped some time after the browser has gone, even when nobody comes."""

import gc
import weakref
from types import SimpleNamespace

from streamlit import runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from pages.widgets.host import memory


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
