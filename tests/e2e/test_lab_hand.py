"""The kernel lab under the hand, in a real Chromium: numbers stay exact while dragged, and what is done is told."""

import numpy as np
import pytest
from playwright.sync_api import expect

from cnn_core.convolution import conv2d
from cnn_core.pixels import to_grayscale
from tests.e2e.lab_page import SETTINGS, open_lab, show, told, values

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
    """A dragged number is added to a sum that is kept; the numbers are those of a whole convolution."""
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


def test_flips_and_random_numbers_can_be_undone(lab):
    kernel = np.arange(9).reshape(3, 3)
    show(lab, IMAGE, SETTINGS | {"tables": [kernel.ravel().tolist()]})

    def shown() -> np.ndarray:
        numbers = [cell.input_value() for cell in lab.locator(".kl-kernel input").all()]
        return np.reshape([float(number) for number in numbers], (3, 3))

    buttons = [lab.get_by_role("button", name=name, exact=True) for name in ("Flip ↔", "Flip ↕", "Random")]
    for button, flipped in zip(buttons, (kernel[:, ::-1], kernel[::-1, ::-1]), strict=False):
        button.click()
        lab.evaluate("() => frame()")
        np.testing.assert_array_equal(shown(), flipped)
    buttons[2].click()
    lab.evaluate("() => frame()")
    assert np.abs(shown()).max() <= 4
    for _ in buttons:
        lab.get_by_role("button", name="Undo").click()
    lab.evaluate("() => frame()")
    np.testing.assert_array_equal(shown(), kernel)


def test_a_place_under_the_arrow_keys_is_told_once_the_hand_rests(lab):
    """A screen reader hears the place and its sum; not each place on the way."""
    news = lab.locator("[data-role=news]")
    expect(news).to_contain_text("Feature map 21 by 29")
    heard = lab.locator("[data-role=output]").evaluate("""async (output) => {
        const heard = new Set();
        for (let step = 0; step < 20; step++) {
            const key = step ? "ArrowRight" : "ArrowDown";
            output.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            await new Promise((done) => setTimeout(done, 30));
            heard.add(document.querySelector("[data-role=news]").textContent);
        }
        return [...heard];
    }""")
    assert len(heard) == 1 and heard[0].startswith("Feature map")
    place = lab.locator("[data-role=stop-caption]").inner_text().split(" of the map")[0]
    expect(news).to_have_text(f"{place}: {lab.locator('[data-role=arithmetic]').inner_text()}")


def test_the_steps_are_told_by_name(lab):
    lab.locator("[data-role=forward]").click()
    expect(lab.get_by_role("status").filter(has_text="Multiply: Multiply each pixel")).to_have_count(1)


MOVES = """() => new Promise((done) => {
    const output = document.querySelector("[data-role=output]"), { left, top } = output.getBoundingClientRect();
    const move = (x) => {
        output.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + 20, bubbles: true }));
        if (x < 60) setTimeout(() => move(x + 1), 20); else done("bench" in told);
    };
    move(20);
})"""
"""For longer than the hand has to rest."""


def test_python_hears_where_the_pointer_rests_and_nothing_while_it_moves(lab):
    assert not lab.evaluate(MOVES)
    caption = lab.locator("[data-role=stop-caption]").inner_text()
    lab.wait_for_function("() => told.bench")
    row, column = lab.evaluate("() => [told.bench.row, told.bench.column]")
    assert caption.startswith(f"Row {row}, column {column} of the map")


def test_the_scale_follows_the_values_when_it_is_asked_to(lab):
    scale = lab.locator("[data-role=scale]")
    before = scale.inner_text().split("\n")[0]
    cell = lab.get_by_label("Kernel row 2 column 2", exact=True)
    cell.fill("50")
    lab.evaluate("() => frame()")
    assert scale.inner_text().split("\n")[0] == before
    expect(scale).to_contain_text("are outside this scale")
    scale.get_by_role("button", name="Fit").click()
    lab.evaluate("() => frame()")
    high = np.abs(values(lab, "output")).max()
    assert float(scale.inner_text().split("\n")[0].replace("−", "-")) == pytest.approx(-high, rel=0.1)


PASTE = """([text]) => {
  const clipboard = new DataTransfer();
  clipboard.setData("text", text);
  document.querySelector(".kl-kernel input")
    .dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true, cancelable: true }));
}"""
SEVEN = np.arange(49).reshape(7, 7) - 24


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("1\t0\t-1\r\n2\t0\t-2\r\n1\t0\t-1\r\n", [1, 0, -1, 2, 0, -2, 1, 0, -1]),
        ("1,2,3\n4,5,6\n7,8,9", list(range(1, 10))),
        ("1, 2, 3\n4, 5, 6\n7 ,8 ,9", list(range(1, 10))),
        ("1,5 2 3\n4 5 6\n7 8 9,5", [1.5, 2, 3, 4, 5, 6, 7, 8, 9.5]),
        ("1,5;2;3\n4;5;6\n7;8;9", [1.5, *range(2, 10)]),
        ("\n".join("\t".join(map(str, row)) for row in SEVEN), SEVEN.ravel().tolist()),
    ],
)
def test_a_pasted_table_is_read_as_spreadsheets_and_people_write_it(lab, text, table):
    lab.evaluate(PASTE, [text])
    lab.wait_for_function("() => told.bench")
    assert lab.evaluate("() => told.bench.tables") == [table]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1\t\t3\n4\t5\t6\n7\t8\t9", "has an empty cell"),
        ("\t2\t3\n4\t5\t6\n7\t8\t9", "has an empty cell"),
        ("1 2\n4 5 6\n7 8 9", "has 3 rows and 2 or 3 columns"),
        ("1\t2\t1e309\n4\t5\t6\n7\t8\t9", "“1e309”, which is not a number"),
    ],
)
def test_a_pasted_table_that_does_not_fit_is_refused_with_what_is_wrong(lab, text, sentence):
    lab.evaluate(PASTE, [text])
    expect(lab.get_by_role("alert")).to_contain_text(sentence)


def test_touch_on_a_phone(page):
    """A finger on a cell drags its number, a tap on the map moves the frame; the pictures stand above the cells."""
    page.set_viewport_size({"width": 390, "height": 844})
    open_lab(page, "convolution_lab")
    show(page, IMAGE, SETTINGS)
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        points_now = [{"x": x, "y": y} for x, y in points]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points_now})

    cell, output = page.get_by_label("Kernel row 2 column 2", exact=True), page.locator("[data-role=output]")
    assert output.bounding_box()["y"] < cell.bounding_box()["y"]
    box = output.bounding_box()
    touch("touchStart", (box["x"] + 0.5 / 29 * box["width"], box["y"] + 20.5 / 21 * box["height"]))
    touch("touchEnd")
    expect(page.locator("[data-role=stop-caption]")).to_contain_text("Row 20, column 0 of the map")
    box = cell.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch("touchStart", (x, y))
    touch("touchMove", (x, y - 30))
    touch("touchMove", (x, y - 60))
    touch("touchEnd")
    page.wait_for_function("() => told.bench?.tables[0][4] === 10")


def test_the_kernels_of_a_network_are_one_stop_of_the_tab_key(lab):
    numbers = np.random.default_rng(6).normal(size=3 * 3 * 3 * 40).tolist()
    network = {"model": "some", "kernels": numbers, "shape": [3, 3, 3, 40]}
    lab.evaluate("(network) => { more = { models: [{ name: 'some', title: 'Some' }], network }; }", network)
    show(lab, IMAGE, SETTINGS)
    lab.get_by_text("Take a kernel from a trained network").click()
    kernels = lab.get_by_role("toolbar").get_by_role("button")
    tops = [kernel.bounding_box()["y"] for kernel in kernels.all()]
    wide = tops.count(tops[0])
    lab.get_by_label("Network", exact=True).focus()
    reached = []
    for key in ("Tab", "ArrowLeft", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "End", "ArrowRight", "Home"):
        lab.keyboard.press(key)
        reached.append(lab.evaluate("() => document.activeElement.title"))
    places = [1, 1, 2, 2 + wide, 1 + wide, 1, 40, 40, 1]
    assert reached == [f"Kernel {place} of 40" for place in places]
    lab.keyboard.press("ArrowRight")
    lab.keyboard.press("Enter")
    assert told(lab)["origin"] == "some:1"
    lab.keyboard.press("Tab")
    assert not lab.evaluate("() => document.activeElement.title.startsWith('Kernel')")
    lab.keyboard.press("Shift+Tab")
    expect(kernels.nth(1)).to_be_focused()
