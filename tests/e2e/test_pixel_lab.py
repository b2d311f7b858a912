"""The labs of the Pixels page in a real Chromium: their numbers are those of cnn_core.pixels, everywhere."""

import numpy as np
import pytest
from playwright.sync_api import expect

from cnn_core.pixels import CHANNELS, region, to_binary, to_grayscale
from cnn_core.wording import number, percent
from tests.e2e.lab_page import open_lab, show, told, values

pytestmark = pytest.mark.browser

IMAGE = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)
GRAY = to_grayscale(IMAGE)
SETTINGS = {"row": 10, "column": 20, "size": 8, "numbers": "all", "pixel_row": None, "pixel_column": None}


@pytest.fixture
def lab(tab):
    open_lab(tab, "pixel_lab")
    show(tab, IMAGE, SETTINGS)
    return tab


@pytest.fixture
def threshold(tab):
    open_lab(tab, "threshold_lab")
    show(tab, GRAY, {"threshold": 128})
    return tab


def move_to(lab, row: int, column: int) -> None:
    box = lab.locator("[data-role=source]").bounding_box()
    height, width = IMAGE.shape[:2]
    lab.mouse.move(box["x"] + (column + 0.5) / width * box["width"], box["y"] + (row + 0.5) / height * box["height"])


def shown_pixel(lab) -> list[int]:
    return [int(lab.locator(f"[data-role=pixel-{name}]").inner_text()) for name in (*CHANNELS, "gray")]


def place(lab) -> str:
    return lab.locator("[data-role=pixel-place]").inner_text()


def test_every_pixel_s_gray_is_that_of_python(tab):
    """All brightnesses of 65,536 random colors, and of every pure one."""
    colors = np.random.default_rng(4).integers(0, 256, (256, 259, 3), np.uint8)
    colors[:, 256:] = 0
    for channel in range(3):
        colors[:, 256 + channel, channel] = np.arange(256)
    open_lab(tab, "pixel_lab")
    show(tab, colors, SETTINGS)
    np.testing.assert_array_equal(values(tab, "source"), colors)
    gray = tab.evaluate("() => Array.from(grayscale([...pictures.values()][0].planes))")
    np.testing.assert_array_equal(np.reshape(gray, colors.shape[:2]), to_grayscale(colors))


@pytest.mark.parametrize("place", [(0, 0), (20, 30), (39, 59), (2, 57), (38, 1)])
def test_pixel_and_window_under_the_pointer_are_those_of_python(lab, place):
    for size in (3, 8, 10):
        lab.get_by_label("Region's size").fill(str(size))
        move_to(lab, *place)
        expect(lab.locator("[data-role=pixel-place]")).to_have_text(f"Row {place[0]}, column {place[1]}")
        assert shown_pixel(lab) == [*IMAGE[place].tolist(), int(GRAY[place])]
        for numbers in ("all", *CHANNELS, "gray"):
            lab.get_by_label("Numbers to show").select_option(numbers)
            check_window(lab, place, size, numbers)
        expect(lab.locator("[data-role=window] .kl-under")).to_have_count(1)


def check_window(lab, place: tuple[int, int], size: int, numbers: str) -> None:
    """The window around that place shows Python's numbers, and Python hears of it."""
    top, left, window = region(IMAGE, place[0] - size // 2, place[1] - size // 2, size)
    sent = {"row": top, "column": left, "size": size, "numbers": numbers}
    # On a slow machine the hand rests between two of the test's steps, and Python hears of each.
    lab.wait_for_function(
        "(sent) => told.bench && Object.keys(sent).every((key) => told.bench[key] === sent[key])", arg=sent
    )
    if numbers != "all":
        window = to_grayscale(window) if numbers == "gray" else window[..., CHANNELS.index(numbers)]
    np.testing.assert_array_equal(values(lab, "window"), np.atleast_3d(window))
    cells = lab.locator("[data-role=window] tbody td").all_inner_texts()
    assert [int(number) for cell in cells for number in cell.split()] == window.ravel().tolist()


def test_the_bars_are_as_long_as_their_numbers(lab):
    move_to(lab, 5, 7)
    widths = lab.evaluate(
        "() => [...document.querySelectorAll('.kl-bar')].map((bar) => bar.offsetWidth / bar.parentNode.clientWidth)"
    )
    np.testing.assert_allclose(np.array(widths) * 255, [*IMAGE[5, 7], GRAY[5, 7]], atol=3)


def test_python_hears_nothing_while_the_hand_moves(lab):
    # In the browser, whose clocks run in order: on a busy machine Playwright's next movement may come after a rest.
    told_while_moving = lab.locator("[data-role=source]").evaluate("""async (source) => {
        const { left, top, width, height } = source.getBoundingClientRect();
        for (let column = 5; column < 35; column++) {
            const place = { clientX: left + (column + 0.5) / 60 * width, clientY: top + 5.5 / 40 * height };
            source.dispatchEvent(new PointerEvent("pointermove", { ...place, bubbles: true }));
            await new Promise((done) => setTimeout(done, 30));
        }
        return told.bench ?? null;
    }""")
    assert told_while_moving is None
    assert lab.locator("[data-role=news]").inner_text() == ""
    assert told(lab)["column"] == 30
    expect(lab.locator("[data-role=news]")).to_contain_text("Row 5, column 34: red")


def test_a_click_pins_the_pixel_and_the_button_lets_it_follow_again(lab):
    move_to(lab, 20, 30)
    lab.mouse.down()
    lab.mouse.up()
    move_to(lab, 5, 5)
    assert place(lab) == "Row 20, column 30"
    button = lab.get_by_role("button", name="Pin this pixel")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    move_to(lab, 5, 5)
    assert place(lab) == "Row 5, column 5"


def test_dragging_moves_a_pinned_pixel(lab):
    move_to(lab, 20, 30)
    lab.mouse.down()
    move_to(lab, 25, 35)
    lab.mouse.up()
    assert place(lab) == "Row 25, column 35"


def test_the_arrow_keys_move_by_one_and_with_shift_by_ten_and_stop_at_the_edge(lab):
    lab.locator("[data-role=source]").focus()
    assert place(lab) == "Row 14, column 24"
    lab.keyboard.press("ArrowDown")
    lab.keyboard.press("Shift+ArrowRight")
    assert place(lab) == "Row 15, column 34"
    for _ in range(4):
        lab.keyboard.press("Shift+ArrowUp")
    assert place(lab) == "Row 0, column 34"
    assert told(lab) == SETTINGS | {"row": 0, "column": 30, "pixel_row": 0, "pixel_column": 34}


def test_a_link_to_a_pixel_at_the_edge_shows_that_pixel(lab):
    show(lab, IMAGE, SETTINGS | {"row": 0, "column": 30, "pixel_row": 0, "pixel_column": 34})
    assert place(lab) == "Row 0, column 34"


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (5, 900), (1024, 1)])
def test_pictures_of_odd_shapes(tab, shape):
    image = np.random.default_rng(5).integers(0, 256, (*shape, 3), np.uint8)
    open_lab(tab, "pixel_lab")
    show(tab, image, SETTINGS | {"row": 0, "column": 0})
    np.testing.assert_array_equal(values(tab, "window"), image[:8, :8])
    box = tab.locator("[data-role=source]").bounding_box()
    assert box["height"] <= 900
    assert box["height"] >= 20 and box["width"] >= 20


@pytest.mark.parametrize("threshold_value", [0, 1, 77, 128, 255, 256])
def test_the_threshold_gives_python_s_bits_and_share(threshold, threshold_value):
    threshold.get_by_role("slider", name="Threshold").fill(str(threshold_value))
    threshold.evaluate("() => frame()")
    binary = to_binary(GRAY, threshold_value)
    np.testing.assert_array_equal(values(threshold, "output")[..., 0], binary)
    expect(threshold.locator("[data-role=share]")).to_have_text(
        f"{percent(binary.mean(), counted=True)} of the pixels are 1 (white)."
    )
    np.testing.assert_array_equal(values(threshold, "histogram"), np.bincount(GRAY.ravel(), minlength=256))
    assert threshold.locator("[data-role=line]").get_attribute("x1") == str(threshold_value)
    if threshold_value != 128:
        assert told(threshold) == {"threshold": threshold_value}


def test_shares_are_written_as_python_writes_them(tab):
    open_lab(tab, "threshold_lab")
    whole = [1, 3, 16, 80, 400, 1000, 9999, 10000, 1048576]
    cases = [[part, total] for total in whole for part in {0, 1, 2, 5, total // 3, total - 1, total} if part <= total]
    written = tab.evaluate("(cases) => cases.map(([part, whole]) => percent(part, whole))", cases)
    assert written == [percent(part / total, counted=True) for part, total in cases]


def test_numbers_are_written_as_python_writes_them(tab):
    """Also those that lie exactly between two of five digits, as sums of 1/64ths often do."""
    open_lab(tab, "threshold_lab")
    cases = [*(np.arange(-2000, 2000) / 64), *np.random.default_rng(6).normal(0, 30, 500)]
    written = tab.evaluate("(cases) => cases.map(number)", cases)
    assert written == [number(value) for value in cases]


@pytest.mark.parametrize("by", ["slider", "histogram"])
def test_a_dragged_threshold_is_live_and_python_hears_when_it_is_released(threshold, by):
    part = threshold.locator("[data-role=threshold]" if by == "slider" else "[data-role=histogram]")
    box = part.bounding_box()
    y = box["y"] + box["height"] / 2
    threshold.mouse.move(box["x"] + box["width"] / 2, y)
    threshold.mouse.down()
    shares = set()
    for step in range(1, 9):
        threshold.mouse.move(box["x"] + box["width"] * (0.5 + step / 25), y)
        threshold.evaluate("() => frame()")
        shares.add(threshold.locator("[data-role=share]").inner_text())
    threshold.wait_for_timeout(600)
    assert len(shares) == 8
    assert not threshold.evaluate("() => told.bench")
    threshold.mouse.up()
    assert told(threshold)["threshold"] > 190


def test_an_answer_to_an_older_place_does_not_pull_the_hand_back(lab):
    """Python answers the first rest while the hand already rests a second time."""
    move_to(lab, 20, 20)
    first = told(lab)
    move_to(lab, 30, 40)
    second = told(lab)
    lab.evaluate("(settings) => run({ id: [...pictures.keys()][0], title: 'A picture', file: null }, settings)", first)
    lab.evaluate("() => frame()")
    assert place(lab) == "Row 30, column 40"
    lab.evaluate("(settings) => run({ id: [...pictures.keys()][0], title: 'A picture', file: null }, settings)", second)
    lab.evaluate("() => frame()")
    assert place(lab) == "Row 30, column 40"
    assert not lab.evaluate("() => told.bench")
