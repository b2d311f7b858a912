"""A visitor without a browser, for `load.py`: speaks with the server as Streamlit's own page does.

A browser fetches the page, which gives it two cookies, opens a websocket, and sends a `BackMsg` for each thing that the
visitor does: the state of all controls that were touched. The server runs the script, or the fragment that the control
stands in, and answers with `ForwardMsg`: first "running", then the elements of the page, at last "not running".
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import aiohttp
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

MOST_SECONDS = 120
"""After which a visitor gives up waiting; it counts as an error."""

LAB = "convolution_lab"


class Failed(Exception):
    """The server has answered with an error, or not at all."""


class Visitor:
    """One browser window. Use it as an asynchronous context: on the way out the window is closed.

    Attributes
    ----------
    seconds : list of (str, float)
        Each thing that was done, and how long until it was on screen.
    errors : list of str
        What went wrong.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.seconds: list[tuple[str, float]] = []
        self.errors: list[str] = []
        self._pages: dict[str, str] = {}  # the hash of each page, by its path
        self._page = self._query = ""
        self._widgets: dict[str, tuple[Any, str]] = {}  # the newest element with this key, and its fragment
        self._states: dict[str, WidgetState] = {}
        self._held: dict[str, ForwardMsg] = {}  # messages that need not be sent again
        self._files: set[str] = set()
        self._session = ""
        self._upload: Any = None

    async def __aenter__(self) -> Visitor:
        """Make the window, which shows nothing yet."""
        jar = aiohttp.CookieJar(unsafe=True)  # also for an address that is a number
        self._http = aiohttp.ClientSession(self.address, cookie_jar=jar)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the window."""
        await self._http.close()

    async def do(self, what: str, action: Callable[..., Awaitable[None]], *given: Any) -> bool:
        """Do something, and note how long it took, or why it failed. Return whether it went well."""
        began = time.perf_counter()
        try:
            await asyncio.wait_for(action(*given), MOST_SECONDS)
        except (Failed, TimeoutError, OSError, aiohttp.ClientError) as error:
            self.errors.append(f"{what}: {type(error).__name__} {error}")
            return False
        self.seconds.append((what, time.perf_counter() - began))
        return True

    async def arrive(self) -> None:
        """Open the app's address."""
        for path in ("/", "/_stcore/health", "/_stcore/host-config"):
            await self._fetch(path)
        jar = {cookie.key: cookie.value for cookie in self._http.cookie_jar}
        protocols = ["streamlit", jar.get("_streamlit_xsrf", "none")]
        self._xsrf = protocols[1]
        self._socket = await self._http.ws_connect("/_stcore/stream", protocols=protocols, max_msg_size=0)
        await self._run()

    async def open(self, path: str) -> None:
        """Follow a link of the menu; ``""`` is the first page. The page is there once its lab is."""
        self._page, self._query, self._states = self._pages[path], "", {}
        await self._run()
        if path == "convolution":
            await self._tell_lab(has=self._lab()["picture"]["id"])

    async def edit(self) -> None:
        """Type another number into the kernel of the lab."""
        settings = self._lab()["settings"]
        settings["tables"][0][random.randrange(9)] = random.randint(-99, 99) / 10
        await self._tell_lab(bench=settings)

    async def classify(self, photo: bytes) -> None:
        """Drop a photo on the page Classify, and remove the one before."""
        uploader, fragment = self._find("photos")
        ask = BackMsg()
        ask.file_urls_request.request_id = "1"
        ask.file_urls_request.session_id = self._session
        ask.file_urls_request.file_names.append("photo.jpg")
        await self._socket.send_bytes(ask.SerializeToString())
        while self._upload is None:
            self._take(await self._next())
        place, self._upload = self._upload, None
        form = aiohttp.FormData()
        form.add_field("photo.jpg", photo, filename="photo.jpg", content_type="image/jpeg")
        async with self._http.put(place.upload_url, data=form, headers={"X-Xsrftoken": self._xsrf}) as answer:
            if answer.status != 204:
                raise Failed(f"the upload was answered with {answer.status}")
        state = WidgetState(id=uploader.id)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = "photo.jpg", len(photo), place.file_id
        info.file_urls.CopyFrom(place)
        await self._touch(state, fragment)

    async def heat_map(self) -> None:
        """Ask for the evidence for the other class."""
        chooser, fragment = self._find("why_cat", "why_dog")
        before = self._states.get(chooser.id)
        first = [chooser.options[at].content for at in chooser.default]
        shown = list(before.string_array_value.data) if before else first
        other = next(option.content for option in chooser.options if option.content not in shown)
        state = WidgetState(id=chooser.id)
        state.string_array_value.data.append(other)
        await self._touch(state, fragment)

    async def press(self, key: str) -> None:
        """Press the button with this key."""
        button, fragment = self._find(key)
        await self._touch(WidgetState(id=button.id, trigger_value=True), fragment)

    def _lab(self) -> dict[str, Any]:
        """Return what the server told the lab last."""
        lab, _ = self._find(LAB)
        found: dict[str, Any] = json.loads(lab.mixed.json if lab.WhichOneof("data") == "mixed" else lab.json)
        return found

    async def _tell_lab(self, **parts: Any) -> None:
        """Set parts of the lab's state, as `setStateValue` does in the browser."""
        lab, fragment = self._find(LAB)
        before = self._states.get(lab.id)
        known = json.loads(before.json_value) if before else {}
        await self._touch(WidgetState(id=lab.id, json_value=json.dumps(known | parts)), fragment)

    async def _touch(self, state: WidgetState, fragment: str) -> None:
        self._states[state.id] = state
        await self._run(fragment)
        if state.WhichOneof("value") == "trigger_value":  # a button is pressed once
            self._states.pop(state.id, None)

    def _find(self, *keys: str) -> tuple[Any, str]:
        for key, found in reversed(self._widgets.items()):
            if key in keys or any(key.startswith(f"{one}_") and key[len(one) + 1 :].isdigit() for one in keys):
                return found
        raise Failed(f"no control {' or '.join(keys)} on the page")

    async def _run(self, fragment: str = "") -> None:
        """Ask for a run, and read until the server has nothing more to say about it."""
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string, asked.page_script_hash, asked.fragment_id = self._query, self._page, fragment
        asked.widget_states.widgets.extend(self._states.values())
        asked.cached_message_hashes.extend(self._held)
        asked.context_info.timezone, asked.context_info.locale = "Europe/Berlin", "en-US"
        asked.context_info.url = self.address
        await self._socket.send_bytes(message.SerializeToString())
        finished = False
        files: list[str] = []
        while True:
            message = await self._next()
            files += self._take(message)
            kind = message.WhichOneof("type")
            if kind == "script_finished":
                finished = message.script_finished in (
                    ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
                )  # fmt: skip
            elif kind == "session_status_changed" and finished and not message.session_status_changed.script_is_running:
                break
        new = [file for file in dict.fromkeys(files) if file not in self._files]
        await asyncio.gather(*map(self._fetch, new))
        self._files.update(new)

    async def _next(self) -> ForwardMsg:
        data = await self._socket.receive()
        if data.type != aiohttp.WSMsgType.BINARY:
            raise Failed(f"the connection ended ({data.type.name} {data.data})")
        message = ForwardMsg.FromString(data.data)
        return self._held[message.ref_hash] if message.WhichOneof("type") == "ref_hash" else message

    def _take(self, message: ForwardMsg) -> list[str]:
        """Note what a message says; return the addresses of pictures that the browser fetches for it."""
        kind = message.WhichOneof("type")
        if message.metadata.cacheable:
            self._held[message.hash] = message
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id
            self._page = message.new_session.page_script_hash
        elif kind == "navigation":
            self._pages = {
                "" if page.is_default else page.url_pathname: page.page_script_hash
                for page in message.navigation.app_pages
            }
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "file_urls_response":
            self._upload = message.file_urls_response.file_urls[0]
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            return self._see(message.delta.new_element, message.delta.fragment_id)
        return []

    def _see(self, element: Any, fragment: str) -> list[str]:
        kind = element.WhichOneof("type")
        content = getattr(element, kind)
        if kind == "exception" or (kind == "alert" and content.format == Alert.ERROR):
            raise Failed(content.message if kind == "exception" else content.body)
        if kind in ("bidi_component", "button", "button_group", "file_uploader"):
            key = content.id.split("-", 2)[-1]  # Streamlit's: $$ID-hash-key
            self._widgets.pop(key, None)
            self._widgets[key] = content, fragment
        return [image.url for image in content.imgs] if kind == "imgs" else []

    async def _fetch(self, path: str) -> None:
        async with self._http.get(path) as answer:
            await answer.read()
            if answer.status != 200:
                raise Failed(f"{path} was answered with {answer.status}")
