"""axe-core on every page with its folds open, light and dark: nothing that shuts people out, and headings in order."""

import importlib.resources

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = ["pixels", "convolution", "pooling", "network", "train", "evaluate", "", "?why=Layer+by+layer&model=article"]
"""The first page comes last: its verdict waits for TensorFlow, which is loaded while the others are looked at."""

BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 29)"}

STREAMLITS = [
    ("list", "[data-testid=stSidebarNavItems]"),  # Streamlit puts a div with the section's name into its list
    ("listitem", "[data-testid=stSidebarNav]"),  # and the pages below that div; screen readers still read all of them
]
"""What is Streamlit's own, and no page can mend: a rule, and where it is broken."""

LOOK = """async (excepted) => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    const stands = (rule, { target }) => !excepted.some(([name, place]) =>
        name === rule && target.length === 1 && document.querySelector(target[0])?.closest(place));
    return violations
        .filter(({ id, impact }) => ["serious", "critical"].includes(impact) || id === "heading-order")
        .flatMap(({ id, nodes }) => nodes.filter((node) => stands(id, node)).map((node) =>
            `${id}: ${node.html.slice(0, 160)} (${[...node.any, ...node.all, ...node.none][0].message})`));
}"""


@pytest.fixture(scope="module")
def page(chromium):
    """One tab for all: Streamlit's frontend is read once."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(90_000)
    yield context.new_page()
    context.close()


def settle(page: Page) -> None:
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator('[data-stale="true"], .stSkeleton, .stMain .stSpinner')).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_that_shuts_people_out(server, page, path):
    page.emulate_media(reduced_motion="reduce", color_scheme="light")  # what fades in is pale until it is there
    page.goto(f"{server}/{path}")
    expect(page.locator('[data-testid="stMain"] h1')).to_have_count(1)
    if not path or "?" in path:
        expect(page.locator(".st-key-verdict h2")).to_be_visible()
    if "?" in path:
        expect(page.locator(".kl-thread")).to_be_visible()
    settle(page)
    for fold in page.locator('[data-testid="stMain"] details:not([open]) > summary:visible').all()[::-1]:
        fold.click()
    settle(page)
    page.add_style_tag(content="* {transition: none !important; animation: none !important}")  # no color is on its way
    page.evaluate(importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = []
    for scheme, background in BACKGROUND.items():
        page.emulate_media(reduced_motion="reduce", color_scheme=scheme)
        expect(page.locator('[data-testid="stApp"]')).to_have_css("background-color", background)
        violations = page.evaluate(LOOK, STREAMLITS)
        if violations:  # a fold that has just been opened may have made the page pale: it is drawn again
            page.wait_for_load_state("networkidle")
            settle(page)
            violations = page.evaluate(LOOK, STREAMLITS)
        found += [f"{scheme}: {violation}" for violation in violations]
    assert not found, "\n".join(found)
