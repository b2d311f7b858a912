"""Jobs in the background: they tell how far they are, end when told to, and are shared and remembered within bounds."""

import re
import time
from dataclasses import dataclass

import pytest

from cnn_core import CnnLabError
from cnn_core.storage.files import at_home
from pages.widgets import background


@dataclass(eq=False)
class Endless(background.Job):
    stopped = "Stopped by hand."

    number: int = 0

    def work(self) -> None:
        while True:
            self.progress(1, 4, "Counting")
            time.sleep(0.001)


@dataclass(eq=False)
class Broken(background.Job):
    failed = "It did not work ({})."

    error_raised: Exception

    def work(self) -> None:
        raise self.error_raised


@dataclass(eq=False)
class Idle(background.Job):
    number: int = 0

    def work(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _nothing_left():
    background.forget(*background.jobs())
    yield
    background.forget(*background.jobs())


def test_a_stopped_job_ends_with_its_sentence():
    job = Endless()
    assert not job.ready(0.05)
    job.stop()
    assert job.ready(5)
    assert job.error == "Stopped by hand."
    assert (job.share, job.what) == (0.25, "Counting")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (CnnLabError("The file is empty. Choose another."), r"The file is empty\. Choose another\."),
        (KeyError("label"), r"It did not work \(error \d{6}\)\."),
    ],
)
def test_an_error_is_a_sentence(error, sentence):
    job = Broken(error)
    assert job.ready(5)
    assert re.fullmatch(sentence, job.error)


def test_the_time_left_follows_from_the_speed(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(background.time, "monotonic", lambda: now[0])
    job = Idle()
    assert job.ready(5)
    job.progress(0, 100, "Counting")
    now[0] = 120.0
    assert job.seconds_left is None, "nothing is done yet"
    job.progress(25, 100, "Counting")
    assert job.seconds_left == pytest.approx(60)
    job.progress(1, 100, "Something else")
    assert job.seconds_left is None, "its speed is not known yet"


def test_the_same_job_is_shared_until_what_it_reads_has_changed():
    first = background.job(Idle, 1, state="monday")
    assert background.job(Idle, 1, state="monday") is first
    assert background.job(Idle, 1, state="tuesday") is not first
    assert background.job(Idle, 2, state="monday") is not first
    background.forget(first)
    assert background.job(Idle, 1, state="monday") is not first


def test_where_there_are_too_many_jobs_one_that_is_done_is_forgotten_or_the_oldest_is_stopped():
    first, second = background.job(Endless, 1), background.job(Endless, 2)
    background.job(Endless, 1)
    for number in range(background.MAX_JOBS):
        assert background.job(Idle, number).ready(5)
    assert background.jobs(Endless) == [second, first]
    for number in range(3, background.MAX_JOBS + 2):
        background.job(Endless, number)
    assert second.ready(5)
    assert not first.ready()
    assert len(background.jobs()) == background.MAX_JOBS


def test_no_job_is_stopped_for_another_home(tmp_path):
    with at_home(tmp_path / "ben"):
        theirs = background.job(Endless, 1)
    with at_home(tmp_path / "anna"):
        mine = [background.job(Endless, number) for number in range(background.MAX_JOBS + 1)]
        assert mine[0].ready(5)
        background.forget(*mine)
    assert not theirs.ready()
    with at_home(tmp_path / "ben"):
        background.forget(*background.jobs())
