"""How long from the press of "Start this training" to the first point of the loss curve, and where the time goes.

    python benchmarks/first_point.py [--data PATH] [--images N] [--look SECONDS | --no-look] [--rounds 3]

Each round starts the first run of a new home as the Train page does, and stops it after its first step: "cold" in a
process that begins now, "warm" in the one that the page has begun when it was opened, 30 s before. The page begins to
look into photos when they are chosen, and unpacks a zip for it: here half a second before the press, unless `--look`
says when, or `--no-look` that nobody has, as before a run from the command line. Each line says when the run's status
changed, in seconds from the press. The page shows a point at most a second after it is there. The bar is 10 s.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cnn_core import runs  # noqa: E402
from cnn_core.engine import warm  # noqa: E402
from cnn_core.engine.config import TrainingConfig  # noqa: E402

BAR = 10.0
READING_TIME = 30.0
"""Seconds between the opening of the page and the press of the button."""


def measure(config: TrainingConfig) -> tuple[float, str]:
    """Start a run, print what its status says until its first point, and return the seconds and the processor."""
    began, said = time.perf_counter(), ""
    run = runs.start(config)
    while run.steps().empty:
        status, seconds = run.status(), time.perf_counter() - began
        now = "The first step" if status.state == "running" else status.message.partition(":")[0]
        if status.state not in ("starting", "reading", "running"):
            raise SystemExit(f"{status.message}\n{run.log()}")
        if now != said:
            print(f"  {seconds:6.2f} s  {now}")
            said = now
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    print(f"  {seconds:6.2f} s  The first point")
    run.stop()
    run.wait()
    return seconds, json.loads((run.folder / "environment.json").read_text())["processor"]


def look(config: TrainingConfig) -> None:
    """List the photos as the page does when they are chosen; drawn pets it knows without."""
    if not config.source.drawn:
        config.source.table(lambda *_: None)


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="sketches", help="zip or folder (default: drawn pets)")
    parser.add_argument("--images", type=int, help="training and test pictures together (default: all; 800 drawn ones)")
    parser.add_argument("--look", type=float, default=0.5, help="seconds before the press (default: 0.5)")
    parser.add_argument("--no-look", dest="look", action="store_const", const=None)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    config = TrainingConfig(data=options.data, images=options.images)
    measured: dict[str, list[float]] = {"cold": [], "warm": []}
    # Deleted in the end only: for minutes after 25,000 files were deleted, new ones take longer (ext4).
    with tempfile.TemporaryDirectory() as top, ThreadPoolExecutor() as page:
        for turn in range(options.rounds):
            for kind, seconds in measured.items():
                os.environ["CNN_LAB_HOME"] = f"{top}/{turn}-{kind}"
                if kind == "warm":
                    warm.prepare()
                    time.sleep(READING_TIME)
                print(f"round {turn + 1}, {kind}")
                if options.look is not None:
                    page.submit(look, config)
                    time.sleep(options.look)
                found, processor = measure(config)
                seconds.append(found)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        "\nthe first point, median: "
        + ", ".join(f"{kind} {statistics.median(seconds):.1f} s" for kind, seconds in measured.items())
        + f" (bar {BAR:.0f} s) on {processor}, {os.cpu_count()} cores\n"
        f"{(children.ru_utime + children.ru_stime) / 2 / options.rounds:.1f} s of processor time a run, at most "
        f"{children.ru_maxrss / 1e3:,.0f} MB"
    )


if __name__ == "__main__":
    main()
