"""A lab speaks to Python only when Streamlit can hear it; else a page may stay empty."""

import numpy as np
import pytest

from tests.e2e.lab_page import SETTINGS, cell, open_lab, show, told

pytestmark = pytest.mark.browser

IMAGE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)

LEAVE = {
    "link": """() => {
      const link = Object.assign(document.createElement("a"), { href: "/pixels" });
      link.addEventListener("click", (event) => event.preventDefault());  // the page comes by Streamlit's own way
      document.body.append(link);
      link.click();
    }""",
    "back": """() => new Promise((done) => {
      addEventListener("popstate", done);
      history.back();
    })""",
}


@pytest.mark.parametrize("way", LEAVE)
def test_a_lab_says_nothing_on_the_way_to_another_page(page, way):
    """Streamlit would answer with the old page's fragment, and the new page would stay empty."""
    page.route("**/pixels", lambda route: route.fulfill(body="", content_type="text/html"))
    page.goto("http://lab.test/pixels")
    page.evaluate("history.pushState(null, '', '/convolution')")
    open_lab(page, "convolution_lab")
    show(page, IMAGE, SETTINGS)
    page.clock.install()
    page.evaluate(LEAVE[way])
    cell(page, 2, 2).fill("7")
    page.clock.run_for(5000)
    assert page.evaluate("() => told.bench ?? null") is None
    page.clock.run_for(10000)  # the other page has not come: the lab goes on
    assert told(page)["tables"][0][4] == 7


def test_a_lab_waits_until_streamlit_has_finished_its_run(page):
    """Of a run that is under way, Streamlit would drop what it has not sent, and the page would stay empty."""
    open_lab(page, "convolution_lab")
    show(page, IMAGE, SETTINGS)
    page.clock.install()
    page.evaluate("document.body.dataset.testScriptState = 'running'")
    cell(page, 2, 2).fill("7")
    page.clock.run_for(5000)
    assert page.evaluate("() => told.bench ?? null") is None
    page.evaluate("document.body.dataset.testScriptState = 'notRunning'")
    page.clock.run_for(100)
    assert told(page)["tables"][0][4] == 7


def test_streamlit_says_on_the_page_when_it_runs(server, page):
    """The labs rely on an attribute that Streamlit writes for its own tests."""
    page.goto(f"{server}/pixels")
    page.wait_for_selector("[data-test-script-state=running]")
    page.wait_for_selector("[data-test-script-state=notRunning]")
