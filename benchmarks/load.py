"""What many visitors at once feel, and what memory they take: visitors without a browser speak with a server.

    python benchmarks/load.py                        # 22 minutes: all bars, on a machine that does nothing else
    python benchmarks/load.py --quick                # 6 minutes: 1 and 20 visitors, no memory
    python benchmarks/load.py --visitors 1 50        # only these; --seconds sets how long each takes
    python benchmarks/load.py --servers 2            # two app processes with one home, as compose.yaml starts them
    python benchmarks/load.py --url http://127.0.0.1:8501    # a server that runs already, such as one behind a proxy

Each visitor opens the app, and then does in turn what a lesson asks for: look at both heat maps, drop a photo of
their own, open the page Convolution, edit the kernel three times, come back. Between two things they think for 1 to 3
seconds. The clock runs from what the visitor does until all of the answer has arrived, pictures included.

The bars, on two cores: with 50 visitors the 95th percentile is at most twice that of one, with 100 at most four times
and nothing fails; a visitor takes at most 3 MB, which the system has back five minutes after they left; five rounds of
50 visitors and 300 classifications do not let it grow. The visitors' own work is done on the same machine.
"""

import argparse
import asyncio
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

try:  # the visitors' own work is done on the same processors: with it, it takes a third less
    from uvloop import run
except ModuleNotFoundError:
    from asyncio import run

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from first_page import free_port, megabytes, wait_for  # noqa: E402
from load_visitor import Visitor  # noqa: E402

from cnn_core import sketches  # noqa: E402

BARS = {50: 2.0, 100: 4.0}
"""With so many visitors the 95th percentile may be so many times that of one."""

MB_A_VISITOR = 3.0

FORGOTTEN_AFTER = 300
"""Seconds. For the first two minutes Streamlit keeps what a visitor had, in case the browser comes back."""

GROWTH = 5.0
"""MB that a server may have more than before and is still said not to have grown: what it has varies by as much."""

PHOTO = (500, 375)
"""Width and height of the photos: about those of Dogs vs. Cats."""

THINK = (1, 3)
"""Seconds between two things that a visitor does: at least and at most."""

SECONDS_APART = 0.3
"""Visitors come one after the other, so far apart on average: thirty in nine seconds."""

ALONE = 10
"""One visitor works so many times as long: all others are compared with it, and in 30 seconds it does 14 things."""

KINDS = ("arrive", "open", "edit", "classify", "heat map")


@dataclass(frozen=True)
class Server:
    """What is measured: the addresses of one or several app processes that share a home, and what they take.

    Attributes
    ----------
    addresses : list of str
        Visitors are spread over them, each stays at one: as behind a proxy with sticky sessions.
    processes : list of int
        Their numbers; none for a server that somebody else has started.
    home : str
        The home that they share.
    """

    addresses: list[str]
    processes: list[int]
    home: str = ""

    @property
    def megabytes(self) -> float:
        """Their memory (VmRSS); NaN where it is unknown."""
        return sum(map(megabytes, self.processes)) if self.processes else float("nan")

    @property
    def processor_seconds(self) -> float:
        """The processor time that they have used so far; NaN where it is unknown."""
        if not self.processes:
            return float("nan")
        fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in self.processes]
        return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(count: int) -> Iterator[Server]:
    """Run so many app processes for many visitors, with one home, until the measuring is over."""
    ports = [free_port() for _ in range(count)]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
    with tempfile.TemporaryDirectory() as home, ExitStack() as ends:
        settings = {"CNN_LAB_HOME": home, "CNN_LAB_MODE": "shared", "CNN_LAB_MAX_COSTLY": "100000"}
        server = Server([f"http://127.0.0.1:{port}" for port in ports], [], home)
        for port in ports:
            process = subprocess.Popen(
                [*command, f"--server.port={port}"], cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL
            )
            ends.callback(process.wait)
            ends.callback(process.terminate)
            server.processes.append(process.pid)
        for address in server.addresses:
            wait_for(f"{address}/_stcore/health")
        yield server


def photos(count: int) -> list[bytes]:
    """Draw pets, as JPEG files that differ from each other."""
    files = []
    for number in range(count):
        file = io.BytesIO()
        drawn = Image.fromarray(sketches.draw(("cat", "dog")[number % 2], np.random.default_rng(number), 200)).resize(
            PHOTO
        )
        grain = np.random.default_rng(number).integers(-12, 13, (PHOTO[1], PHOTO[0], 3))
        Image.fromarray((np.asarray(drawn) + grain).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
        files.append(file.getvalue())
    return files


@dataclass
class Crowd:
    """What a number of visitors have seen.

    Attributes
    ----------
    seconds : list of (str, float)
        What was done, and how long it took.
    errors : list of str
    megabytes : float
        The server's memory when all were still there.
    processor : float
        Processor seconds of the server for each thing that was done.
    """

    seconds: list[tuple[str, float]]
    errors: list[str]
    megabytes: float
    processor: float

    def percentile(self, share: int, kind: str = "") -> float:
        """Return a percentile of the answers of one kind, or of all, in seconds; NaN where there are not two."""
        found = [seconds for what, seconds in self.seconds if kind in ("", what)]
        return statistics.quantiles(found, n=100, method="inclusive")[share - 1] if len(found) > 1 else float("nan")


async def crowd(server: Server, number: int, seconds: float, files: list[bytes]) -> Crowd:
    """Let a number of visitors come, work until the last one has been there for so many seconds, and leave together."""
    coming = SECONDS_APART * number
    end = time.monotonic() + coming + seconds
    turn = cycle(random.sample(files, len(files)))
    used = server.processor_seconds
    rooms = [Visitor(address) for _, address in zip(range(number), cycle(server.addresses), strict=False)]
    for room in rooms:
        await room.__aenter__()
    await asyncio.gather(*(visit(room, turn, random.uniform(0, coming), end) for room in rooms))
    done = [one for room in rooms for one in room.seconds]
    used, most = server.processor_seconds - used, server.megabytes
    for room in rooms:
        await room.__aexit__(None, None, None)
    return Crowd(done, [error for room in rooms for error in room.errors], most, used / max(1, len(done)))


def lesson(visitor: Visitor, photo: bytes) -> list[tuple[Any, ...]]:
    """Return what a visitor does in turn: its kind, and how."""
    heat, edit = ("heat map", visitor.heat_map), ("edit", visitor.edit)
    return [
        heat, heat, ("classify", visitor.classify, photo), heat,
        ("open", visitor.open, "convolution"), edit, edit, edit, ("open", visitor.open, ""),
    ]  # fmt: skip


async def visit(visitor: Visitor, turn: Iterator[bytes], after: float, end: float) -> None:
    """Come after some seconds, and take lessons until the time is over or something has failed."""
    await asyncio.sleep(after)
    if await visitor.do("arrive", visitor.arrive):
        while True:
            for what, action, *given in lesson(visitor, next(turn)):
                await asyncio.sleep(random.uniform(*THINK))
                if time.monotonic() > end or not await visitor.do(what, action, *given):
                    return


async def classifications(server: Server, count: int, files: list[bytes]) -> list[str]:
    """Let one visitor drop so many photos, one after the other. Return what went wrong."""
    async with Visitor(server.addresses[0]) as visitor:
        if await visitor.do("arrive", visitor.arrive):
            for _, file in zip(range(count), cycle(files), strict=False):
                await visitor.do("classify", visitor.classify, file)
        return visitor.errors


def show(number: int, seen: Crowd, one: Crowd | None) -> bool:
    """Print what so many visitors have seen, and whether the bars hold."""
    print(f"\n{number} visitor{'s' * (number > 1)}: {len(seen.seconds)} answers, {len(seen.errors)} errors, "
          f"{1000 * seen.processor:.0f} ms of the server's processor for each, {seen.megabytes:.0f} MB")  # fmt: skip
    for kind in (*KINDS, ""):
        median, high = (1000 * seen.percentile(share, kind) for share in (50, 95))
        times = f"{high / (1000 * one.percentile(95, kind)):6.2f} × that of one" if one else ""
        print(f"    {kind or 'all':9} 50th percentile {median:6.0f} ms, 95th {high:6.0f} ms {times}")
    for error in sorted(set(seen.errors))[:5]:
        print(f"    error: {error}")
    if number not in BARS or one is None:
        return not seen.errors
    times = seen.percentile(95) / one.percentile(95)
    return said(f"95th percentile of all {times:.2f} × that of one, bar {BARS[number]}", times <= BARS[number]) & said(
        f"{len(seen.errors)} errors, bar 0", not seen.errors
    )


def said(sentence: str, holds: bool) -> bool:
    """Print whether a bar holds."""
    print(f"    {'holds' if holds else 'DOES NOT HOLD'}: {sentence}")
    return holds


def memory(server: Server, seconds: float, files: list[bytes]) -> bool:
    """Measure what visitors take and leave behind: a round of 50, four more, and 300 classifications."""
    print("\nMemory")
    before = server.megabytes
    took = (run(crowd(server, 50, seconds, files)).megabytes - before) / 50
    holds = said(f"{took:.2f} MB for each of 50 visitors, bar {MB_A_VISITOR}", took <= MB_A_VISITOR)
    time.sleep(FORGOTTEN_AFTER)
    once = server.megabytes
    left = f"{once - before:+.0f} MB {FORGOTTEN_AFTER / 60:.1f} minutes after they have left, bar {GROWTH:.0f}"
    holds &= said(left, once <= before + GROWTH)
    for _ in range(4):
        run(crowd(server, 50, seconds, files))
    errors = run(classifications(server, 300, files))
    time.sleep(FORGOTTEN_AFTER)
    grown = server.megabytes - once
    holds &= said(f"{len(errors)} errors in 300 classifications, bar 0", not errors)
    return said(f"{grown:+.0f} MB by them and four more rounds of 50, bar {GROWTH:.0f}", grown <= GROWTH) and holds


async def first_visit(server: Server, files: list[bytes]) -> None:
    """Let each process load what its first visitor needs."""
    for address in server.addresses:
        async with Visitor(address) as visitor:
            await visitor.do("arrive", visitor.arrive)
            for what, action, *given in lesson(visitor, files[0]):
                await visitor.do(what, action, *given)


def main() -> None:
    """Measure, print, and say with the exit status whether all bars hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="measure this server; else one is started")
    parser.add_argument("--servers", type=int, default=1, metavar="N", help="start so many app processes with one home")
    parser.add_argument("--visitors", type=int, nargs="+", metavar="N", default=[1, 5, 20, 50, 100])
    parser.add_argument(
        "--seconds",
        type=float,
        default=30,
        help=f"how long each number works; one visitor {ALONE} times as long",
    )
    parser.add_argument("--quick", action="store_true", help="1 and 20 visitors, and no memory")
    options = parser.parse_args()
    numbers = [1, 20] if options.quick else options.visitors
    files, holds, one = photos(100), True, None
    with nullcontext(Server([options.url], [])) if options.url else started(options.servers) as server:
        run(first_visit(server, files))
        if not options.quick and server.processes and {50, 100} <= set(numbers):
            holds &= memory(server, options.seconds / 2, files)
        for number in numbers:
            seen = run(crowd(server, number, options.seconds * (ALONE if number == 1 else 1), files))
            one = seen if number == 1 else one
            holds &= show(number, seen, one if number > 1 else None)
    sys.exit(not holds)


if __name__ == "__main__":
    main()
