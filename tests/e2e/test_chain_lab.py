"""The lab of the Pooling page in a real Chromium: its maps and receptive fields are Python's."""

import numpy as np
import pytest
from playwright.sync_api import expect

from cnn_core import CnnLabError
from cnn_core.chain import Convolution, Pooling, ReLU, receptive_field, run
from cnn_core.kernels import KERNELS
from cnn_core.pixels import to_grayscale
from pages.widgets.pooling import stages
from tests.e2e.lab_page import SHOWN, decoded, open_lab, show, values

pytestmark = pytest.mark.browser

IMAGE = np.random.default_rng(4).integers(0, 256, (33, 41, 3), np.uint8)
SOBEL = {"type": "conv", "table": KERNELS["sobel_x"].values.ravel().tolist(), "side": 3}
POOL = {"type": "pool", "kind": "max", "size": 2, "stride": 2, "padding": "valid"}
RELU = {"type": "relu"}


@pytest.fixture
def lab(tab):
    open_lab(tab, "chain_lab")
    show(tab, IMAGE, {"stages": [SOBEL, RELU, POOL]})
    return tab


def canvases(lab) -> list[np.ndarray]:
    lab.evaluate("() => frame()")
    found = lab.evaluate(f"() => [...document.querySelectorAll('canvas')].map({SHOWN})")
    return [decoded(shown)[..., 0] for shown in found]


def random_chain(random) -> list:
    chain = []
    for _ in range(random.integers(1, 5)):
        side, size, stride = random.choice([3, 5]), int(random.integers(1, 9)), int(random.integers(1, 9))
        chain.append(
            [
                Convolution(random.normal(size=(side, side)).astype(np.float32)),
                ReLU(),
                Pooling("max", size, stride, "same"),
                Pooling("average", size, stride, "same"),
                Pooling("max", size, stride, "valid"),
                Pooling("average", size, stride, "valid"),
            ][random.integers(6)]
        )
    return chain


def test_every_map_of_a_chain_is_pythons(lab):
    lab.evaluate("() => { document.body.style.display = 'none'; }")  # else most of the time is layout and paint
    random = np.random.default_rng(7)
    done = 0
    while done < 60:
        chain = random_chain(random)
        try:
            maps = run(to_grayscale(IMAGE), chain)
        except CnnLabError:  # a window that does not fit
            continue
        done += 1
        show(lab, IMAGE, {"stages": [stages.as_dictionary(stage) for stage in chain]})
        shown = canvases(lab)
        assert len(shown) == len(maps)
        for got, expected in zip(shown, maps, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-3, err_msg=str(chain))


def test_what_a_value_depends_on_is_framed_in_every_map_before_it(lab):
    chain = [Convolution(KERNELS["sobel_x"].values), ReLU(), Pooling(), Convolution(KERNELS["outline"].values)]
    show(lab, IMAGE, {"stages": [stages.as_dictionary(stage) for stage in chain]})
    shapes = [values.shape for values in run(to_grayscale(IMAGE), chain)]
    last = lab.locator("canvas").last
    box = last.bounding_box()
    row, column = 4, 9
    lab.mouse.move(
        box["x"] + (column + 0.5) / shapes[-1][1] * box["width"], box["y"] + (row + 0.5) / shapes[-1][0] * box["height"]
    )
    top, left, bottom, right = receptive_field(shapes[:-1], chain, row, column)
    caption = lab.locator("[data-role=stop-caption]")
    expect(caption).to_contain_text(f"Convolution, row {row}, column {column}")
    expect(caption).to_contain_text(
        f"{bottom - top} × {right - left} pixels of the picture, "
        f"rows {top} to {bottom - 1}, columns {left} to {right - 1}"
    )
    photo, frame = (lab.locator(at).first.bounding_box() for at in ("canvas", ".kl-frame"))
    assert frame["y"] + 3 - photo["y"] == pytest.approx(top / 33 * photo["height"], abs=1)
    assert frame["height"] - 6 == pytest.approx((bottom - top) / 33 * photo["height"], abs=1)
    expect(lab.locator(".kl-frame:visible")).to_have_count(5)


def test_max_pooling_keeps_the_winner_and_average_the_mean(lab):
    maps = run(to_grayscale(IMAGE), [Convolution(KERNELS["sobel_x"].values), ReLU(), Pooling()])
    lab.locator("[data-role=output]").focus()
    for _ in range(3):
        lab.keyboard.press("ArrowLeft")
    caption = lab.locator("[data-role=stop-caption]").inner_text()
    row, column = int(caption.split("row ")[1].split(",")[0]), int(caption.split("column ")[1].split(":")[0])
    window = maps[2][2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    written = lab.locator("[data-role=arithmetic]")
    expect(written).to_have_text(f"max({', '.join(f'{value:g}' for value in window.ravel())}) = {window.max():g}")
    lab.locator("[data-role=forward]").click()
    expect(lab.locator(".kl-winner")).to_have_text(f"{window.max():g}")
    lab.get_by_label("Keep, stage 3").select_option("average")
    expect(written).to_contain_text(") / 4 =")
    assert float(written.inner_text().split("= ")[1]) == pytest.approx(window.mean(), rel=1e-4)


def test_the_value_that_was_looked_at_reaches_python_and_a_link_brings_it_back(lab):
    last = lab.locator("canvas").last
    last.hover(position={"x": 5, "y": 5})
    lab.mouse.move(0, 0)
    caption = lab.locator("[data-role=stop-caption]")
    told = lab.evaluate("() => new Promise((done) => { const look = () => told.bench?.looked"
                        " ? done(told.bench.looked) : setTimeout(look, 20); look(); })")  # fmt: skip
    assert told["at"] == 3
    expect(caption).to_contain_text(f"Max pooling, row {told['row']}, column {told['column']}:")
    looked = {"at": 1, "row": 30, "column": 7}
    show(lab, IMAGE, {"stages": [SOBEL, RELU, POOL], "looked": looked})
    expect(caption).to_contain_text("Convolution, row 30, column 7:")
    expect(lab.locator("[data-role=news]")).to_contain_text("Max pooling")


def test_stages_are_added_changed_and_removed_and_python_hears_of_it(lab):
    lab.get_by_role("button", name="+ Convolution").click()
    second = lab.get_by_role("group", name="Kernel of stage 4")
    second.get_by_label("Kernel row 2 column 2").fill("5")
    lab.wait_for_function("() => told.bench?.stages.length === 4 && told.bench.stages[3].table[4] === 5")
    kernel = KERNELS["sobel_y"].values.copy()
    kernel[1, 1] = 5
    chain = [Convolution(KERNELS["sobel_x"].values), ReLU(), Pooling(), Convolution(kernel)]
    np.testing.assert_allclose(canvases(lab)[-1], run(to_grayscale(IMAGE), chain)[-1], atol=1e-2)
    lab.get_by_role("button", name="Remove stage 2").click()
    lab.wait_for_function("() => told.bench?.stages.length === 3")
    np.testing.assert_allclose(canvases(lab)[-1], run(to_grayscale(IMAGE), [chain[0], *chain[2:]])[-1], atol=1e-2)


def test_a_stage_that_does_not_fit_is_named(lab):
    for _ in range(5):
        lab.get_by_role("button", name="+ Pooling").click()
        lab.get_by_label("Window").last.select_option("4")
    expect(lab.get_by_role("alert")).to_contain_text("does not fit")
    last = lab.get_by_role("listitem").filter(has=lab.get_by_role("button", name="Remove stage 8"))
    expect(last).to_contain_text("8. Max pooling")
    expect(last).to_contain_text("No map")
    expect(lab.get_by_role("button", name="+ ReLU")).to_be_disabled()
    lab.get_by_role("button", name="Remove stage 8").click()
    lab.get_by_role("button", name="Remove stage 7").click()
    lab.get_by_role("button", name="Remove stage 6").click()
    expect(lab.get_by_role("alert")).to_be_hidden()
    assert values(lab, "source").shape == (33, 41, 1)
