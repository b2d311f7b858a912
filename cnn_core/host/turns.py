"""What costs takes turns: whole pages are drawn one after the other, and at most as many computations run at once as
there are processors.

Thirty visitors who drop a photo in the same moment would else decode all of them at once, and who moves a slider
meanwhile would get a thirtieth of a processor. So the photos wait for each other, and the slider waits for none.

Python draws one page at a time anyway. Thirty pages drawn together, a piece of each in turn, would all be there only at
the end; one after the other, the first is there at once, and the last no later.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cnn_core.host import limits

LONG = 0.5
"""Seconds. A page that takes longer no longer keeps the next one waiting."""

_places = threading.BoundedSemaphore(os.cpu_count() or 1)
_order = threading.Lock()
_mine = threading.local()


class Page:
    """A whole page's turn to be drawn, a context. Make it where it is entered: the next page waits until it is.

    What draws only a part of a page, such as a slider in a fragment, needs no turn.
    """

    _last: "Page | None" = None

    def __init__(self) -> None:
        self._begun, self._over = threading.Event(), threading.Event()
        with _order:
            self._before, Page._last = Page._last, self

    def __enter__(self) -> None:
        """Wait until the page before is drawn, has given way, or takes long."""
        if self._before is not None:
            self._before._begun.wait()
            self._before._over.wait(LONG)
            self._before = None
        self._begun.set()
        _mine.page = self

    def __exit__(self, *_error: object) -> None:
        """Let the next page begin, also when this one has failed."""
        self.end()

    def end(self) -> None:
        """Let the next page begin although this one is not drawn yet."""
        self._over.set()


def give_way() -> None:
    """Let the next page begin now, since this one is going to wait, or to compute outside of Python."""
    if (page := getattr(_mine, "page", None)) is not None:
        page.end()


@contextmanager
def costly(*, counted: bool = True) -> Iterator[None]:
    """Wait for a turn, and do something costly meanwhile. Inside of another turn there is nothing to wait for.

    Parameters
    ----------
    counted : bool
        Whether it is one of the costly requests that `limits.COSTLY` allows a visitor in a minute.

    Raises
    ------
    LimitError
        When the visitor has asked for too much.
    """
    if counted:
        limits.spend()
    if getattr(_mine, "turn", False):
        yield
        return
    with _places:
        _mine.turn = True
        try:
            yield
        finally:
            _mine.turn = False
