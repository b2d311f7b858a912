"""How much of what visitors upload a shared server holds in its memory: Streamlit itself limits only each file."""

import re
from collections import Counter
from typing import cast

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from cnn_core.host import limits

_PATH = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")


class Uploads:
    """ASGI middleware that refuses an upload for which there is no room in the memory.

    Attributes
    ----------
    declared : Counter
        For each session, the bytes that its uploads under way say that they have. They count for that session alone:
        nobody can keep others out by announcing much and sending nothing.
    arrived : int
        The bytes of all uploads under way that are here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.declared: Counter[str] = Counter()
        self.arrived = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count an upload while it arrives."""
        upload = _PATH.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if upload is None:
            await self.app(scope, receive, send)
            return
        session, length = upload[1], Headers(scope=scope).get("content-length", "")
        declared, arrived, begun = int(length) if length.isdecimal() else 0, 0, False

        async def counted() -> Message:
            nonlocal declared, arrived, begun
            if not begun:  # here, where what is raised becomes an answer
                self._check(session, declared, 0)
                self.declared[session] += declared
                begun = True
            message = await receive()
            size = len(message.get("body", b""))
            more = max(arrived + size - declared, 0)  # than it has said
            self._check(session, more, size)
            declared, arrived = declared + more, arrived + size
            self.declared[session] += more
            self.arrived += size
            return message

        try:
            await self.app(scope, counted, send)
        finally:
            self.arrived -= arrived
            if begun:
                self.declared[session] -= declared
            if not self.declared[session]:
                del self.declared[session]

    def _check(self, session: str, declared: int, arriving: int) -> None:
        kept = _kept()
        own = kept.get(session, 0) + self.declared[session] + declared
        everyones = sum(kept.values()) + self.arrived + arriving
        for limit, asked in ((limits.MEMORY, own), (limits.ALL_MEMORY, everyones)):
            if asked > limit.value * limits.MB:
                raise HTTPException(413, str(limit.reached()))


def _kept() -> dict[str, int]:
    """Return the bytes that Streamlit holds for each session, until its page is closed."""
    manager = cast(MemoryUploadedFileManager, Runtime.instance().uploaded_file_mgr)
    sessions = list(manager.file_storage.items())  # other threads add to it
    return {session: sum(len(file.data) for file in list(files.values())) for session, files in sessions}
