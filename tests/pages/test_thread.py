"""Following one number back, in ordinary widgets: every number on the page is the library's."""

import numpy as np
import pytest

from cnn_core import models, thread, walk
from cnn_core.network import ConvBlock, NetworkSpec
from cnn_core.pixels import resize
from cnn_core.wording import number
from pages.widgets import picture, warmup
from pages.widgets.why import thread as page

pytestmark = pytest.mark.slow

CHELSEA = picture.sample("chelsea")[0]


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory):
    import keras

    keras.utils.set_random_seed(5)
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    blocks = (ConvBlock(4, 3, "same", "tanh"), ConvBlock(5, 3, "same", "relu"))
    NetworkSpec(32, blocks, dense_units=6).build().save(path)
    return path


@pytest.fixture
def lab(home, monkeypatch, keras_file):
    monkeypatch.setattr(warmup, "ready", lambda: True)
    (home / "models").mkdir(parents=True)
    (home / "models" / "tiny.keras").write_bytes(keras_file.read_bytes())
    return models.open_model("tiny")


def texts(test) -> str:
    return "\n".join(element.value for element in [*test.main.markdown, *test.main.caption])


def opened(app, **query):
    test = app(why="Layer by layer", model="tiny", **query)
    assert not test.exception
    return test


def follow(lab, layer, *at, which=None):
    return thread.follow(lab, CHELSEA, thread.Place(layer, at), which)


def test_it_begins_where_the_most_active_map_is_strongest(app, lab):
    test = opened(app, walk_layer="conv_2")
    place = thread.first_place(walk.strongest(lab, CHELSEA, "conv_2"), 0)
    one = follow(lab, *place[:1], *place.at).sum
    row, column, which = place.at
    assert f"#### conv_2, row {row}, column {column} of map {which + 1}: {number(one.value)}" in texts(test)
    assert "These 4 partial sums and the bias are added." in texts(test)
    assert f"= {number(one.total)} → ReLU {number(one.value)}" in texts(test)
    bars = test.main.dataframe[0].value
    np.testing.assert_allclose(bars["sum"], one.partial_sums[one.order])
    assert bars["input"].tolist() == [f"map {at + 1}" for at in one.order]
    cells = next(html.proto.body for html in test.main.get("html") if "Products" in html.proto.body)
    for value in one.products[..., one.order[0]].ravel():
        assert f">{number(np.float32(value))}<" in cells


def test_a_thread_runs_from_the_verdict_to_the_photo_and_back(app, lab):
    test = opened(app, walk_layer="softmax")
    knot = follow(lab, "softmax", thread.first_place(walk.strongest(lab, CHELSEA, "softmax"), 0).at[0])
    assert f"the score before the softmax → softmax e^({number(knot.sum.total)})" in texts(test)
    crumbs = 1
    while knot.way.end.layer != thread.PHOTO:
        for passage in knot.way.passages:
            assert passage.says in texts(test)
        test.button(key="thread_go").click().run()
        assert not test.exception
        crumbs += 1
        knot = follow(lab, knot.way.end.layer, *knot.way.end.at)
        assert f": {number(knot.sum.value)}" in texts(test)
    assert crumbs == 4
    row, column, channel = knot.way.end.at
    red, green, blue = resize(CHELSEA, 32, 32)[row, column].tolist()
    assert f"row {row}, column {column} is red {red}, green {green}, blue {blue}" in texts(test)
    scaled = (red, green, blue)[channel] / 255
    assert f"{(red, green, blue)[channel]} × 0.0039216 = {number(np.float32(scaled))}." in texts(test)
    assert not [button for button in test.main.button if button.key == "thread_go"], "the path ends at the photo"
    assert test.query_params["thread"].count("/") == 3
    test.button(key="thread_crumb_1").click().run()
    assert "#### dense, number" in texts(test)
    assert not [button for button in test.main.button if button.key == "thread_crumb_2"]


def test_any_number_any_map_and_any_product_can_be_chosen(app, lab):
    test = opened(app, walk_layer="conv_1")
    for axis, value in enumerate((0, 31, 3)):
        test.number_input(key=f"thread_at_{axis}").set_value(value).run()
    one = follow(lab, "conv_1", 0, 31, 2).sum
    assert f"#### conv_1, row 0, column 31 of map 3: {number(one.value)}" in texts(test)
    assert f"tanh {number(one.value)}" in texts(test)
    assert "padding" in next(html.proto.body for html in test.main.get("html") if "Products" in html.proto.body)
    test.selectbox(key="thread_which").set_value(2).run()
    assert f"**Blue: {number(one.partial_sums[2])}**" in texts(test)
    cell = one.largest(2)[-1]
    test.selectbox(key="thread_cell").set_value(cell[:2]).run()
    assert f"#### Where {number(float(one.window[cell]))} comes from" in texts(test)
    assert f"is the blue value at row {cell[0] - 1}, column {cell[1] + 30} of rescaling" in texts(test)
    test.selectbox(key="walk_layer").set_value("conv_2").run()
    assert "#### conv_2, row" in texts(test)
    assert "thread" not in test.query_params, "where a thread begins anyway is not said"


def test_a_link_opens_a_thread_and_a_wrong_one_is_a_sentence(app, lab):
    link = "dense:3/conv_2:7,8,1@2,0,1/conv_1:14,17,2"
    test = opened(app, walk_layer="dense", thread=link)
    assert f"#### conv_1, row 14, column 17 of map 3: {number(follow(lab, 'conv_1', 14, 17, 2).sum.value)}" in texts(
        test
    )
    test.button(key="thread_crumb_1").click().run()
    assert test.selectbox(key="thread_which").value == 2
    assert test.query_params["thread"] == "dense:3/conv_2:7,8,1@2,0,1"
    test = opened(app, walk_layer="dense", thread="conv_1:99,0,0")
    assert "none of its numbers is at (99, 0, 0)" in test.main.error[0].value
    assert "#### dense, number" in texts(test)
    assert "#### dense, number" in texts(opened(app, walk_layer="dense", thread="nonsense"))


def test_a_layer_and_a_thread_that_are_not_there_are_said_until_the_next_choice(app, lab):
    test = opened(app, walk_layer="gone", thread="nonsense")
    assert ["“walk_layer=gone”" in test.warning[0].value, "“thread=nonsense”" in test.warning[1].value] == [True, True]
    test.selectbox(key="walk_layer").set_value("conv_2").run()
    assert not test.warning


def test_a_layer_without_sums_starts_no_thread(app, lab):
    assert "Follow one number back" not in texts(opened(app, walk_layer="pool_1"))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        {"path": 3},
        {"path": [3]},
        {"path": [{"layer": "conv_1", "at": [1, 2]}]},
        {"path": [{"layer": "conv_1", "at": ["1", 2, 3]}]},
        {"path": [{"layer": 1, "at": [1]}]},
        {"path": [{"layer": "conv_1", "at": [1, 2, 3], "which": "x"}]},
        {"path": [{"layer": "conv_1", "at": [1, 2, 3], "cell": [1]}]},
    ],
)
def test_what_a_browser_sends_is_not_trusted(sent):
    assert page.checked(sent) == []
    assert page.checked({"path": [{"layer": "dense", "at": [1], "which": 2, "cell": [0, 0]}]}) == [
        {"layer": "dense", "at": [1], "which": 2, "cell": (0, 0)}
    ]
