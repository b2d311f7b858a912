"""The kernel lab in a real Chromium: its numbers are Python's, and every input of the hand does what it should."""

import numpy as np
import pytest
from playwright.sync_api import expect

from cnn_core.convolution import MAX_WEIGHT, conv2d, step
from cnn_core.kernels import KERNELS
from cnn_core.pixels import CHANNELS, to_grayscale
from tests.e2e.lab_page import SETTINGS, SHOWN, cell, decoded, open_lab, show, told, values

pytestmark = pytest.mark.browser

IMAGE = np.random.default_rng(1).integers(0, 256, (23, 31, 3), np.uint8)


@pytest.fixture
def lab(tab):
    open_lab(tab, "convolution_lab")
    show(tab, IMAGE, SETTINGS)
    return tab


def drawn(lab) -> np.ndarray:
    lab.evaluate("() => frame()")
    return values(lab, "output")


def source(channel):
    if channel in ("all", "each"):
        return IMAGE
    return to_grayscale(IMAGE) if channel == "gray" else IMAGE[..., CHANNELS.index(channel)]


def test_its_numbers_are_those_of_python(lab):
    """200 random kernels, with every stride, padding, size and mode."""
    random = np.random.default_rng(2)
    cases, expected = [], []
    for number in range(200):
        side, channel = (3, 5, 7)[number % 3], ("gray", *CHANNELS, "each", "all")[number % 6]
        kernel = random.normal(0, 2, (side, side, 3 if channel == "all" else 1)).astype(np.float32)
        options = {"stride": int(random.integers(1, 5)), "padding": ("valid", "same")[int(random.integers(2))]}
        bias, relu = float(np.float32(random.normal(0, 50))), bool(random.integers(2))
        tables = [kernel[..., at].ravel().astype(float).tolist() for at in range(kernel.shape[2])]
        cases.append(
            SETTINGS | options | {"tables": tables, "side": side, "bias": bias, "relu": relu, "channel": channel}
        )
        one = kernel if channel == "all" else kernel[..., 0]
        expected.append(conv2d(source(channel), one, bias=bias, activation="relu" if relu else None, **options))
    got = lab.evaluate(
        f"""async (cases) => {{
          document.body.style.display = "none";  // to lay out and paint them takes four times as long
          const picture = {{ id: [...pictures.keys()][0], title: "A picture", file: null }};
          const all = [];
          for (const settings of cases) {{
            run(picture, settings);
            await frame();
            all.push(({SHOWN})(document.querySelector("[data-role=output]")));
          }}
          return all;
        }}""",
        cases,
    )
    assert len(got) == 200
    for settings, shown, true in zip(cases, map(decoded, got), expected, strict=True):
        assert shown.shape == (*true.shape[:2], 3 if settings["channel"] == "each" else 1)
        np.testing.assert_allclose(shown.reshape(true.shape), true, rtol=1e-5, atol=2e-3, err_msg=str(settings))


def test_what_is_typed_is_convolved_at_once_and_told_when_the_hand_rests(lab):
    cell(lab, 2, 2).press_sequentially("-3,5")
    kernel = KERNELS["sobel_x"].values.copy()
    kernel[1, 1] = -3.5
    np.testing.assert_allclose(drawn(lab)[..., 0], conv2d(to_grayscale(IMAGE), kernel), atol=1e-2)
    assert told(lab)["tables"] == [kernel.ravel().tolist()]
    expect(lab.get_by_label("Preset kernel")).to_have_value("")


def test_arrow_keys_the_wheel_and_a_drag_change_a_number(lab):
    middle = cell(lab, 2, 2)
    middle.press("ArrowUp")
    expect(middle).to_have_value("1")
    middle.press("Shift+ArrowUp")
    expect(middle).to_have_value("11")
    middle.press("Alt+ArrowDown")
    expect(middle).to_have_value("10.9")
    middle.hover()
    lab.mouse.wheel(0, 100)
    expect(middle).to_have_value("9.9")
    box = middle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.mouse.move(x, y)
    lab.mouse.down()
    lab.mouse.move(x, y - 30, steps=5)
    lab.evaluate("() => frame()")
    dragged = float(middle.input_value())
    assert dragged == 14.9
    scale = lab.locator("[data-role=scale]").inner_text()
    lab.mouse.move(x, y - 300, steps=5)
    assert lab.locator("[data-role=scale]").inner_text().split("\n")[0] == scale.split("\n")[0], "the scale stays put"
    assert "bench" not in lab.evaluate("() => told") or lab.evaluate("() => told.bench.tables[0][4]") == 9.9
    lab.mouse.up()
    lab.wait_for_function("() => told.bench?.tables[0][4] > 50")


def test_the_buttons_change_the_kernel_and_undo_brings_it_back(lab):
    kernel = KERNELS["emboss"].values + np.eye(3)[::-1]  # no symmetry: every change shows
    show(lab, IMAGE, SETTINGS | {"tables": [kernel.ravel().tolist()]})
    lab.get_by_role("button", name="Rotate").click()
    assert told(lab)["tables"] == [np.rot90(kernel, -1).ravel().tolist()]
    lab.get_by_role("button", name="Transpose").click()
    assert told(lab)["tables"] == [np.rot90(kernel, -1).T.ravel().tolist()]
    lab.get_by_role("button", name="Undo").click()
    lab.get_by_role("button", name="Undo").click()
    assert told(lab)["tables"] == [kernel.ravel().tolist()]
    lab.get_by_role("button", name="Redo").click()
    assert told(lab)["tables"] == [np.rot90(kernel, -1).ravel().tolist()]
    lab.get_by_label("Preset kernel").select_option("box_blur")
    lab.get_by_role("button", name="Negate").click()
    lab.get_by_role("button", name="Normalize").click()
    assert sum(told(lab)["tables"][0]) == pytest.approx(1)


def test_a_larger_kernel_has_zeros_around_it_and_three_channels_have_three_tables(lab):
    lab.get_by_label("Kernel size").select_option("5")
    assert told(lab)["tables"] == [np.pad(KERNELS["sobel_x"].values, 1).ravel().tolist()]
    lab.get_by_label("Convolve").select_option("all")
    assert len(told(lab)["tables"]) == 3
    lab.get_by_label("Kernel row 3 column 3, blue").fill("7")
    kernel = np.repeat(np.pad(KERNELS["sobel_x"].values, 1)[..., None], 3, axis=2)
    kernel[2, 2, 2] = 7
    np.testing.assert_allclose(drawn(lab)[..., 0], conv2d(IMAGE, kernel), atol=1e-2)


@pytest.mark.parametrize("channel", ["gray", "all"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("place", [(0, 0), (3, 4), (7, 10)])
def test_the_arithmetic_under_the_pointer_is_that_of_step(lab, place, padding, channel):
    kernel = np.array(KERNELS["sobel_y"].values)
    settings = SETTINGS | {"tables": [kernel.ravel().tolist()] * (3 if channel == "all" else 1), "stride": 3,
                           "padding": padding, "bias": 5, "relu": True, "channel": channel}  # fmt: skip
    show(lab, IMAGE, settings)
    map_shape = drawn(lab).shape
    row, column = min(place[0], map_shape[0] - 1), min(place[1], map_shape[1] - 1)
    box = lab.locator("[data-role=output]").bounding_box()
    lab.mouse.move(
        box["x"] + (column + 0.5) / map_shape[1] * box["width"], box["y"] + (row + 0.5) / map_shape[0] * box["height"]
    )
    expect(lab.locator("[data-role=stop-caption]")).to_contain_text(f"Row {row}, column {column} of the map")
    one = step(
        source(channel), np.repeat(kernel[..., None], 3, axis=2) if channel == "all" else kernel, row, column,
        stride=3, padding=padding, bias=5, activation="relu",
    )  # fmt: skip
    written = lab.locator("[data-role=arithmetic]").inner_text().replace("−", "-")
    assert written.count("·") == one.products.size
    total, value = float(one.sum) + 5, float(one.value)
    assert written.endswith(f"+ bias 5 = {total:g} → ReLU {value:g}")
    shown = [float(text.replace("−", "-")) for text in lab.locator("[data-role=stop] td").all_inner_texts()]
    tables = np.reshape(shown, (-1, 3, 3, 3))  # per channel: window, kernel, products
    np.testing.assert_array_equal(tables[:, 0], np.moveaxis(np.atleast_3d(one.window), -1, 0))
    np.testing.assert_array_equal(tables[:, 2], np.moveaxis(np.atleast_3d(one.products), -1, 0))
    outside = sum(not (0 <= one.top + i < 23 and 0 <= one.left + j < 31) for i in range(3) for j in range(3))
    expect(lab.locator("[data-role=stop] .kl-padding")).to_have_count(outside * len(tables))


def test_the_first_place_is_the_strongest_edge(lab):
    feature_map = conv2d(to_grayscale(IMAGE), KERNELS["sobel_x"].values)
    row, column = np.unravel_index(np.argmax(np.abs(feature_map)), feature_map.shape)
    expect(lab.locator("[data-role=stop-caption]")).to_contain_text(f"Row {row}, column {column} of the map")


@pytest.mark.parametrize("text", ["abc", "", "1e309", "NaN", "1e7", "--1"])
def test_what_is_no_number_is_a_sentence_and_the_last_number_comes_back(lab, text):
    before = drawn(lab)
    cell(lab, 1, 2).fill("4")
    cell(lab, 1, 2).fill(text or " ")
    expect(lab.get_by_role("alert")).to_contain_text("Kernel row 1 column 2")
    expect(lab.get_by_role("alert")).to_contain_text("Type a number between")
    cell(lab, 1, 1).click()
    expect(lab.get_by_role("alert")).to_be_hidden()
    expect(cell(lab, 1, 2)).to_have_value("4")
    assert not np.array_equal(drawn(lab), before)
    assert told(lab)["tables"][0][1] == 4
    assert MAX_WEIGHT < 1e7


PASTE = """([label, text]) => {
  const cell = document.querySelector(`[aria-label="${label}"]`);
  const clipboard = new DataTransfer();
  clipboard.setData("text", text);
  cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true, cancelable: true }));
}"""


def test_a_table_from_a_spreadsheet_is_the_new_kernel(lab):
    rows = np.arange(25).reshape(5, 5) - 12
    lab.evaluate(PASTE, ["Kernel row 1 column 1", "\n".join("\t".join(map(str, row)) for row in rows)])
    assert told(lab) | {} == told_settings(rows)
    np.testing.assert_allclose(drawn(lab)[..., 0], conv2d(to_grayscale(IMAGE), rows), atol=1e-2)


def told_settings(rows):
    feature_map = conv2d(to_grayscale(IMAGE), rows)
    row, column = (int(place) for place in np.unravel_index(np.argmax(np.abs(feature_map)), feature_map.shape))
    return SETTINGS | {"tables": [rows.ravel().tolist()], "side": 5, "row": row, "column": column}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("1\t2\n3\t4", "2 rows and 2 columns"), ("1 2 3\n4 5 x\n7 8 9", "“x”"), ("1\t2\t3\n4\t5\t6", "2 rows")],
)
def test_another_table_is_refused_with_a_sentence(lab, text, sentence):
    before = drawn(lab)
    lab.evaluate(PASTE, ["Kernel row 1 column 1", text])
    expect(lab.get_by_role("alert")).to_contain_text(sentence)
    np.testing.assert_array_equal(drawn(lab), before)


def test_the_numbers_that_a_cell_can_have_are_said_as_on_the_rest_of_the_page(lab):
    lab.get_by_label("Kernel row 1 column 1", exact=True).fill("")
    expect(lab.get_by_role("alert")).to_contain_text("is empty. Type a number between −1,000,000 and 1,000,000")


def test_a_picture_of_one_pixel_needs_the_padding_same(lab):
    show(lab, np.full((1, 1, 3), 200, np.uint8), SETTINGS)
    expect(lab.get_by_role("alert")).to_contain_text("larger than the picture")
    said = ("Feature map: ", "One step, number", "of the map. The", "Step through")
    results = [lab.get_by_text(words) for words in said]
    for place in results:  # the last picture's
        expect(place).to_be_hidden()
    lab.get_by_label("Padding").select_option("same")
    expect(lab.get_by_role("alert")).to_be_hidden()
    for place in results:
        expect(place).to_be_visible()
    assert drawn(lab).shape == (1, 1, 1)


def test_stepping_through_ends_with_the_numbers_of_the_map(lab):
    show(lab, IMAGE, SETTINGS | {"row": 2, "column": 3})
    expected = conv2d(to_grayscale(IMAGE), KERNELS["sobel_x"].values)[2:6, 3:7]
    forward = lab.locator("[data-role=forward]")
    for phase in ("Multiply", "Add up", "Move on", "Overlay"):
        forward.click()
        expect(lab.locator(".kl-phases .kl-now")).to_contain_text(phase)
    expect(lab.locator("[data-role=stop-caption]")).to_contain_text("Row 2, column 4 of the map")
    lab.locator("[data-role=back]").click()
    expect(lab.locator(".kl-phases .kl-now")).to_contain_text("Move on")
    forward.evaluate("(button) => { for (let click = 0; click < 4 * 16; click++) button.click(); }")
    shown = lab.locator("[data-role=player] figure").last.locator("td").all_inner_texts()
    np.testing.assert_array_equal(np.reshape([float(text.replace("−", "-")) for text in shown], (4, 4)), expected)


def test_play_moves_on_and_pause_stops(lab):
    lab.get_by_label("Speed").select_option("6")
    lab.locator("[data-role=play]").click()
    expect(lab.locator(".kl-phases .kl-now")).to_contain_text("Add up")
    lab.locator("[data-role=play]").click()
    expect(lab.locator("[data-role=play]")).to_contain_text("Play")
    phase = lab.locator(".kl-phases .kl-now").inner_text()
    lab.clock.install()
    lab.clock.run_for(5000)
    assert lab.locator(".kl-phases .kl-now").inner_text() == phase
