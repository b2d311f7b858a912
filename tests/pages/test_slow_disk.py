"""A home on a slow disk: lessons hardly touch it, no page waits for it often, and what takes long says so."""

import threading
import time

import pytest

from cnn_core.storage import files
from tests.made_images import photos
from tests.pages.fake_runs import fake_run
from tests.pages.train_page import finish, looked, text
from tests.shared_server import at, door  # noqa: F401
from tests.slow_disk import slow

LESSONS = {"pixels": 12, "convolution": 18, "pooling": 12, "network": 18}
PAGES = LESSONS | {"classify": 36, "train": 64, "evaluate": 48}
"""How often at most a page waits for the disk when it is drawn, for a visitor with two runs."""


@pytest.mark.parametrize("page", PAGES)
def test_a_page_waits_for_the_disk_only_so_often(app, door, plain_drawings, page):  # noqa: F811
    with files.at_home(door.comes("anna")):
        fake_run("20260101-000000-aaaa")
        fake_run("20260102-000000-aaaa", state="running", done=1, step=5)
    test = app(page, **({"model": "article"} if page == "evaluate" else {}))  # the quicker one
    with files.at_home(door.comes("anna")):
        finish(test)  # what is done beside the page is no wait of the page
    with slow(files.host_home(), lambda: time.sleep(0.01)) as waited:
        test.run()
        assert not test.exception
        assert 0 < len(waited) <= PAGES[page]


def test_a_dataset_is_listed_beside_the_page_which_says_so(app, door):  # noqa: F811
    door.comes("anna")
    pets = photos(files.host_home() / "datasets" / "class")
    answers = threading.Event()
    with slow(pets, lambda: answers.wait(30)):
        test = app("train", data="Datasets folder", dataset="class")
        assert not test.exception
        assert "4 cats and 4 dogs" not in text(test)
        assert [bar.proto.text for bar in test.main.get("progress")] != []
        answers.set()
        with files.at_home(door.comes("anna")):
            assert "4 cats and 4 dogs" in text(looked(test))
