"""What a server does for its visitors beside showing pages: it checks itself at start, and empties idle spaces."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.middleware import Middleware
from streamlit import config

from cnn_core import CnnLabError
from cnn_core.host import limits, mode, spaces, start
from cnn_core.storage import files
from pages.widgets.host import account, theme, uploads, visitor

MINUTES = 10
"""Between two looks for spaces that are idle."""


def prepare() -> list[Middleware]:
    """Check what the host has set, and return what stands before a shared server: cookies, a limit for uploads.

    Raises
    ------
    SystemExit
        With a sentence when the app cannot start like this.
    """
    try:
        start.check()
        if not mode.shared():
            return []
        account.check()
        config.set_option("server.maxUploadSize", limits.UPLOAD.value)  # what is larger does not even arrive
        config.set_option("server.fileWatcherType", "none")  # a tenth of the processor's time, for who edits the code
    except CnnLabError as error:
        sys.exit(str(error))
    if config.get_where_defined("server.address").endswith("config.toml"):  # so nobody has chosen it
        print(start.ONLY_HERE, file=sys.stderr)
    theme.read_once()
    files.ask_for_home(visitor.home)
    cookies = [] if account.set_up() else [Middleware(visitor.Cookies)]
    return [*cookies, Middleware(uploads.Uploads)]


@asynccontextmanager
async def of_spaces() -> AsyncIterator[None]:
    """Empty idle spaces now and then, as long as a shared server runs."""
    task = asyncio.create_task(_empty_idle()) if mode.shared() else None
    try:
        yield
    finally:
        if task:
            task.cancel()


async def _empty_idle() -> None:
    while True:
        with suppress(OSError):  # a disk that is gone for a while
            await asyncio.to_thread(spaces.empty_idle)
        await asyncio.sleep(60 * MINUTES)
