"""The server's memory: what visitors leave behind is looked for every few seconds, and given back to the system.

Streamlit can look for garbage after each run of a script. With all that this app imports, that took five times as long
as the run itself, and nobody else's script could run meanwhile. So `.streamlit/config.toml` turns it off, and the
server does it here, for all visitors at once and without what is imported, which never becomes garbage. Python's own
looks in between, one for every 700 new objects, took as much time as these.
"""

import asyncio
import ctypes
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from streamlit import runtime

SECONDS = 3.0
"""Between two looks."""

NEW_OBJECTS = 100_000
"""With so many, Python itself looks for garbage before the next look."""

LARGE = 4 * 2**20
"""Bytes. What is larger, such as an uploaded file, is fetched from the system, and goes back once it is free.

What is computed for a page is mostly smaller: fetched from the system each time, it took a quarter of the processor."""

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # as in malloc.h

TRIM_EVERY = 10
"""After so many looks, memory that is free goes back to the system."""


@asynccontextmanager
async def kept_small() -> AsyncIterator[None]:
    """Look for garbage as long as the server runs."""
    usual = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *usual[1:])
    task = asyncio.create_task(_look())
    try:
        yield
    finally:
        task.cancel()
        gc.set_threshold(*usual)


async def _look() -> None:
    imported, someone, looks = 0, False, 0
    while True:
        forget_sessions()
        if imported != len(sys.modules) or (someone and not _visited()):
            # Also objects of visitors are then passed over. So it is done again once all visitors have left.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            imported = len(sys.modules)
        else:
            gc.collect()
        someone, looks = _visited(), looks + 1
        if looks % TRIM_EVERY == 0:
            trim()
        await asyncio.sleep(SECONDS)


def forget_sessions() -> None:
    """Drop the sessions whose browsers have been gone for `server.disconnectedSessionTTL`, and empty them.

    Streamlit drops one only when the next browser goes: after a class has left, the memory of all would stay taken. Its
    loop holds the last one until the next browser comes, with all the photos that its visitor had uploaded.
    """
    with suppress(AttributeError, RuntimeError):  # another Streamlit, or one that does not run yet
        storage = runtime.get_instance()._session_mgr._session_storage  # type: ignore[attr-defined]
        for _, gone in storage._cache.expire():
            gone.session.shutdown()
            gone.session.session_state.clear()
            gone.session._fragment_storage.clear()


def share_free_memory() -> None:
    """Let all threads take memory from the same two places, and large blocks from the system. Call it at the start.

    Each run of a script is a thread of its own. The C library gives threads up to 16 places on two processors, and what
    is free in one is of no use to the others: that doubled what a visitor took. It also raises the size from which a
    block is large with each large block that is freed, up to 32 MB. Such blocks then lie between small ones, and leave
    holes that nobody has back.
    """
    _c_library("mallopt", _ARENA_MAX, 2)
    _c_library("mallopt", _MMAP_THRESHOLD, LARGE)


def trim() -> None:
    """Give the system back what is free; the C library would keep it for later."""
    _c_library("malloc_trim", 0)


def _c_library(name: str, *arguments: int) -> None:
    """Call a function that only the GNU library of Linux has."""
    with suppress(OSError, AttributeError):
        getattr(ctypes.CDLL("libc.so.6"), name)(*arguments)


def _visited() -> bool:
    return bool(runtime.exists() and runtime.get_instance()._session_mgr.list_sessions())
