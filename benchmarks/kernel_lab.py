"""How long from a move of the hand to the repainted feature map in the kernel lab.

    python benchmarks/kernel_lab.py [--seconds 10]

A real Chromium drags a kernel cell up and down for ten seconds, on pictures of 512 × 512 and 1024 × 1024 pixels, in
gray and with a kernel for all three channels. The clock runs in the browser, from the time stamp of the pointer's
event that changes the number until the canvas has its new pixels. The bar, for the 95th percentile in gray: one frame
of 60 Hz (16.7 ms) at 512 × 512, two at 1024 × 1024.

Then the camera: how many of its frames, 320 × 240 pixels, are shown and convolved in a second. Chromium's own fake
camera gives 30 of them, as most cameras do. The bar is 24.
"""

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.first_page import FLAGS, free_port, wait_for  # noqa: E402
from cnn_core.setup.chromium import find_chromium  # noqa: E402

FRAME = 1000 / 60
BARS = {512: FRAME, 1024: 2 * FRAME}
CAMERA_BAR = 24
CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=30"]

CLOCK = """() => {
  const canvas = document.querySelector(".st-key-convolution_output canvas");
  const cell = document.querySelector(".kl-kernel input");
  const text = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  let values = canvas.values;
  let event = null;  // the latest of the hand
  let changed = null;  // the time stamp of the event that made the first number not painted yet
  window.took = [];
  for (const name of ["pointerrawupdate", "pointermove"]) {
    addEventListener(name, (now) => { event = now; }, { capture: true });
  }
  Object.defineProperty(cell, "value", {  // a move that is too short to change the number asks for no repaint
    configurable: true,
    get: () => text.get.call(cell),
    set: (shown) => {
      if (shown !== cell.value) changed ??= event?.timeStamp ?? null;
      text.set.call(cell, shown);
    },
  });
  Object.defineProperty(canvas, "values", {
    configurable: true,
    get: () => values,
    set: (painted) => {  // the lab hands the values over right after it has painted them
      values = painted;
      if (changed !== null) window.took.push(performance.now() - changed);
      changed = null;
    },
  });
}"""


FRAMES = """() => {
  const canvas = document.querySelector(".st-key-convolution_output canvas");
  let values = canvas.values;
  window.frames_at = [];
  Object.defineProperty(canvas, "values", {
    configurable: true,
    get: () => values,
    set: (painted) => { values = painted; window.frames_at.push(performance.now()); },
  });
}"""


def photo(side: int) -> bytes:
    """Return a picture with detail everywhere as a PNG."""
    waves = np.add.outer(np.sin(np.arange(side) / 7), np.cos(np.arange(side) / 11))
    noise = np.random.default_rng(0).integers(0, 60, (side, side, 3))
    file = io.BytesIO()
    Image.fromarray((waves[..., None] * 40 + 90 + noise).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def show(page: Page, address: str, side: int, channel: str) -> None:
    """Open the Convolution page with a picture of that size, and wait until the lab shows it."""
    page.goto(f"{address}/convolution")
    page.get_by_label("Kernel row 1 column 1").wait_for()
    sidebar = page.locator('[data-testid="stSidebar"]')
    sidebar.get_by_text("Use your own picture").click()
    sidebar.locator('input[type="file"]').set_input_files(
        {"name": f"{side}.png", "mimeType": "image/png", "buffer": photo(side)}
    )
    page.wait_for_function(
        f"() => document.querySelector('.kl:not([hidden]) [data-role=output]')?.shape?.[0] === {side - 2}",
        timeout=60_000,
    )
    page.get_by_label("Convolve").select_option(channel)
    page.wait_for_timeout(2000)  # until Python has run for it: the benchmark is about the hand


def scrub(page: Page, seconds: float) -> list[float]:
    """Drag the first cell for some seconds. Return the milliseconds from each move to its picture."""
    page.evaluate(CLOCK)
    box = page.get_by_label("Kernel row 1 column 1").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    end, step = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        step += 1
        page.mouse.move(x, y - 60 * np.sin(step / 6))
        page.wait_for_timeout(16)
    page.mouse.up()
    return page.evaluate("() => window.took")


def film(page: Page, address: str, seconds: float) -> tuple[float, float]:
    """Turn the camera on. Return frames a second, and the 95th percentile of the milliseconds between two of them."""
    page.goto(f"{address}/convolution")
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function("() => document.querySelector('[data-role=source]')?.shape?.[1] === 320", timeout=60_000)
    page.wait_for_timeout(1000)
    page.evaluate(FRAMES)
    page.wait_for_timeout(seconds * 1000)
    times = np.array(page.evaluate("() => window.frames_at"))
    return (len(times) - 1) / (times[-1] - times[0]) * 1000, float(np.percentile(np.diff(times), 95))


def main() -> None:
    """Scrub with each picture, and print median, 95th percentile and bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    seconds = parser.parse_args().seconds
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Install Chromium, Chrome or Edge first.")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), "--server.headless=true"]
        server = subprocess.Popen(
            [*command, f"--server.port={port}"], cwd=ROOT, env=os.environ | {"CNN_LAB_HOME": home},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *CAMERA])
            for side, bar in BARS.items():
                for channel in ("gray", "all"):
                    page = browser.new_page(viewport={"width": 1280, "height": 900})
                    show(page, f"http://127.0.0.1:{port}", side, channel)
                    took = scrub(page, seconds)
                    median, high = statistics.median(took), float(np.percentile(took, 95))
                    print(
                        f"{side} × {side}, {channel:4}: {len(took)} repaints, median {median:.1f} ms, "
                        f"95th percentile {high:.1f} ms" + (f" (bar {bar:.1f} ms)" if channel == "gray" else "")
                    )
                    page.close()
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            rate, high = film(page, f"http://127.0.0.1:{port}", seconds)
            print(
                f"camera, 320 × 240: {rate:.1f} frames a second (bar {CAMERA_BAR}), "
                f"95th percentile of the time between two {high:.1f} ms"
            )
            browser.close()
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
