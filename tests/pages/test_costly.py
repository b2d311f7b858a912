"""A visitor who asks for what costs much, again and again: refused with a sentence, while the next one is served."""

import numpy as np

from cnn_core.host import counts, limits
from tests.made_images import saved
from tests.shared_server import at, door  # noqa: F401


def ask(test, seed: int) -> tuple[bool, list[str]]:
    """Upload a picture that nobody has asked about; return whether there is a verdict, and what is refused."""
    photo = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8)
    uploader = next(one for one in test.sidebar.file_uploader if one.key.startswith("picture_upload"))
    uploader.upload("pet.png", saved(photo, "PNG"), "image/png").run()
    assert not test.exception
    return "About this model" in [fold.label for fold in test.main.expander], [error.value for error in test.main.error]


def test_a_loop_of_one_visitor_ends_in_a_sentence_and_others_are_served(app, lab, door, monkeypatch):  # noqa: F811
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    monkeypatch.setenv(limits.COSTLY.variable, "6")
    door.comes("anna")
    annas = app("classify", why="Where it looks")
    answers = [ask(annas, seed) for seed in range(6)]
    assert answers[0] == (True, [])
    assert answers[3:] == [(False, [limits.COSTLY.sentence])] * 3
    assert counts.read()["refused_max_costly"] >= 3
    door.comes("ben")
    assert ask(app("classify"), 0) == (True, [])
    door.comes("anna")
    now[0] += 61
    assert ask(annas, 6) == (True, [])
