"""Questions of many threads, answered together: what is asked while one call computes goes into the next call."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class _Asked(Generic[Q, A]):
    """A question, and what comes of it."""

    def __init__(self, question: Q) -> None:
        self.question = question
        self.answer: A
        self.error: Exception | None = None
        self.done = False


class Together(Generic[Q, A]):
    """Ask it one question; it puts all that threads ask in the same moment into one call.

    Nobody waits for others to come: who finds no call under way begins one at once.

    Parameters
    ----------
    answer_all : callable
        Takes a list of questions and returns the list of their answers. It is called by one thread at a time.
    most : int
        At most so many questions in a call.

    Examples
    --------
    >>> double = Together(lambda numbers: [2 * number for number in numbers])
    >>> double(21)
    42
    """

    def __init__(self, answer_all: Callable[[list[Q]], list[A]], most: int = 16) -> None:
        self._answer_all = answer_all
        self._most = most
        self._waiting: deque[_Asked[Q, A]] = deque()
        self._turn = threading.Lock()

    def __call__(self, question: Q) -> A:
        """Return the answer.

        Raises
        ------
        Exception
            What `answer_all` raises for this question. An error of another question in the same call reaches only the
            thread that asked it.
        """
        asked: _Asked[Q, A] = _Asked(question)
        self._waiting.append(asked)
        while not asked.done:
            with self._turn:  # whoever has it answers for all that wait
                if not asked.done:
                    self._answer([self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))])
        if asked.error is not None:
            raise asked.error
        return asked.answer

    @property
    def waiting(self) -> int:
        """How many questions wait for the next call."""
        return len(self._waiting)

    def _answer(self, all_asked: list[_Asked[Q, A]]) -> None:
        try:
            answers = self._answer_all([asked.question for asked in all_asked])
        except Exception as error:
            if len(all_asked) == 1:
                all_asked[0].error = error
            else:
                for asked in all_asked:
                    self._answer([asked])
        else:
            for asked, answer in zip(all_asked, answers, strict=True):
                asked.answer = answer
        for asked in all_asked:
            asked.done = True
