"""Visitors without a browser work with a real server: one process, and two that share a home."""

import asyncio
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnn_core import runs
from cnn_core.engine import line
from cnn_core.host import limits
from cnn_core.storage import files, lock
from tests.tiny_runs import TINY, folder_with, until

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import load
import load_visitor

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc")]


class Reader(load_visitor.Visitor):
    """A visitor who remembers what is written on the page."""

    def __init__(self, address: str, cookies: dict[str, str] | None = None) -> None:
        super().__init__(address)
        self.read = ""
        self.cookies = cookies

    async def __aenter__(self) -> "Reader":
        await super().__aenter__()
        if self.cookies is not None:
            self._http.cookie_jar.update_cookies(self.cookies)
        return self

    def _see(self, element, fragment):
        self.read += str(element)
        return super()._see(element, fragment)

    @property
    def ticket(self) -> dict[str, str]:
        return {one.key: one.value for one in self._http.cookie_jar if one.key == "cnn_lab_space"}


@pytest.fixture(scope="module")
def two() -> Iterator[load.Server]:
    with load.started(2) as server:
        yield server


@pytest.fixture
def line_is_taken(two, monkeypatch) -> Iterator[None]:
    """Let a run of somebody else train: all others wait. At last end what has been started."""
    monkeypatch.setenv("CNN_LAB_HOME", two.home)
    other = folder_with(files.host_home() / "spaces" / "somebody" / "runs" / "first")
    with lock.locked(other):
        line.join(other)
        yield
        mine = started_runs()
        for run in mine:
            run.stop()
        until(lambda: not any(run.active for run in mine))


def started_runs() -> list[runs.Run]:
    """List the runs of all visitors but somebody's."""
    spaces = files.host_home() / "spaces"
    return [runs.Run(file.parent) for file in spaces.glob("*/runs/*/config.json") if file.parts[-4] != "somebody"]


def test_two_visitors_do_all_that_the_benchmark_measures_and_nothing_fails(two):
    async def work(visitor: Reader, photo: bytes) -> None:
        async with visitor:
            await visitor.do("arrive", visitor.arrive)
            for what, action, *given in load.lesson(visitor, photo):
                await visitor.do(what, action, *given)

    async def both(visitors: list[Reader]) -> None:
        await asyncio.gather(*map(work, visitors, load.photos(2)))

    visitors = [Reader(address) for address in two.addresses]
    asyncio.run(both(visitors))
    for visitor in visitors:
        assert visitor.errors == []
        assert {what for what, _ in visitor.seconds} == set(load.KINDS)
        assert "feature map" in visitor.read and "heat map" in visitor.read


def test_an_error_on_the_page_is_counted(two):
    async def work() -> Reader:
        async with Reader(two.addresses[0]) as anna:
            await anna.do("arrive", anna.arrive)
            await anna.do("classify", anna.classify, b"no photo")
            return anna

    (error,) = asyncio.run(work()).errors
    assert "photo.jpg" in error and error.startswith("classify")


def test_a_visitor_has_the_same_space_on_both_and_one_line_and_one_limit_hold_for_both(two, line_is_taken):
    async def work() -> None:
        async with Reader(two.addresses[0]) as here:
            await here.arrive()
            await here.press("short_start")
            (first,) = started_runs()
            async with Reader(two.addresses[1], here.ticket) as there, Reader(two.addresses[1]) as stranger:
                await there.arrive()  # the same browser, sent to the other process
                until(lambda: first.status().place)
                await there.open("")
                assert "Waiting: place 1 in the line." in there.read
                await stranger.arrive()
                assert "in the line" not in stranger.read
                await stranger.press("short_start")
                (second,) = (run for run in started_runs() if run.id != first.id)
                until(lambda: second.status().place)
                assert [first.status().place, second.status().place] == [1, 2]
                space = first.folder.parents[1]
                another = folder_with(space / "runs" / "another")
                refused = pytest.raises(limits.LimitError, match="You already have")
                with files.at_home(space), lock.locked(another), refused:
                    runs.start(TINY)  # in a third process with the same home
                shutil.rmtree(another)

    asyncio.run(work())
