"""Record the moving picture that stands first in the README: a real Chromium walks through the started app.

    python benchmarks/tour.py [--out pages/pictures/tour.webp]

Nothing is drawn by hand but the pointer, which screenshots leave out. Record it anew when the pages look different.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.first_page import FLAGS, free_port, wait_for  # noqa: E402
from cnn_core.setup.chromium import find_chromium  # noqa: E402

SCREEN, SHOWN = (1280, 800), (960, 600)
MAX_BYTES = 3_000_000

POINTER = """() => {
  const arrow = document.createElement("div");
  arrow.innerHTML = '<svg width="26" height="26"><path d="M3 2 L3 21 L8 16 L12 24 L15 22 L11 15 L18 15 Z" ' +
    'fill="white" stroke="black" stroke-width="1.5"/></svg>';
  arrow.style.cssText = "position: fixed; z-index: 1000000; pointer-events: none; left: -50px; top: 0";
  document.body.append(arrow);
  addEventListener("pointermove", ({ clientX, clientY }) => {
    arrow.style.left = `${clientX - 3}px`;
    arrow.style.top = `${clientY - 2}px`;
  }, { capture: true });
}"""

Shot = tuple[bytes, int]
"""A screenshot, and for how many milliseconds it is shown."""


def tour(page: Page, address: str) -> Iterator[Shot]:
    """Walk through the app, and yield what is on screen."""

    def shot(milliseconds: int) -> Shot:
        return page.screenshot(), milliseconds

    def show(path: str, place: str) -> Locator:
        page.goto(f"{address}/{path}")
        where = page.locator(place).first
        where.wait_for(timeout=90_000)
        page.wait_for_function("document.querySelector('[data-test-script-state=notRunning]')")
        page.wait_for_timeout(2500)  # pictures and charts are drawn after the script has ended
        page.evaluate(POINTER)
        return where

    def over(canvas: Locator, places: list[tuple[float, float]], milliseconds: int) -> Iterator[Shot]:
        box = canvas.bounding_box()
        assert box
        for across, down in places:
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            page.wait_for_timeout(150)
            yield shot(milliseconds)

    verdict = show("", ".st-key-verdict h2")
    verdict.get_by_text("Cat").wait_for(timeout=90_000)
    yield shot(1800)

    picture = show("pixels", "[data-role=source]")
    yield from over(picture, [(0.3, 0.5), (0.36, 0.44), (0.4, 0.4), (0.44, 0.38)], 450)
    yield shot(900)

    left = show("convolution?kernel=0,0,0,0,1,0,0,0,0", ".kl-kernel input >> nth=3")
    right = page.locator(".kl-kernel input >> nth=5")
    yield shot(900)
    for cell, text in ((left, "-1"), (left, "-2"), (left, "-4"), (right, "2"), (right, "3")):
        cell.fill(text)
        page.wait_for_timeout(200)
        yield shot(450)
    yield from over(page.locator("[data-role=output]"), [(0.35, 0.35), (0.4, 0.42), (0.42, 0.5)], 600)
    yield shot(900)

    show("pooling", "[data-role=chain] canvas")
    last = page.locator("[data-role=chain] canvas").last
    last.scroll_into_view_if_needed()
    yield from over(last, [(0.4, 0.4), (0.55, 0.45), (0.6, 0.55)], 700)

    thread = show("?why=Layer+by+layer&model=article&walk_layer=conv_2", ".kl-thread")
    thread.evaluate("(lab) => lab.scrollIntoView({ block: 'start' })")
    page.wait_for_timeout(800)
    yield shot(2000)

    show("train", ".st-key-training_curves .js-plotly-plot")
    yield shot(1800)


def record(out: Path) -> None:
    """Start the app, walk through it, and write the frames as one animated WebP."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
        command += [f"--server.port={port}", "--server.fileWatcherType=none"]
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"CNN_LAB_HOME": home}, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
                page = browser.new_page(viewport={"width": SCREEN[0], "height": SCREEN[1]}, color_scheme="light")
                shots = list(tour(page, f"http://127.0.0.1:{port}"))
                browser.close()
        finally:
            server.terminate()
            server.wait(10)
    frames = [Image.open(io.BytesIO(png)).convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS) for png, _ in shots]
    frames[0].save(
        out, save_all=True, append_images=frames[1:], duration=[time for _, time in shots], loop=0, quality=70, method=6
    )
    size = out.stat().st_size
    print(f"{out}: {len(frames)} frames, {size / 1e6:.2f} MB (limit {MAX_BYTES / 1e6:.0f} MB)")
    if size > MAX_BYTES:
        raise SystemExit("That is too large for a README.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "pages" / "pictures" / "tour.webp")
    record(parser.parse_args().out)
