"""Give one door damaged files for some seconds: ``python -m tests.fuzz DOOR SECONDS SEED FOLDER``.

The last line that is printed is JSON: how many files, and what was found. A file that was not answered as it should is
kept in FOLDER; after a crash the file ``input`` is the one.
"""

import json
import os
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.fuzz.corpus import DOORS
from tests.fuzz.mutator import damaged
from tests.watched import written

MOST_SECONDS, MOST_MEGABYTES = 5.0, 500


def door(name: str) -> tuple[Callable[[Path], object], type[Exception]]:
    """Return what opens a file, and what it may raise."""
    if name == "image":
        from cnn_core.pixels import ImageError, open_image

        return lambda path: open_image(path.read_bytes()), ImageError
    if name == "dataset":
        from cnn_core.dataset import DatasetError, open_dataset

        return open_dataset, DatasetError
    from cnn_core import models
    from cnn_core.model_io import keras_file

    if "tensorflow" in sys.argv:
        return lambda path: models.open_model(path.read_bytes()), models.ModelError

    def without_keras(path: Path) -> None:
        keras_file.input_size(path)
        keras_file.tells_neither(path)
        keras_file.check(path)

    return without_keras, models.ModelError


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main(name: str, seconds: float, seed: int, folder: Path) -> dict:
    """Return what was found."""
    random, corpus = Random(seed), DOORS[name]()
    home = folder / "home"
    os.environ["CNN_LAB_HOME"] = str(home)
    os.environ["TMPDIR"] = str(folder)
    open_file, refuses = door(name)
    path = folder / ("input.zip" if name == "dataset" else "input")
    found: list[str] = []
    report = {"tried": 0, "refused": 0, "slowest": 0.0, "found": found}
    for data in corpus:  # what is imported only now is no growth
        path.write_bytes(data)
        with suppress(refuses):
            open_file(path)
    before, end = megabytes(), time.monotonic() + seconds
    with written() as files:
        while time.monotonic() < end:
            data = damaged(random.choice(corpus), corpus, random)
            path.write_bytes(data)
            begun, count = time.process_time(), len(found)
            try:
                open_file(path)
            except refuses as error:
                report["refused"] += 1
                if not str(error).strip().endswith((".", ")")):
                    found.append(f"no sentence: {error}")
            except BaseException:
                found.append(traceback.format_exc()[-2000:])
            spent = time.process_time() - begun
            report["slowest"] = round(max(report["slowest"], spent), 2)
            if spent > MOST_SECONDS:
                found.append(f"{spent:.1f} s")
            report["tried"] += 1
            found += [f"wrote {file}" for file in files if not file.is_relative_to(folder)]
            files.clear()
            if len(found) > count:
                shutil.copy(path, folder / f"found-{report['tried']}")
            shutil.rmtree(home, ignore_errors=True)
    report["grew"] = round(megabytes() - before)
    if report["grew"] > MOST_MEGABYTES:
        found.append(f"grew by {report['grew']} MB")
    return report


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).resolve())))
