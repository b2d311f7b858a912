"""The colors: the same as the published scales, one per class, and there without Plotly."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from plotly.colors import sample_colorscale

from cnn_core.figures import colors

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "anchors"), [("RdBu_r", colors.RED_BLUE), ("Inferno", colors.INFERNO)])
def test_scales_are_the_published_ones(name, anchors):
    places = np.linspace(0, 1, 1001)
    published = 255 * np.array(sample_colorscale(name, places.tolist(), colortype="tuple"))
    np.testing.assert_allclose(colors.color_scale(places, anchors), published, atol=1)


@given(arrays.arrays(np.float32, (4, 5), elements=st.floats(-100, 100, width=32)))
def test_a_signed_map_is_blue_below_zero_and_red_above(values):
    shown, limit = colors.zero_centered(values)
    assert shown.shape == (4, 5, 3)
    assert limit > 0
    red, _, blue = np.moveaxis(shown.astype(int), -1, 0)
    strong = np.abs(values) > limit / 100
    assert (np.sign(red - blue) == np.sign(values))[strong].all()
    np.testing.assert_array_equal(shown[values == 0], 247)


def test_a_few_extremes_do_not_make_the_rest_pale():
    values = np.ones((60, 60))
    values[0, :5] = 1000
    assert colors.zero_centered(values)[1] == 1


def test_pages_that_only_color_arrays_do_not_import_plotly():
    code = "import sys, cnn_core.figures.colors, cnn_core.explain; assert 'plotly' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_each_class_has_one_color_in_the_app():
    theme = (ROOT / ".streamlit" / "config.toml").read_text("utf-8")
    assert f'chartCategoricalColors = ["{colors.CAT}", "{colors.DOG}"' in theme
    assert {colors.CAT, colors.DOG}.isdisjoint({colors.TRAINING, colors.TEST})
