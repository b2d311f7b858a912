"""What costs takes turns: pages one after the other, no more computations at once than there are processors."""

import os
import threading
from contextlib import suppress

import pytest

from cnn_core.host import limits, turns
from tests.shared_server import at, door  # noqa: F401
from tests.tiny_runs import until


def test_at_most_as_many_compute_at_once_as_there_are_processors():
    places, now, most, done = os.cpu_count() or 1, 0, 0, threading.Semaphore(0)
    count, go = threading.Lock(), threading.Event()

    def visit() -> None:
        nonlocal now, most
        with turns.costly(counted=False):
            with count:
                now += 1
                most = max(most, now)
            assert go.wait(30)
            with count:
                now -= 1
        done.release()

    visitors = [threading.Thread(target=visit) for _ in range(3 * places)]
    for visitor in visitors:
        visitor.start()
    until(lambda: now == places)
    go.set()
    for _ in visitors:
        assert done.acquire(timeout=30)
    assert most == places


def test_one_who_has_a_turn_needs_no_second_one():
    def deep(levels: int) -> int:
        with turns.costly(counted=False):
            return 1 + deep(levels - 1) if levels else 0

    assert deep(3 * (os.cpu_count() or 1)) == 3 * (os.cpu_count() or 1)


def test_an_error_gives_the_turn_back():
    for _ in range(2 * (os.cpu_count() or 1)):
        with pytest.raises(ZeroDivisionError), turns.costly(counted=False):
            1 / 0


def test_it_counts_as_a_costly_request(at, monkeypatch):  # noqa: F811
    monkeypatch.setenv(limits.COSTLY.variable, "1")
    with at("anna"):
        with turns.costly():
            pass
        with pytest.raises(limits.LimitError), turns.costly():
            pass


class Drawn:
    """A page that is drawn in a thread, until it is told to end."""

    def __init__(self, begun: list[str], name: str) -> None:
        self._turn = turns.Page()  # its place in the line, before the thread has begun
        self._begun, self._name, self._go = begun, name, threading.Event()
        self._thread = threading.Thread(target=self._draw)
        self._gives_way = False
        self._thread.start()

    def _draw(self) -> None:
        with suppress(ZeroDivisionError), self._turn:
            self._begun.append(self._name)
            assert self._go.wait(30)
            if self._gives_way:
                turns.give_way()
                until(lambda: len(self._begun) > 1)  # the next one
            1 / 0  # a page that fails is over, too

    def end(self, *, gives_way: bool = False) -> None:
        self._gives_way = gives_way
        self._go.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def test_pages_are_drawn_one_after_the_other_in_the_order_in_which_they_were_asked_for(monkeypatch):
    monkeypatch.setattr(turns, "LONG", 60)
    begun: list[str] = []
    pages = [Drawn(begun, name) for name in "abcdef"]
    for done, page in enumerate(pages, 1):
        until(lambda done=done: len(begun) >= done)
        assert begun == list("abcdef"[:done])
        page.end()


def test_a_page_that_takes_long_lets_the_next_one_begin(monkeypatch):
    monkeypatch.setattr(turns, "LONG", 0.05)
    begun: list[str] = []
    pages = [Drawn(begun, name) for name in "abc"]
    until(lambda: begun == list("abc"))
    for page in pages:
        page.end()


def test_a_page_that_waits_for_something_gives_way(monkeypatch):
    monkeypatch.setattr(turns, "LONG", 60)
    begun: list[str] = []
    first, second = Drawn(begun, "a"), Drawn(begun, "b")
    first.end(gives_way=True)  # not before the second has begun
    second.end()


def test_the_app_draws_its_pages_in_turns(app, monkeypatch):
    turns_taken: list[turns.Page] = []

    class Turn(turns.Page):
        def __enter__(self) -> None:
            super().__enter__()
            turns_taken.append(self)

    monkeypatch.setattr(turns, "Page", Turn)
    for number, page in enumerate(("pixels", "classify"), 1):
        assert not app(page).exception
        assert len(turns_taken) == number
