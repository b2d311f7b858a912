"""The Pooling page: the numbers on it are those that pooling gives."""

import re

import numpy as np
import pytest

from cnn_core.convolution import conv2d
from cnn_core.kernels import KERNELS
from cnn_core.pixels import to_grayscale
from cnn_core.pooling import average_pool2d, max_pool2d
from pages.widgets import picture


def widget(items, label):
    return next(item for item in items if item.label == label)


def says(test) -> str:
    return " ".join(item.value for item in test.markdown)


@pytest.fixture
def page(app):
    return app("pooling")


@pytest.fixture
def feature_map():
    return conv2d(to_grayscale(picture.current(384)[0]), KERNELS["sobel_x"].values)


def test_sizes_are_those_of_the_pooled_map(page, feature_map):
    assert not page.exception
    assert not page.error
    height, width = max_pool2d(feature_map).shape
    assert f"**{height} × {width}** numbers: **75\u00a0%** fewer" in says(page)


def test_followed_window_can_be_checked_by_hand(page):
    for kind, keep in (("max", np.max), ("average", np.mean)):
        widget(page.segmented_control, "Keep").set_value(kind).run()
        widget(page.slider, "Window to follow").set_value(5).run()
        found = re.search(r"the (?:largest|mean) of ([−\d., ]+?) = \*\*([−\d.]+)\*\*", says(page))
        numbers = [float(text.replace("−", "-")) for text in found[1].split(", ")]
        assert len(numbers) == 4
        assert float(found[2].replace("−", "-")) == pytest.approx(keep(numbers), rel=1e-4)


def test_every_control_answers(page, feature_map):
    widget(page.slider, "Window").set_value(3).run()
    widget(page.slider, "Stride").set_value(4).run()
    widget(page.segmented_control, "Padding").set_value("same").run()
    widget(page.segmented_control, "Keep").set_value("average").run()
    height, width = average_pool2d(feature_map, 3, 4, "same").shape
    assert f"**{height} × {width}**" in says(page)
    assert 'AveragePooling2D(3, strides=4, padding="same")' in page.code[0].value
    widget(page.selectbox, "Feature map from kernel").select_index(0).run()
    assert not page.exception
    gray = to_grayscale(picture.current(384)[0])
    assert f"From {gray.shape[0]} × {gray.shape[1]} to" in says(page)


def test_window_that_does_not_fit_the_small_grid_is_a_sentence(page):
    widget(page.slider, "Grid size").set_value(4).run()
    widget(page.slider, "Window").set_value(8).run()
    assert not page.exception
    assert len(page.error) == 1
    widget(page.slider, "Window").set_value(2).run()
    assert not page.error


def test_link_reproduces_the_page(app):
    test = app("pooling", pool_kind="Average", pool_size="3", pool_stride="3")
    assert widget(test.segmented_control, "Keep").value == "average"
    assert widget(test.slider, "Window").value == 3


def test_junk_in_the_address_shows_the_defaults(app):
    test = app("pooling", pool_kind="median", pool_size="-1", grid_window="99999")
    assert not test.exception
    assert not test.error
    assert widget(test.segmented_control, "Keep").value == "max"
    assert widget(test.slider, "Window").value == 2


def test_the_place_that_is_looked_at_is_in_the_link(app):
    assert app("pooling", chain_place="02,5,7").query_params["chain_place"] == "2,5,7"


@pytest.mark.parametrize("place", ["2,5", "9,0,0", "1,-3,4", "a,b,c"])
def test_a_place_that_no_chain_has_leaves_the_link(app, place):
    test = app("pooling", chain_place=place)
    assert not test.exception
    assert "chain_place" not in test.query_params
