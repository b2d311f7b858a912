"""What many visitors ask in the same moment goes into one call; each gets their own answer, or their own error."""

import threading

import numpy as np
import pytest

from cnn_core import models
from cnn_core.model_io.together import Together
from tests.tiny_runs import until


class Calls:
    """Answers numbers with their squares, in calls that can be held up; a negative number is an error."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go = threading.Event()
        self.ask = Together(self.answer, most=8)
        self.heard: dict[int, object] = {}

    def answer(self, numbers: list[int]) -> list[int]:
        self.calls.append(numbers)
        assert self.go.wait(30)
        if min(numbers) < 0:
            raise ValueError(min(numbers))
        return [number**2 for number in numbers]

    def visitor(self, number: int) -> threading.Thread:
        def come() -> None:
            try:
                self.heard[number] = self.ask(number)
            except ValueError as error:
                self.heard[number] = error

        thread = threading.Thread(target=come)
        thread.start()
        return thread

    def all_at_once(self, numbers: list[int]) -> None:
        """Let the first one's call begin, and all others come while it is under way."""
        first = self.visitor(numbers[0])
        until(lambda: self.calls)
        others = [self.visitor(number) for number in numbers[1:]]
        until(lambda: self.ask.waiting == len(others))
        self.go.set()
        for thread in [first, *others]:
            thread.join(30)


def test_those_who_come_during_a_call_share_the_next_one():
    asked = Calls()
    asked.all_at_once([1, 2, 3, 4, 5, 6])
    assert asked.heard == {number: number**2 for number in range(1, 7)}
    assert [len(call) for call in asked.calls] == [1, 5]


def test_a_call_takes_no_more_than_it_may():
    asked = Calls()
    asked.all_at_once(list(range(1, 22)))
    assert asked.heard == {number: number**2 for number in range(1, 22)}
    assert [len(call) for call in asked.calls] == [1, 8, 8, 4]


def test_an_error_reaches_only_who_asked_for_it():
    asked = Calls()
    asked.all_at_once([1, 2, -3, 4])
    assert isinstance(asked.heard.pop(-3), ValueError)
    assert asked.heard == {1: 1, 2: 4, 4: 16}


def test_photos_of_many_visitors_get_the_answers_that_each_gets_alone():
    model = models.open_model("article")
    photos = [np.random.default_rng(seed).integers(0, 256, (90, 120, 3), np.uint8) for seed in range(12)]
    alone = [model.predictions([photo])[0].probabilities for photo in photos]
    heard: dict[int, dict[str, float]] = {}
    visitors = [
        threading.Thread(target=lambda at=at: heard.update({at: model.classify(photos[at]).probabilities}))
        for at in range(len(photos))
    ]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(60)
    for at, expected in enumerate(alone):
        assert heard[at] == pytest.approx(expected, abs=1e-6)


def test_the_reasons_of_a_photo_that_was_just_classified_are_those_of_any_photo():
    model = models.open_model("article")
    photo = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    before = model.reasons(photo)
    model.classify(photo)
    after = model.reasons(photo)
    np.testing.assert_allclose(after.heat, before.heat, atol=1e-6)
    np.testing.assert_allclose(after.scores, before.scores, atol=1e-6)
