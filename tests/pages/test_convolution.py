"""The Convolution page: what it prints is what conv2d gives, for every control, and bad kernels are sentences."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from cnn_core import models, what_if
from cnn_core.convolution import MAX_WEIGHT, conv2d
from cnn_core.kernels import KERNELS
from cnn_core.layers.first_kernels import learned_kernels
from cnn_core.layers.stacked import two_layers
from cnn_core.pixels import FRAME, mark, to_grayscale
from cnn_core.wording import decimal, percent
from pages.widgets import picture
from pages.widgets.convolution import network_kernels, questions
from tests.pages.fake_runs import fake_run

ARTICLE = Path(models.__file__).parent / "weights" / "article.keras"
ANSWER = what_if.Answer({"cat": 0.75, "dog": 0.25}, np.zeros((2, 2), np.float32))


def widget(items, label):
    return next(item for item in items if item.label == label)


def cell(test, row, column):
    return widget(test.number_input, f"Kernel row {row} column {column}")


def text(test) -> str:
    pages = [item.value for item in (*test.markdown, *test.caption)]
    return " ".join([*pages, *(block.proto.body for block in test.get("html"))])


def tables_of(test) -> list[str]:
    return re.findall(r"<table>(.*?)</table>", text(test))


def number(found: str) -> float:
    return float(found.replace("−", "-"))


@pytest.fixture
def page(app):
    return app("convolution")


@pytest.fixture
def gray():
    return to_grayscale(picture.current(512)[0])


def test_starts_with_a_preset_and_its_map(page, gray):
    assert not page.exception
    assert not page.error
    kernel = [[cell(page, row, column).value for column in (1, 2, 3)] for row in (1, 2, 3)]
    np.testing.assert_array_equal(kernel, KERNELS["sobel_x"].values)
    feature_map = conv2d(gray, kernel)
    low, high = re.search(r"Feature map, values from ([−\d.]+) to ([−\d.]+)", text(page)).groups()
    assert number(low) == pytest.approx(feature_map.min(), rel=1e-4)
    assert number(high) == pytest.approx(feature_map.max(), rel=1e-4)
    assert f"**{feature_map.shape[0]} × {feature_map.shape[1]}**" in text(page)


def test_editing_a_cell_changes_map_preset_and_address(page, gray):
    cell(page, 2, 2).set_value(-3.5).run()
    kernel = KERNELS["sobel_x"].values.copy()
    kernel[1, 1] = -3.5
    low = re.search(r"Feature map, values from ([−\d.]+)", text(page))[1]
    assert number(low) == pytest.approx(conv2d(gray, kernel).min(), rel=1e-4)
    assert widget(page.selectbox, "Preset kernel").value is None
    assert page.query_params["kernel"] in (["-1,0,1,-2,-3.5,2,-1,0,1"], "-1,0,1,-2,-3.5,2,-1,0,1")
    assert "-3.5" in page.code[0].value


@pytest.mark.parametrize("name", list(KERNELS))
def test_every_preset_fills_the_cells(page, name):
    widget(page.selectbox, "Preset kernel").set_value(name).run()
    assert not page.error
    kernel = [[cell(page, row, column).value for column in (1, 2, 3)] for row in (1, 2, 3)]
    np.testing.assert_allclose(kernel, KERNELS[name].values, rtol=1e-6)


def test_stride_padding_bias_and_relu(page, gray):
    widget(page.slider, "Stride").set_value(2).run()
    widget(page.segmented_control, "Padding").set_value("same").run()
    widget(page.number_input, "Bias").set_value(-20.0).run()
    widget(page.toggle, "ReLU: no value below 0").set_value(True).run()
    expected = conv2d(gray, KERNELS["sobel_x"].values, stride=2, padding="same", bias=-20.0, activation="relu")
    low, high = re.search(r"Feature map, values from ([−\d.]+) to ([−\d.]+)", text(page)).groups()
    assert number(low) == 0
    assert number(high) == pytest.approx(expected.max(), rel=1e-4)
    assert f"**{expected.shape[0]} × {expected.shape[1]}**" in text(page)


def test_one_step_can_be_checked_by_hand(page, gray):
    widget(page.slider, "Row of the map").set_value(40).run()
    widget(page.slider, "Column of the map").set_value(57).run()
    tables = [[number(cell) for cell in re.findall(r">([^<>]+)</td>", table)] for table in tables_of(page)]
    window, kernel, products = np.reshape(tables, (3, 3, 3))
    np.testing.assert_array_equal(window, gray[40:43, 57:60])
    np.testing.assert_array_equal(kernel, KERNELS["sobel_x"].values)
    np.testing.assert_array_equal(products, window * kernel)
    assert number(re.search(r"Sum of the 9 products: <b>([−\d.]+)</b>", text(page))[1]) == products.sum()
    widget(page.button, "Next step").click().run()
    assert widget(page.slider, "Column of the map").value == 58


def test_the_frame_in_the_picture_is_where_the_window_is(app, monkeypatch):
    drawn = []

    def draw(*arguments):
        drawn.append(mark(*arguments))
        return drawn[-1]

    monkeypatch.setattr("pages.widgets.convolution.ordinary.mark", draw)
    test = app("convolution", conv_row="200", conv_column="300")
    alts = [image.alt for block in (*test.get("image"), *test.get("imgs")) for image in block.proto.imgs]
    assert any("window at row 200, column 300" in alt for alt in alts)
    frame = np.argwhere((drawn[-1] == FRAME).all(axis=2))
    np.testing.assert_allclose(frame.mean(axis=0), [201, 301], atol=0.5)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("value", [None, MAX_WEIGHT * 10, 1e300])
def test_empty_and_enormous_cells_are_a_sentence_and_the_page_lives_on(page, value):
    cell(page, 1, 3).set_value(value).run()
    assert not page.exception
    assert len(page.error) == 1
    cell(page, 1, 3).set_value(1.0).run()
    assert not page.error


@pytest.mark.parametrize(
    "junk",
    [
        "nan,1,1,1,1,1,1,1,1",
        "inf,0,0,0,0,0,0,0,0",
        "1e300,0,0,0,0,0,0,0,0",
        "1,2,3",
        "no_such_kernel",
        "a,b,c,d,e,f,g,h,i",
    ],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_junk_in_the_address_is_a_sentence(app, junk):
    test = app("convolution", kernel=junk)
    assert not test.exception
    assert "address asks for the kernel" in test.warning[0].value


def test_all_that_the_address_asks_for_in_vain_is_said(app):
    (warning,) = app("convolution", kernel="no_such_kernel", conv_stride="9", conv_padding="wide").warning
    assert "“no_such_kernel”" in warning.value
    assert "conv_stride=9 and conv_padding=wide, which this page does not offer" in warning.value


def test_a_link_with_a_table_for_each_channel_keeps_all_three(app):
    numbers = [float(number) for number in range(27)]
    test = app("convolution", kernel=",".join(f"{number:g}" for number in numbers), conv_channel="All three")
    cells = [(table, row, column) for table in (0, 1, 2) for row in (1, 2, 3) for column in (1, 2, 3)]
    shown = [test.number_input(key=f"kernel_{table}_row_{row}_column_{column}") for table, row, column in cells]
    assert [cell.value for cell in shown] == numbers


def test_link_reproduces_the_page(app):
    test = app("convolution", kernel="0,1,0,1,-4.5,1,0,1,0", conv_stride="3", conv_padding="same")
    assert cell(test, 2, 2).value == -4.5
    assert widget(test.slider, "Stride").value == 3
    assert widget(test.segmented_control, "Padding").value == "same"


def unfold(test, key):
    test.session_state[key] = True
    return test.run()


def test_an_odd_kernel_is_padded_the_same_on_both_sides(page):
    table = unfold(page, "why_odd").get("table")[0].value
    for side, left, right in table.itertuples(index=False):
        assert (left == right) == (int(side[0]) % 2 == 1), side


def test_a_bias_decides_how_much_passes_relu(page, gray):
    assert "Values above 0" not in str([list(table.value) for table in page.get("table")])
    table = unfold(page, "why_bias").get("table")[0].value
    sums = conv2d(gray, KERNELS["sobel_x"].values)
    shares = [percent(float((sums > -bias).mean()), counted=True) for bias in questions.BIASES]
    assert table.iloc[:, 1].tolist() == shares
    assert len(set(shares)) == 3


def test_two_layers_are_one_unless_relu_stands_between_them(page, gray):
    both = two_layers(gray, KERNELS["sobel_x"].values, questions.SECOND.values)
    shown = text(unfold(page, "why_relu"))
    assert not page.exception
    assert both.linear_difference < 1e-3 < 100 < both.relu_difference
    for distance in (both.linear_difference, both.relu_difference):
        assert f"Largest difference from the one layer: **{decimal(distance)}**" in shown
    assert "a single kernel of 5 × 5" in shown
    widget(page.selectbox, "Preset kernel").set_value("gaussian_blur").run()
    assert "no value below 0 on this picture" in text(page)


@pytest.mark.parametrize("channel", ["all", "each", "red"])
def test_the_folds_follow_every_way_to_convolve(app, channel):
    test = unfold(unfold(app("convolution", conv_channel=channel), "why_relu"), "why_bias")
    assert not test.exception
    assert text(test).count("Largest difference from the one layer") == 2


def test_an_empty_cell_is_a_sentence_in_the_folds_too(page):
    unfold(unfold(page, "why_relu"), "why_bias")
    cell(page, 1, 3).set_value(None).run()
    assert not page.exception
    assert len(page.info) == 2


def test_the_largest_weight_can_still_be_combined(page):
    unfold(page, "why_relu")
    for row in (1, 2, 3):
        for column in (1, 2, 3):
            cell(page, row, column).set_value(MAX_WEIGHT)
    page.run()
    assert not page.info
    assert "all three maps" in text(page)


def test_the_network_is_asked_again_for_another_kernel_and_for_nothing_else(app, monkeypatch):
    """The page runs for every place that is looked at; an answer takes a second, and a visitor has so many a minute."""
    asked = []
    monkeypatch.setattr(what_if, "first_kernels", lambda network: ("conv_1", np.ones((3, 3, 3, 64))))
    monkeypatch.setattr(what_if, "with_kernel", lambda *question: asked.append(question) or ANSWER)
    monkeypatch.setattr(network_kernels, "open_model", lambda name: name)
    monkeypatch.setattr(network_kernels.warmup, "wait", lambda why: None)
    test = app("convolution", kernel_of="article:3", conv_channel="All three")
    assert "**cat**, 75.0\u00a0%" in text(test)
    assert len(asked) == 2  # as learned, and as edited
    widget(test.slider, "Stride").set_value(2).run()
    assert len(asked) == 2
    widget(test.selectbox, "Preset kernel").set_value("box_blur").run()
    assert len(asked) == 4


def test_the_kernels_of_a_run_of_ones_own_can_be_taken(home):
    """`home` has no bundled models; so the run's is the only one."""
    folder = fake_run()
    shutil.copy(ARTICLE, folder / "model.keras")
    assert [model["name"] for model in network_kernels.models()] == [folder.name]
    taken = network_kernels.kernels(folder.name)
    assert tuple(taken["shape"]) == (3, 3, 3, 64)
    np.testing.assert_array_equal(taken["kernels"], learned_kernels(ARTICLE).ravel())
