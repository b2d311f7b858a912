"""The camera in the kernel lab, with Chromium's own fake camera: live, convolved here, and let go when it should be."""

import numpy as np
import pytest
from playwright.sync_api import Route, expect

from cnn_core.convolution import conv2d
from cnn_core.kernels import KERNELS
from cnn_core.pixels import to_grayscale
from cnn_core.setup.chromium import find_chromium
from tests.e2e.conftest import CHROMIUM_FLAGS, VIEWPORT
from tests.e2e.lab_page import SETTINGS, SHOWN, decoded, open_lab, show, values

pytestmark = pytest.mark.browser

IMAGE = np.random.default_rng(1).integers(0, 256, (23, 31, 3), np.uint8)
ADDRESS = "http://localhost/lab"  # browsers give the camera to localhost and https only

WATCHED = """() => {
  window.tracks = [];
  const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  if (ask) navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    tracks.push(...stream.getTracks());
    return stream;
  };
}"""

ONE_MOMENT = f"""() => ["source", "output"].map((role) => ({SHOWN})(document.querySelector(`[data-role=${{role}}]`)))"""
"""What both canvases show, of the same frame."""


@pytest.fixture(scope="module")
def camera_tab(playwright):
    """A tab of a Chromium whose camera is a drawn clock and whose user allows everything."""
    flags = ["--use-fake-device-for-media-stream=fps=10", "--use-fake-ui-for-media-stream"]
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*CHROMIUM_FLAGS, *flags])
    page = browser.new_page(viewport=VIEWPORT)
    page.route("**/*", empty)
    yield page
    browser.close()


def opened(page, address: str = ADDRESS):
    page.goto(address)
    page.evaluate(WATCHED)
    open_lab(page, "convolution_lab")
    show(page, IMAGE, SETTINGS)
    return page


def empty(route: Route) -> None:
    route.fulfill(body="<!doctype html>", content_type="text/html")


@pytest.fixture
def lab(camera_tab):
    yield opened(camera_tab)
    camera_tab.goto("about:blank")


def button(lab):
    return lab.locator("[data-role=camera]")


def start(lab) -> None:
    button(lab).click()
    lab.wait_for_function("() => document.querySelector('[data-role=source]').shape.join() === '240,320,1'")


def one_moment(lab) -> tuple[np.ndarray, np.ndarray]:
    """A frame of the camera and its feature map, (240, 320) and (238, 318)."""
    frame, feature_map = (decoded(shown)[..., 0] for shown in lab.evaluate(ONE_MOMENT))
    assert frame.shape == (240, 320)
    return frame, feature_map


def live(lab) -> bool:
    return lab.evaluate("() => tracks.some((track) => track.readyState === 'live')")


def test_nobody_is_asked_before_the_click(lab):
    lab.wait_for_timeout(300)
    assert lab.evaluate("() => tracks.length") == 0


def test_frames_change_and_the_map_is_the_convolution_of_the_frame(lab):
    start(lab)
    seen = []
    for _ in range(3):
        frame, feature_map = one_moment(lab)
        np.testing.assert_array_equal(feature_map, conv2d(frame, KERNELS["sobel_x"].values))
        seen.append(frame.tobytes())
        lab.wait_for_timeout(400)
    assert len(set(seen)) == 3
    expect(lab.locator("[data-role=source-caption]")).to_have_text("Your camera, in gray: 240 × 320")


def test_an_edited_kernel_is_used_on_the_next_frame(lab):
    start(lab)
    lab.get_by_label("Preset kernel").select_option("emboss")
    lab.wait_for_timeout(300)
    frame, feature_map = one_moment(lab)
    np.testing.assert_allclose(feature_map, conv2d(frame, KERNELS["emboss"].values), atol=1e-2)


def test_stop_lets_the_camera_go_and_brings_the_photo_back(lab):
    caption = lab.locator("[data-role=stop-caption]").inner_text()
    start(lab)
    assert live(lab)
    button(lab).click()
    lab.evaluate("() => frame()")
    assert not live(lab)
    np.testing.assert_array_equal(values(lab, "source")[..., 0], to_grayscale(IMAGE))
    expect(button(lab)).to_have_text("Use the camera")
    expect(lab.locator("[data-role=stop-caption]")).to_have_text(caption)
    start(lab)  # and again
    assert live(lab)


def test_it_stops_when_the_lab_goes(lab):
    start(lab)
    lab.evaluate("() => unmount()")
    assert not live(lab)


def test_it_stops_when_the_tab_is_out_of_sight(lab):
    start(lab)
    lab.evaluate(
        "() => { Object.defineProperty(document, 'hidden', { value: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    assert not live(lab)
    expect(lab.get_by_text("stopped because this tab was hidden")).to_be_visible()


def test_it_stops_for_another_photo(lab):
    start(lab)
    show(lab, IMAGE[::-1].copy(), SETTINGS)
    assert not live(lab)
    np.testing.assert_array_equal(values(lab, "source")[..., 0], to_grayscale(IMAGE[::-1]))


def test_stopped_before_the_browser_has_answered(lab):
    lab.evaluate(
        "() => { const camera = document.querySelector('[data-role=camera]'); camera.click(); camera.click(); }"
    )
    lab.wait_for_function("() => tracks.length > 0")
    lab.wait_for_timeout(100)
    assert not live(lab)
    expect(button(lab)).to_have_text("Use the camera")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [("NotAllowedError", "allow the camera"), ("NotFoundError", "Connect one"), ("NotReadableError", "another program"),
     ("AbortError", "keep the photo")],
)  # fmt: skip
def test_without_a_camera_there_is_a_sentence(lab, error, sentence):
    lab.evaluate(
        "(name) => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name); }; }", error
    )
    button(lab).click()
    expect(lab.get_by_role("alert")).to_contain_text(sentence)
    expect(button(lab)).to_have_text("Use the camera")
    np.testing.assert_array_equal(values(lab, "source")[..., 0], to_grayscale(IMAGE))


def test_a_page_from_the_network_without_https_says_why(camera_tab):
    page = opened(camera_tab, "http://192.0.2.7/lab")
    button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("https")
