"""What every page promises, opened once in a real Chromium: no traceback, nothing that shuts people out, room."""

import importlib.resources
from contextlib import suppress

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.e2e.app_page import open_page, settle
from tests.e2e.conftest import VIEWPORT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = [
    "pixels",
    "convolution",
    "pooling",
    "network",
    "train",
    "evaluate?pictures=100",
    "",
    "?why=Layer+by+layer&model=article",
]
"""Of these only the last waits for TensorFlow."""

WIDTHS = [1280, 390]
"""A laptop and a phone. To open a page costs seconds, to make it narrower does not."""

# Columns that are too narrow for what they hold do not widen the page: they hide it.
TOO_WIDE = """() => [...document.querySelectorAll('html, .stMain, .stMainBlockContainer, .stMain .stHorizontalBlock')]
    .filter(area => area.scrollWidth > area.clientWidth + 1)
    .map(area => area.className + ': ' + area.innerText.slice(0, 80))"""

UNSEEN = """() => [...document.querySelectorAll(
        '.stSidebar a, .stPageLink a, .stElementToolbar button, .stRadio input, .stCheckbox input')]
    .filter(control => {
        control.focus();
        const seen = getComputedStyle(control.closest('label') ?? control).outlineStyle === 'solid';
        const opacity = getComputedStyle(control.closest('.stElementToolbar') ?? control).opacity;
        return document.activeElement === control && !(seen && opacity > 0);
    })
    .map(control => control.closest('label, a, button').outerHTML.slice(0, 160))"""
"""The controls that a keyboard reaches without that it can be seen."""

OPEN_FOLDS = """() => [...document.querySelectorAll('.stMain details:not([open]) > summary')]
    .filter(fold => fold.checkVisibility()).forEach(fold => fold.click())"""
"""All at once: clicked by the mouse, one after the other, they take as long as axe."""

NO_HANDLES = ".stDataFrame {overflow: hidden}"
"""A table of Streamlit's scrolls by itself, and keeps an invisible handle beyond its right edge."""

BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 29)"}
RULES = {"light": {}, "dark": {"runOnly": ["color-contrast", "link-in-text-block"]}}
"""In the dark only colors are other ones."""

STREAMLITS = [
    ("list", "[data-testid=stSidebarNavItems]"),  # Streamlit puts a div with the section's name into its list
    ("listitem", "[data-testid=stSidebarNav]"),  # and the pages below that div; screen readers still read all of them
]
"""What is Streamlit's own, and no page can mend: a rule, and where it is broken."""

LOOK = """async ([excepted, rules]) => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"], ...rules });
    const stands = (rule, { target }) => !excepted.some(([name, place]) =>
        name === rule && target.length === 1 && document.querySelector(target[0])?.closest(place));
    return violations
        .filter(({ id, impact }) => ["serious", "critical"].includes(impact) || id === "heading-order")
        .flatMap(({ id, nodes }) => nodes.filter((node) => stands(id, node)).map((node) =>
            `${id}: ${node.html.slice(0, 160)} (${[...node.any, ...node.all, ...node.none][0].message})`));
}"""


@pytest.fixture(scope="module", params=PAGES)
def opened(request, server, tab):
    """Each page in turn, for all tests."""
    open_page(tab, f"{server}/{request.param}")
    if not request.param or request.param.startswith("?"):
        expect(tab.locator(".st-key-verdict h2")).to_be_visible()
    if request.param.startswith("?"):
        expect(tab.locator(".kl-thread")).to_be_visible()
    yield tab
    tab.goto("about:blank")
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size(VIEWPORT)


def test_it_shows_no_traceback_and_names_its_pictures(opened):
    for chart in opened.locator('[data-testid="stPlotlyChart"]:visible').all():  # drawn after the script has ended
        expect(chart.locator(".main-svg").first).to_be_attached()
    expect(opened.locator('[data-testid="stException"]')).to_have_count(0)
    unnamed = opened.locator('[data-testid="stMain"] img:not([alt]), [data-testid="stMain"] img[alt=""]')
    expect(unnamed).to_have_count(0)


def test_axe_finds_nothing_that_shuts_people_out(opened):
    """With the folds open, light and dark; headings in order."""
    opened.set_viewport_size(VIEWPORT)
    opened.evaluate(OPEN_FOLDS)
    settle(opened)
    expect(opened.locator('[data-testid="stMain"] details:not([open]) > summary:visible')).to_have_count(0)
    opened.add_style_tag(content="* {transition: none !important; animation: none !important}")  # no color on its way
    opened.evaluate(importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = []
    for scheme, background in BACKGROUND.items():
        opened.emulate_media(color_scheme=scheme)
        expect(opened.locator('[data-testid="stApp"]')).to_have_css("background-color", background)
        violations = opened.evaluate(LOOK, [STREAMLITS, RULES[scheme]])
        if violations:  # a fold that has just been opened may have made the page pale: it is drawn again
            opened.wait_for_load_state("networkidle")
            settle(opened)
            violations = opened.evaluate(LOOK, [STREAMLITS, RULES[scheme]])
        found += [f"{scheme}: {violation}" for violation in violations]
    assert not found, "\n".join(found)


def test_what_the_keyboard_has_reached_can_be_seen(opened):
    opened.keyboard.press("Tab")  # or the browser takes what is focused for what was clicked
    opened.add_style_tag(content="* {transition: none !important}")
    assert not opened.evaluate(UNSEEN)


def test_it_fits_the_screen(opened):
    opened.add_style_tag(content=NO_HANDLES)
    for width in WIDTHS:
        opened.set_viewport_size({"width": width, "height": 844})
        too_wide = what_is_too_wide(opened)
        if too_wide:  # a table of Streamlit's may keep its old width; what counts is a page opened at this one
            open_page(opened, opened.url)
            opened.add_style_tag(content=NO_HANDLES)
            too_wide = what_is_too_wide(opened)
        assert not too_wide, f"At {width} pixels these are wider than the space they have: {too_wide}"
    expect(opened.locator(".stSidebar")).to_have_css("visibility", "hidden")  # or the Tab key would get lost in it


def what_is_too_wide(page: Page) -> list[str]:
    """Wait for the layout, and name what is wider than the space it has."""
    with suppress(TimeoutError):
        page.wait_for_function(f"() => ({TOO_WIDE})().length === 0", polling=100, timeout=3_000)
    return page.evaluate(TOO_WIDE)
