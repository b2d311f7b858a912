"""The kernel lab on the page of the started app: what the hand makes reaches Python, the address and the code."""

import numpy as np
import pytest
from playwright.sync_api import expect

from cnn_core.layers.first_kernels import learned_kernels
from cnn_core.models import find, open_model
from cnn_core.what_if import with_kernel
from cnn_core.wording import percent
from pages.widgets import picture
from tests.e2e.app_page import settle

pytestmark = pytest.mark.browser

MIDDLE = "Kernel row 2 column 2"


def wait_for_address(page, **wanted: str | None) -> None:
    """Wait until the address names these controls with these values; None stands for a control not in it."""
    page.wait_for_function(
        "(wanted) => { const now = new URL(location).searchParams;"
        " return Object.entries(wanted).every(([name, value]) => now.get(name) === value); }",
        arg=wanted,
        timeout=30_000,
    )


def test_the_address_and_the_code_follow_the_hand_and_a_link_brings_it_back(server, page):
    page.goto(
        f"{server}/convolution?kernel=0,1,0,1,-4.5,1,0,1,0&conv_stride=3&conv_channel=Blue&conv_row=7&conv_column=9"
    )
    expect(page.get_by_label(MIDDLE)).to_have_value("-4.5")
    expect(page.get_by_label("Stride")).to_have_value("3")
    expect(page.get_by_label("Convolve")).to_have_value("blue")
    expect(page.locator("[data-role=stop-caption]")).to_contain_text("Row 7, column 9")
    page.get_by_label(MIDDLE).fill("6")
    page.get_by_label("Padding").select_option("same")
    wait_for_address(page, kernel="0,1,0,1,6,1,0,1,0", conv_padding="same")
    page.get_by_text("The same in Keras").click()
    code = page.locator('[data-testid="stCode"]').first
    expect(code).to_contain_text("[1, 6, 1]")
    expect(code).to_contain_text('padding="same"')
    expect(page.locator('[data-testid="stMain"]')).to_contain_text("to 100 × 151 numbers")
    page.reload()
    expect(page.get_by_label(MIDDLE)).to_have_value("6")
    expect(page.get_by_label("Padding")).to_have_value("same")


def test_one_step_back_undoes_one_edit(server, page):
    """The first edit also brings the place into the address: three controls at once. The last one was left out."""
    page.goto(f"{server}/convolution")
    wait_for_address(page, kernel="sobel_x")
    for number in "345":
        page.get_by_label(MIDDLE).fill(number)
        wait_for_address(page, kernel=f"-1,0,1,-2,{number},2,-1,0,1")
        settle(page)
    page.get_by_label("Stride").select_option("2")
    wait_for_address(page, conv_stride="2")
    settle(page)
    for number in "5430":
        page.go_back()
        expect(page.get_by_label(MIDDLE)).to_have_value(number, timeout=10_000)
        expect(page.get_by_label("Stride")).to_have_value("1", timeout=10_000)
    page.go_back()  # to where the page had just been opened: if it wrote the address again, nobody would get past it
    wait_for_address(page, kernel=None)
    settle(page)
    wait_for_address(page, kernel=None)


def test_the_kernel_is_kept_from_page_to_page_and_pooling_starts_from_it(server, page):
    page.goto(f"{server}/convolution")
    page.get_by_label(MIDDLE).fill("8")
    wait_for_address(page, kernel="-1,0,1,-2,8,2,-1,0,1")
    page.get_by_role("link", name="1 · Pixels").click()
    expect(page.locator(".st-key-channel_red")).to_be_visible()
    page.get_by_role("link", name="2 · Convolution").click()
    expect(page.get_by_label(MIDDLE)).to_have_value("8")
    page.get_by_role("link", name="3 · Pooling").click()
    expect(page.locator(".st-key-pooling_output canvas")).to_be_visible()
    expect(page.get_by_label(MIDDLE)).to_have_value("8")
    page.get_by_label(MIDDLE).fill("9")
    wait_for_address(page, kernel="-1,0,1,-2,9,2,-1,0,1")
    page.get_by_role("button", name="+ Convolution").click()
    wait_for_address(page, chain="conv/relu/pool:max,2,2,valid/conv:sobel_y")
    page.go_back()
    expect(page.get_by_label(MIDDLE)).to_have_count(1)
    page.go_forward()
    expect(page.get_by_label(MIDDLE)).to_have_count(2)
    page.reload()
    expect(page.get_by_label(MIDDLE)).to_have_count(2)
    expect(page.get_by_label(MIDDLE).first).to_have_value("9")


@pytest.mark.slow
def test_a_kernel_of_the_network_comes_to_the_bench_and_the_network_is_asked_again(server, page):
    learned = learned_kernels(find("article").path)
    page.goto(f"{server}/convolution")
    page.get_by_text("Take a kernel from a trained network").click()
    shelf = page.get_by_role("toolbar", name="Kernels of the first layer")
    expect(shelf.get_by_role("button")).to_have_count(64)
    shelf.get_by_role("button", name="Kernel 11 of 64").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    blue = page.get_by_label("Kernel row 3 column 1, blue")
    expect(blue).to_be_visible()
    assert float(blue.input_value()) == pytest.approx(learned[2, 0, 2, 11], rel=1e-5)
    main = page.locator('[data-testid="stMain"]')
    expect(main).to_contain_text("as the network learned it")
    answer = with_kernel(open_model("article"), picture.sample("chelsea")[0], 11, np.zeros((3, 3, 3)))
    for row in (1, 2, 3):
        for column in (1, 2, 3):
            for channel in ("red", "green", "blue"):
                page.get_by_label(f"Kernel row {row} column {column}, {channel}").fill("0")
    likelier = max(answer.probabilities, key=answer.probabilities.get)
    expect(main).to_contain_text(f"{likelier}, {percent(answer.probabilities[likelier])}.")
    expect(main).to_contain_text("as learned:")


def test_another_picture_comes_into_the_lab_and_letters_in_a_cell_are_no_shortcuts_of_streamlit(server, page):
    page.goto(f"{server}/convolution")
    output = page.locator(".st-key-convolution_output canvas")
    expect(output).to_have_attribute("width", "449")
    page.get_by_role("radio", name="astronaut").click()
    expect(output).to_have_attribute("width", "510")
    page.get_by_role("radio", name="chelsea").click()
    expect(output).to_have_attribute("width", "449")
    page.get_by_label(MIDDLE).fill("5")
    page.get_by_label(MIDDLE).press("r")
    page.get_by_label(MIDDLE).press("c")
    expect(page.get_by_role("alert").filter(has_text="5rc")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_browser_that_refuses_the_lab_gets_ordinary_controls(server, refusing):
    refusing.goto(f"{server}/convolution")
    refusing.get_by_role("button", name="Use ordinary controls").click()
    cell = refusing.get_by_label(MIDDLE, exact=True)
    expect(cell).to_be_visible()
    settle(refusing)  # else what is drawn meanwhile may leave the new number beside the old one
    cell.fill("-3")
    cell.press("Enter")
    expect(refusing.locator(".st-key-convolution_output img")).to_be_visible()
    wait_for_address(refusing, kernel="-1,0,1,-2,-3,2,-1,0,1")


def test_a_lost_connection_loses_nothing(server, page):
    open_sockets, cut = [], False

    def connect(socket):
        if cut:
            socket.close()
        else:
            socket.connect_to_server()
            open_sockets.append(socket)

    page.route_web_socket("**/_stcore/stream", connect)
    page.goto(f"{server}/convolution")
    expect(page.get_by_label(MIDDLE)).to_have_value("0")
    cut = True
    for socket in open_sockets:
        socket.close()
    expect(page.locator('[data-testid="stApp"]')).not_to_have_attribute("data-test-connection-state", "CONNECTED")
    page.get_by_label(MIDDLE).fill("7")
    page.get_by_label("Stride").select_option("2")
    expect(page.locator(".st-key-convolution_output canvas")).to_have_attribute("width", "225")
    expect(page.locator("[data-role=news]")).to_contain_text("Feature map 149 by 225")  # the hand has rested
    cut = False
    wait_for_address(page, kernel="-1,0,1,-2,7,2,-1,0,1", conv_stride="2")


def test_two_tabs_on_the_same_link_are_two_benches(server, page):
    link = f"{server}/convolution?kernel=0,1,0,1,-4.5,1,0,1,0"
    page.goto(link)
    other = page.context.new_page()
    other.goto(link)
    for tab, number in ((page, "3"), (other, "-2")):
        expect(tab.get_by_label(MIDDLE)).to_have_value("-4.5")
        tab.get_by_label(MIDDLE).fill(number)
    for tab, number in ((page, "3"), (other, "-2")):
        wait_for_address(tab, kernel=f"0,1,0,1,{number},1,0,1,0")
        expect(tab.get_by_label(MIDDLE)).to_have_value(number)
    other.close()
