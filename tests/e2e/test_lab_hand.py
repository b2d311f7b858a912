"""The kernel lab under the hand, in a real Chromium: numbers stay exact while dragged, and what is done is told."""

import numpy as np
import pytest
from playwright.sync_api import expect

from cnn_core.convolution import conv2d
from cnn_core.pixels import to_grayscale
from tests.e2e.lab_page import SETTINGS, open_lab, show, values

pytestmark = pytest.mark.browser

IMAGE = np.random.default_rng(3).integers(0, 256, (23, 31, 3), np.uint8)


@pytest.fixture
def lab(tab):
    open_lab(tab, "convolution_lab")
    show(tab, IMAGE, SETTINGS)
    return tab


def hold(lab, label: str) -> tuple[float, float]:
    """Press the pointer on a cell; return where."""
    box = lab.get_by_label(label, exact=True).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.mouse.move(x, y)
    lab.mouse.down()
    return x, y


@pytest.mark.parametrize(
    ("channel", "side", "label", "options"),
    [
        ("gray", 3, "Kernel row 3 column 1", {"stride": 1, "padding": "valid", "bias": 0.5, "relu": False}),
        ("each", 3, "Kernel row 1 column 3", {"stride": 2, "padding": "same", "bias": -7.0, "relu": True}),
        ("all", 5, "Kernel row 5 column 2, blue", {"stride": 3, "padding": "same", "bias": 0.0, "relu": False}),
    ],
)
def test_every_map_of_a_drag_is_python_s(lab, channel, side, label, options):
    """While a number is dragged the lab adds it to a sum that it keeps; the numbers are those of a whole convolution."""
    kernel = np.random.default_rng(5).normal(0, 2, (side, side, 3 if channel == "all" else 1)).astype(np.float32)
    tables = [table.ravel().astype(float).tolist() for table in np.moveaxis(kernel, -1, 0)]
    show(lab, IMAGE, SETTINGS | options | {"tables": tables, "side": side, "channel": channel})
    row, column = (int(label.split()[place].strip(",")) - 1 for place in (2, 4))
    source = to_grayscale(IMAGE) if channel == "gray" else IMAGE
    numbers = {key: options[key] for key in ("stride", "padding", "bias")}
    x, y = hold(lab, label)
    for distance in (9, 63, -130):
        lab.mouse.move(x, y - distance)
        lab.evaluate("() => frame()")
        kernel[row, column, -1] = float(lab.get_by_label(label, exact=True).input_value())
        one = kernel if channel == "all" else kernel[..., 0]
        true = conv2d(source, one, activation="relu" if options["relu"] else None, **numbers)
        shown = values(lab, "output")
        np.testing.assert_allclose(shown.reshape(true.shape), true, rtol=1e-5, atol=2e-3)
    lab.mouse.up()


def test_a_drag_ends_with_the_cell_that_was_dragged(lab):
    """With the other hand the kernel gets another size: the old cell is gone, and Python hears of the new ones."""
    x, y = hold(lab, "Kernel row 2 column 2")
    lab.mouse.move(x, y - 60)
    lab.get_by_label("Kernel size").select_option("5")
    lab.wait_for_function("() => told.bench?.side === 5")
    expect(lab.get_by_label("Kernel row 3 column 3", exact=True)).to_have_value("10")
    lab.mouse.up()
