"""What costs takes turns: at most as many computations run at once as there are processors.

Thirty visitors who drop a photo in the same moment would else decode all of them at once, and who moves a slider
meanwhile would get a thirtieth of a processor. So the photos wait for each other, and the slider waits for none.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cnn_core.host import limits

_places = threading.BoundedSemaphore(os.cpu_count() or 1)
_mine = threading.local()


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
