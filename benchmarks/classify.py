"""How fast the models answer, and how much memory they take, against the bars of the Classify page.

    python benchmarks/classify.py [--model NAME]... [--photo FILE] [--rounds 30]

By default every bundled model, on the sample photo of a cat. The time is that of `classify` on one photo with the model
in memory, and of ten photos in one batch: medians over the rounds, resizing included. The bars hold for two cores. The
memory is that of this one process after it drew the whole Classify page with each of them: Streamlit, LiteRT, a verdict
and a heat map.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skimage import data
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cnn_core import models, pixels  # noqa: E402

ONE, TEN, MEMORY = 150, 600, 300
"""The bars: milliseconds for one photo and for ten, megabytes."""


def milliseconds(call: Callable[[], Any], rounds: int) -> float:
    """Return the median time of a call; the first two, which set things up, are not counted."""
    times = []
    for _ in range(rounds + 2):
        began = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times[2:])


def megabytes(kind: str) -> float:
    """Return this process's memory: "VmRSS" is what it has now, "VmHWM" the most it has had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1000
    raise SystemExit("The memory can be read on Linux only.")


def verdict(value: float, bar: float, unit: str) -> str:
    """Return the value beside its bar."""
    return f"{value:.0f} {unit} (bar {bar} {unit}: {'holds' if value < bar else 'MISSED'})"


def draw_page(name: str) -> None:
    """Run the Classify page with this model as the app's server does, in this process."""
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=300)
    test.query_params["model"] = name
    test.run()
    if test.exception or test.error:
        raise SystemExit(f"The page failed: {[*test.exception, *test.error][0].value}")
    if not any(text.value.startswith("# ") for text in test.main.markdown):
        raise SystemExit("The page shows no verdict.")


def main() -> None:
    """Print each model's times, then the memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="default: every bundled one")
    parser.add_argument("--photo", help="default: Chelsea the cat, 451 × 300 pixels")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    names = options.model or [card.name for card in models.list_models() if card.kind == "bundled"]
    photo = pixels.open_image(options.photo) if options.photo else data.chelsea()
    print(f"photo: {photo.shape[1]} × {photo.shape[0]} pixels")
    for name in names:
        model = models.open_model(name)
        one = milliseconds(lambda model=model: model.classify(photo), options.rounds)
        ten = milliseconds(lambda model=model: model.predictions([photo] * 10), max(5, options.rounds // 3))
        print(f"{name}: one photo {verdict(one, ONE, 'ms')}, ten photos {verdict(ten, TEN, 'ms')}")
    print(f"memory with {' and '.join(names)} asked: {megabytes('VmRSS'):.0f} MB")
    for name in names:
        draw_page(name)
    print(f"memory of the app with their pages drawn: {verdict(megabytes('VmRSS'), MEMORY, 'MB')}")
    print(f"most that it ever was: {megabytes('VmHWM'):.0f} MB")


if __name__ == "__main__":
    main()
