"""The tabs under the verdict: the walk, what if, and two models, each against what the library says."""

import re

import numpy as np
import pytest

from cnn_core import models, walk, what_if
from pages.widgets import picture, verdict, warmup

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keras_files(tmp_path_factory):
    import keras

    folder = tmp_path_factory.mktemp("models")
    layers = keras.layers
    for seed, name in enumerate(("one", "two")):
        keras.utils.set_random_seed(seed)
        body = [layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu", name=f"see_{name}")]
        body += [layers.MaxPooling2D(2, name="pool"), layers.Flatten(), layers.Dense(2, activation="softmax")]
        keras.Sequential([layers.Input((16, 16, 3)), *body]).save(folder / f"{name}.keras")
    return folder


@pytest.fixture
def lab(tmp_path, monkeypatch, keras_files):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(warmup, "ready", lambda: True)
    (tmp_path / "models").mkdir()
    for path in keras_files.iterdir():
        (tmp_path / "models" / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture
def drawn(monkeypatch):
    """What the bars were told: before and after."""
    calls = []
    monkeypatch.setattr(verdict, "bars", lambda after, before=None: calls.append((before, after)))
    return calls


CHELSEA = picture.sample("chelsea")[0]


def texts(test) -> str:
    return "\n".join(element.value for element in [*test.main.markdown, *test.main.caption])


def alts(test) -> list[str]:
    return [image.alt for block in (*test.get("image"), *test.get("imgs")) for image in block.proto.imgs]


def control(test, key: str):
    return next(group for group in test.main.button_group if (group.key or "").startswith(key))


def test_only_the_tab_that_is_looked_at_is_computed(app, lab, monkeypatch):
    monkeypatch.setattr(walk, "walk", lambda *_: pytest.fail("nobody looks at the layers"))
    monkeypatch.setattr(what_if, "cover_square", lambda *_, **__: pytest.fail("nobody asks what if"))
    test = app()
    assert not test.exception
    assert test.slider(key="heat_opacity")
    assert [tab.label for tab in test.main.tabs][:4] == ["Where it looks", "What if?", "Layer by layer", "Two models"]


def test_the_walk_shows_any_layer_and_the_kernel_behind_any_map(app, lab):
    test = app(why="Layer by layer", model="one")
    assert not test.exception
    layer = test.selectbox(key="walk_layer")
    assert layer.value == "see_one"
    assert "4 maps of 14 × 14" in texts(test)
    table = test.main.dataframe[-1].value
    assert table["output"].tolist() == ["16 × 16 × 3", "14 × 14 × 4", "7 × 7 × 4", "196", "2"]
    assert table["parameters"].tolist() == [0, 3 * 3 * 3 * 4 + 4, 0, 0, 196 * 2 + 2]
    found = walk.strongest(models.open_model("one"), CHELSEA, "see_one")
    maps = control(test, "walk_map_")
    assert list(maps.options) == [f"Map {number + 1}" for number in found.numbers]
    maps.set_value(2).run()
    assert not test.exception
    assert f"Map {found.numbers[2] + 1} of see_one, enlarged" in alts(test)
    cells = next(html.proto.body for html in test.main.get("html") if "on red" in html.proto.body)
    for value in found.kernels[2].values.ravel():
        assert f">{value:.5g}<".replace("-", "−") in cells

    next(button for button in test.main.button if button.label == "Next layer").click().run()
    assert test.selectbox(key="walk_layer").value == "pool"
    assert "The kernel belongs to **see_one**" in texts(test)
    test.selectbox(key="walk_layer").set_value(walk.walk(models.open_model("one"), CHELSEA, 1)[-1].name).run()
    assert not test.exception
    assert "2 largest of 2 numbers" in texts(test)


def test_a_link_opens_the_layer_and_places_the_square(app, lab, drawn):
    test = app(why="Layer by layer", model="one", walk_layer="pool")
    assert test.selectbox(key="walk_layer").value == "pool"
    next(button for button in test.main.button if button.label == "Previous layer").click().run()
    assert "walk_layer" not in test.query_params, "where one begins anyway is not said"
    next(button for button in test.main.button if button.label == "Next layer").click().run()
    assert test.query_params["walk_layer"] == "pool"
    test = app(why="What if?", model="one", blank_down="10", blank_right="80", blank_size="20")
    assert not test.exception
    assert [test.slider(key=f"blank_{name}").value for name in ("down", "right", "size")] == [10, 80, 20]


def test_another_model_begins_at_a_layer_of_its_own(app, lab):
    test = app(why="Layer by layer", model="one")
    test.selectbox(key="model").set_value("two").run()
    assert not test.exception
    assert test.selectbox(key="walk_layer").value == "see_two"


def test_a_covered_square_gives_the_answer_to_the_photo_covered_by_hand(app, lab, drawn):
    test = app(why="What if?", model="one")
    assert not test.exception
    test.slider(key="blank_size").set_value(50)
    test.slider(key="blank_right").set_value(100)
    test.slider(key="blank_down").set_value(0)
    drawn.clear()
    test.run()
    covered = CHELSEA.copy()
    side = CHELSEA.shape[0] // 2
    covered[:side, CHELSEA.shape[1] - side :] = 128
    model = models.open_model("one")
    before, after = next(call for call in drawn if call[0])
    assert before == model.classify(CHELSEA).probabilities
    assert after == pytest.approx(model.classify(covered).probabilities)
    assert f"With the square: **{model.classify(covered).sentence}**" in texts(test)


def test_an_edited_kernel_moves_the_answer_and_the_model_stays(app, lab, drawn):
    test = app(why="What if?", model="one")
    control(test, "what_if").set_value("kernel").run()
    assert not test.exception
    model = models.open_model("one")
    kernels = what_if.first_kernels(model)[1]
    number = test.selectbox(key="what_if_number").value
    assert number == walk.strongest(model, CHELSEA, "see_one").numbers[0]
    cells = {cell.label: cell for cell in test.main.number_input}
    assert len(cells) == 27
    for channel, name in enumerate(("Red", "Green", "Blue")):
        for row in range(3):
            for column in range(3):
                cell = cells[f"{name} row {row + 1} column {column + 1}"]
                assert cell.value == pytest.approx(kernels[row, column, channel, number])
    assert "as the network learned it" in texts(test)

    drawn.clear()
    cells["Green row 1 column 3"].set_value(2.5).run()
    mine = kernels[..., number].copy()
    mine[0, 2, 1] = 2.5
    before, after = next(call for call in drawn if call[0])
    assert after == pytest.approx(what_if.with_kernel(model, CHELSEA, number, mine).probabilities)
    assert before == model.classify(CHELSEA).probabilities
    np.testing.assert_array_equal(what_if.first_kernels(model)[1], kernels)

    test.selectbox(key="what_if_fill").set_value("zero").run()
    assert {cell.value for cell in test.main.number_input} == {0}
    test.selectbox(key="what_if_fill").set_value("sobel_x").run()
    values = np.array([cell.value for cell in test.main.number_input])
    assert np.linalg.norm(values) == pytest.approx(np.linalg.norm(kernels[..., number]), rel=1e-5)
    test.selectbox(key="what_if_fill").set_value("learned").run()
    assert "as the network learned it" in texts(test)
    test.main.number_input[0].set_value(None).run()
    assert not test.exception
    assert "A cell of the kernel is empty" in test.main.error[0].value


def test_two_models_say_side_by_side_what_each_says_alone(app, lab, drawn):
    test = app(why="Two models", model="one")
    assert not test.exception
    other = test.selectbox(key="other_model")
    assert list(other.options) == ["two"]
    said = [text.value for text in test.main.markdown if re.fullmatch("### .*", text.value)]
    assert said == [f"### {models.open_model(name).classify(CHELSEA).sentence}" for name in ("one", "two")]
    control(test, "other_why").set_value("cat").run()
    assert not test.exception
    assert {f"The photo with the heat map of {name} for cat" for name in ("one", "two")} <= set(alts(test))


def test_one_model_alone_has_nobody_to_be_compared_with(app, lab):
    (lab / "models" / "two.keras").unlink()
    test = app(why="Two models")
    assert not test.exception
    assert "only one model" in test.main.info[0].value
