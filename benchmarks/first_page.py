"""How long until the first page is on screen, against a bare one-line Streamlit app; then how long until the verdict.

    python benchmarks/first_page.py [--rounds 7]

Each round starts both servers anew, one after the other, and opens each in a fresh Chromium profile: a visitor's very
first page. The clock runs from the start of the server to the page's own text on screen ("from the start"), and from
the opening of the address ("from the address"). The ratio of the medians should stay below 1.3. The verdict on the
sample photo should follow the title within 1.0 s, and the server, once the page is drawn, take at most 300 MB.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cnn_core.setup.chromium import find_chromium  # noqa: E402

START, OPENED = "from the start of the server", "from opening the address"
BARE = "import streamlit as st; st.title('Bare')"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


VERDICT = 1.0
MEGABYTES = 300
"""The bars: seconds from the title to the verdict, and the memory of the server with the page drawn."""


def measure(browser: Browser, script: Path, folder: Path) -> dict[str, float]:
    """Return the seconds from the server's start, and from the address being opened, to the page's title on screen.

    Of the app also those from the title to the verdict, and the server's memory once the whole page is drawn.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--browser.gatherUsageStats=false"]
    began = time.perf_counter()
    server = subprocess.Popen(
        command,
        cwd=script.parent,
        env=os.environ | {"CNN_LAB_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        wait_for(f"{address}/_stcore/health")
        opened = time.perf_counter()
        page = context.new_page()
        page.goto(address, wait_until="commit")
        seen = on_screen(page, "[data-testid=stMain] h1")
        result = {START: seen - began, OPENED: seen - opened}
        if script.parent == ROOT:
            result["verdict"] = on_screen(page, ".st-key-verdict h2") - seen
            on_screen(page, ".st-key-heat_map img")
            page.wait_for_selector("[data-test-script-state=notRunning]")
            result["MB"] = megabytes(server.pid)
        return result
    finally:
        context.close()
        server.terminate()
        server.wait()


def on_screen(page: Page, place: str) -> float:
    """Return when the first element there is on screen."""
    # Looked for at every frame. A locator looks less and less often, up to half a second apart.
    page.wait_for_function("place => document.querySelector(place)?.checkVisibility()", arg=place, polling="raf")
    return time.perf_counter()


def megabytes(process: int) -> float:
    """Return a process's memory (VmRSS); on Linux only."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS:"))


def free_port() -> int:
    """Return a port that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(address: str) -> None:
    """Return once the address answers."""
    for _ in range(3000):
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"No answer from {address} within a minute.")


def main() -> None:
    """Measure both apps alternately and print their medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("No Chromium found. Install it with: python -m playwright install chromium")
    times: dict[str, list[dict[str, float]]] = {"bare": [], "CNN Lab": []}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        bare = folder / "bare.py"
        bare.write_text(BARE)
        browser = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        scripts = {"bare": bare, "CNN Lab": ROOT / "streamlit_app.py"}
        for number in range(rounds + 1):  # the first round fills the disk's cache and is not counted
            for title, script in scripts.items():
                measured = measure(browser, script, folder)
                if number:
                    times[title].append(measured)
        browser.close()
    for what in (START, OPENED):
        medians = {title: statistics.median(one[what] for one in all_) for title, all_ in times.items()}
        ratio = medians["CNN Lab"] / medians["bare"]
        print(f"{what}: bare {medians['bare']:.2f} s, CNN Lab {medians['CNN Lab']:.2f} s, ratio {ratio:.2f}")
    for what, bar in (("verdict", VERDICT), ("MB", MEGABYTES)):
        found = [one[what] for one in times["CNN Lab"]]
        print(f"{what}: median {statistics.median(found):.2f}, at most {max(found):.2f}; bar {bar}")


if __name__ == "__main__":
    main()
