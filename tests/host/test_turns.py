"""What costs takes turns: no more at once than there are processors, and nobody waits for themselves."""

import os
import threading

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
