"""How long from a changed kernel cell to the new feature map on screen, against a bare Streamlit number input.

    python benchmarks/kernel_edit.py [--edits 25]

Both show a picture of 512 × 512 pixels in the same Chromium and take turns, edit by edit. The clock runs, inside the
browser, from the Enter key to the first frame in which the new picture is loaded. The bare app draws its picture with
one `st.image`; the ratio of the medians should stay below 1.6.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.first_page import FLAGS, free_port, wait_for  # noqa: E402
from cnn_core.setup.chromium import find_chromium  # noqa: E402

BARE = """
import numpy as np, streamlit as st
from skimage.data import astronaut

photo = st.cache_data(astronaut)()
value = st.number_input("Value", value=0.0, step=1.0)
with st.container(key="output"):
    st.image(np.roll(photo, int(value), axis=0))
"""

CLOCK = """(selector) => {
  const shown = () => document.querySelector(selector);
  const before = shown().src;
  window.took = new Promise((done) => {
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const began = performance.now();
      const look = () => {
        const image = shown();
        if (image && image.src !== before && image.complete && image.naturalWidth) done(performance.now() - began);
        else requestAnimationFrame(look);
      };
      look();
    }, { once: true, capture: true });
  });
}"""


def edit(page: Page, label: str, selector: str, value: int) -> float:
    """Type `value` into the cell and return the milliseconds until the new picture is on screen."""
    page.evaluate(CLOCK, selector)
    cell = page.get_by_label(label, exact=True)
    cell.fill(str(value))
    cell.press("Enter")
    return page.evaluate("() => window.took")


def serve(script: Path, home: str) -> tuple[subprocess.Popen, str]:
    """Start a server for `script`; return it and its address, once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--browser.gatherUsageStats=false"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=script.parent, env=os.environ | {"CNN_LAB_HOME": home}, **quiet)
    wait_for(f"http://127.0.0.1:{port}/_stcore/health")
    return server, f"http://127.0.0.1:{port}"


def main() -> None:
    """Edit both apps alternately and print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=25)
    edits = parser.parse_args().edits
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("No Chromium found. Install it with: python -m playwright install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "bare.py").write_text(BARE)
        ours, our_address = serve(ROOT / "streamlit_app.py", folder)
        bare, bare_address = serve(Path(folder) / "bare.py", folder)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            lab, plain = browser.new_page(), browser.new_page()
            lab.goto(f"{our_address}/convolution?picture=astronaut")
            plain.goto(bare_address)
            lab.locator(".st-key-convolution_output img").wait_for(timeout=60_000)
            plain.locator(".st-key-output img").wait_for(timeout=60_000)
            lab.wait_for_timeout(15_000)  # TensorFlow is imported meanwhile
            times: tuple[list[float], list[float]] = ([], [])
            for number in range(edits + 3):
                for page, label, selector, kept in (
                    (lab, "Kernel row 2 column 2", ".st-key-convolution_output img", times[0]),
                    (plain, "Value", ".st-key-output img", times[1]),
                ):
                    page.bring_to_front()
                    took = edit(page, label, selector, number + 1)
                    if number >= 3:  # the first ones warm up
                        kept.append(took)
                    page.wait_for_timeout(250)
        finally:
            browser.close()
            ours.terminate()
            bare.terminate()
    medians = [statistics.median(kept) for kept in times]
    for name, kept, median in zip(("CNN Lab, kernel cell", "bare number input"), times, medians, strict=True):
        print(f"{name:<22} {median:6.0f} ms (median of {len(kept)}; {min(kept):.0f} to {max(kept):.0f})")
    print(f"ratio {medians[0] / medians[1]:.2f} (bar: below 1.6)")


if __name__ == "__main__":
    main()
