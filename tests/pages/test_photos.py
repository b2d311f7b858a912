"""The photos that someone drops on the first page: which one is shown, how long they stay, and how they are removed."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from streamlit.runtime.state.session_state import SessionState

from cnn_core import models
from cnn_core.figures.colors import CAT, DOG
from cnn_core.models import Prediction
from pages.widgets import picture


def photo(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (30, 50 + seed, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


PETS = {f"pet{number}.png": photo(number) for number in range(3)}


def zone(test):
    return next(upload for upload in test.main.file_uploader if upload.label.startswith("Drop"))


def drop(test, *files):
    for name, content in files:
        zone(test).upload(name, content, "image/png")
    return test.run()


def shown(test) -> str:
    """The name of the photo beside the verdict, which the sidebar must show as well."""
    images = [image for block in (*test.main.get("image"), *test.main.get("imgs")) for image in block.proto.imgs]
    caption = next(image.caption for image in images if image.caption)
    assert any(caption in line.value for line in test.sidebar.markdown)
    return caption


def listed(test) -> list[str]:
    return [name for table in test.main.dataframe[:1] for name in table.value["file"]]


def button(test, label: str):
    return next(button for button in test.main.button if button.label == label)


def elsewhere_and_back(test):
    test.switch_page("pages/pixels.py").run()
    return test.switch_page("pages/classify.py").run()


def test_a_dropped_photo_is_shown_even_if_its_callback_is_lost(app, lab):
    """As it may be when a part of the page repeats itself at that moment."""
    test = app()
    with pytest.MonkeyPatch.context() as lost:
        lost.setattr(SessionState, "_call_callbacks", lambda *_, **__: lost.undo())
        drop(test, *PETS.items())
    assert shown(test) == "pet0.png"
    assert listed(test) == [*PETS]


def test_of_several_dropped_photos_the_first_new_one_is_shown(app, lab):
    test = drop(app(), *PETS.items())
    assert shown(test) == "pet0.png"
    elsewhere_and_back(test)  # AppTest would put a second drop in the place of the first
    drop(test, ("later.png", photo(7)), ("last.png", photo(8)))
    assert not test.exception
    assert shown(test) == "later.png"
    assert listed(test) == [*PETS, "later.png", "last.png"]


def test_dropped_photos_are_still_listed_after_a_look_at_another_page(app, lab):
    test = elsewhere_and_back(drop(app(), *PETS.items()))
    assert not test.exception
    assert listed(test) == list(PETS)
    assert shown(test) == "pet0.png"


def test_a_photo_alone_can_be_shown_again_and_removed(app, lab):
    test = drop(app(), ("rex.png", photo(1)))
    assert "Show rex.png" not in [button.label for button in test.main.button]
    test.sidebar.button_group(key="picture").set_value("coffee").run()
    assert shown(test) == picture.SAMPLES["coffee"].title
    button(elsewhere_and_back(test), "Show rex.png").click().run()
    assert shown(test) == "rex.png"
    button(test, "Remove this photo").click().run()
    assert not test.exception
    assert shown(test) == picture.SAMPLES["chelsea"].title
    assert "Remove this photo" not in [button.label for button in test.main.button]


def test_removing_the_photo_that_is_shown_shows_another(app, lab):
    test = drop(app(), *PETS.items())
    button(test, "Remove this photo").click().run()
    assert not test.exception
    assert listed(test) == ["pet1.png", "pet2.png"]
    assert shown(test) == "pet1.png"


def test_all_photos_can_be_removed_at_once(app, lab):
    test = drop(app(), *PETS.items(), ("letter.jpg", b"Dear dog,"))
    assert test.main.error
    button(test, "Remove all photos").click().run()
    assert not test.exception
    assert listed(test) == []
    assert zone(test).value == []
    assert not test.main.error
    assert shown(test) == picture.SAMPLES["chelsea"].title


def test_the_drop_zone_names_no_photo_while_a_sample_is_shown(app, lab):
    test = drop(app(), *PETS.items())
    test.sidebar.button_group(key="picture").set_value("coffee").run()
    assert not test.exception
    assert zone(test).value == []
    assert listed(test) == list(PETS)


def test_each_class_has_its_color_in_the_table_of_photos(app, lab):
    test = drop(app(), *PETS.items())
    columns = json.loads(test.main.dataframe[0].proto.columns)
    assert {label: columns[label]["type_config"]["color"] for label in ("cat", "dog")} == {"cat": CAT, "dog": DOG}


def test_a_model_that_is_quite_sure_never_says_100_percent(app, lab, monkeypatch):
    sure = Prediction("dog", 1.0, {"cat": 0.0, "dog": 1.0}, "tiny", pet=1.0)
    monkeypatch.setattr(models.PetModel, "predictions", lambda self, images: [sure for _ in images])
    test = drop(app(), *PETS.items())
    assert not test.exception
    screen = [element.value for element in (*test.main.markdown, *test.main.caption)]
    screen += [html.proto.body for html in test.main.get("html") if "verdict-bars" in html.proto.body]
    said = [text.split("<style>")[0] + text.split("</style>")[-1].replace("width: 100.0%", "") for text in screen]
    assert any("over 99.9\u00a0%" in text for text in said)
    assert not any("100.0" in text or "100\u00a0%" in text for text in said)
    assert not any("100" in verdict for verdict in test.main.dataframe[0].value["verdict"])
    config = json.loads(test.main.dataframe[0].proto.columns)
    assert not config["dog"]["type_config"]["format"].strip(), "Streamlit would round 0.99996 to 100 %"
