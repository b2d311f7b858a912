"""The checks before the server starts: what is wrong is said in one sentence, and nothing is left half started."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Sequence

from cnn_core import CnnLabError
from cnn_core.host import limits, mode
from cnn_core.storage.files import HOME, host_home

TOKEN, TEACHER = "CNN_LAB_METRICS_TOKEN", "CNN_LAB_TEACHER_CODE"
SHORTEST = {TOKEN: 16, TEACHER: 8}
"""Codes that protect something: who could try them all must not be able to."""


ONLY_HERE = (
    "CNN Lab is shared, but only this computer can open it, as .streamlit/config.toml says. To let others in, set "
    "STREAMLIT_SERVER_ADDRESS=0.0.0.0, or delete the line “address” from that file."
)
"""What a host is told who has started a shared server with ``streamlit run`` alone."""


class StartError(CnnLabError):
    """The app cannot start like this."""


def check() -> None:
    """Check the environment and the home.

    Raises
    ------
    StartError, ModeError, SettingError
        With a sentence that says what to change.
    """
    mode.shared()
    for limit in limits.TABLE:
        _ = limit.value
    if os.environ.get(TEACHER) and not mode.shared():
        raise StartError(f"{TEACHER} is for a shared server. Set {mode.VARIABLE}=shared too, or remove it.")
    for name, length in SHORTEST.items():
        if 0 < len(os.environ.get(name, "")) < length:
            raise StartError(f"{name} is too short: it must have at least {length} characters. Choose a longer one.")
    try:
        host_home().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=host_home()):
            pass
    except OSError as error:
        raise StartError(
            f"Nothing can be written in {host_home()}: {error.strerror}. Set {HOME} to a folder that can be written."
        ) from error


def has_teacher() -> bool:
    """Tell whether this server has a page for a teacher."""
    return mode.shared() and bool(os.environ.get(TEACHER))


def prepared(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of ``streamlit run`` once all is well; a shared server is there for the whole network.

    Parameters
    ----------
    arguments : sequence of str
        Those that somebody has given.

    Raises
    ------
    SystemExit
        With a sentence when the app cannot start like this.
    """
    more = []
    try:
        check()
        if mode.shared() and option(arguments, "server.address") is None:
            more = ["--server.address=0.0.0.0", "--server.headless=true"]
        check_port([*more, *arguments])
    except CnnLabError as error:
        sys.exit(str(error))
    return [*more, *arguments]


def check_port(arguments: Sequence[str]) -> None:
    """Check that the port that somebody has asked for is free. Without a wish, Streamlit looks for one.

    Parameters
    ----------
    arguments : sequence of str
        Those of ``streamlit run``.

    Raises
    ------
    StartError
        When another program uses it.
    """
    port = option(arguments, "server.port")
    if not port or not port.isdecimal() or int(port) == 0:
        return
    address = option(arguments, "server.address") or "localhost"
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as asked:
            if os.name != "nt":
                asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            asked.bind((address, int(port)))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise StartError(
            f"The app cannot listen on port {port} of {address}: {why}. Stop the program that uses it, or choose "
            "another one with --server.port."
        ) from error


def option(arguments: Sequence[str], name: str) -> str | None:
    """Return what ``streamlit run`` is told about an option, on its command line or else in the environment.

    Examples
    --------
    >>> option(["--server.port", "8600"], "server.port"), option(["--server.port=8601"], "server.port")
    ('8600', '8601')
    """
    found = os.environ.get("STREAMLIT_" + name.replace(".", "_").upper())
    for place, argument in enumerate(arguments):
        if argument == f"--{name}" and place + 1 < len(arguments):
            found = arguments[place + 1]
        elif argument.startswith(f"--{name}="):
            found = argument.partition("=")[2]
    return found
