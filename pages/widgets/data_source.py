"""Choose the pictures to learn from, and look into them behind the visitor's back: counts, split, broken ones."""

import hashlib
import re
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from cnn_core import CnnLabError, dataset, sketches
from cnn_core.dataset import LABELS
from cnn_core.pixels import fit, open_image
from cnn_core.source import Source
from cnn_core.storage.files import home, replace_file

DRAWN, PATH, UPLOAD = "sketches", "path", "upload"
SOURCES = {DRAWN: "Drawn pets", PATH: "Folder or zip here", UPLOAD: "Upload a zip"}

POLITE_SECONDS = 0.3
"""What is looked into so quickly is shown at once, without a progress bar that flashes by."""

_KEPT = 8


class Look:
    """One look into a source, in a thread of its own."""

    def __init__(self, data: str, images: int | None, seed: int) -> None:
        self.done, self.total, self.what = 0, 1, "Looking into the pictures"
        self.table: pd.DataFrame | None = None
        self.examples: list[tuple[str, np.ndarray]] = []
        self.error = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(data, images, seed), daemon=True)
        self._thread.start()

    def ready(self, wait: float = 0.0) -> bool:
        """Tell whether the look is over; wait for it at most `wait` seconds."""
        self._thread.join(wait)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End it at the next picture."""
        self._stopped.set()

    def _work(self, data: str, images: int | None, seed: int) -> None:
        try:
            if data == DRAWN:  # what is in them is known; the run draws them, and here it would only hold up the page
                self.table = pd.DataFrame(
                    {"label": [LABELS[number % 2] for number in range(images or sketches.DEFAULT_COUNT)]}
                )
                drawn = [(label, number) for number in (0, 1) for label in LABELS]
                self.examples = [(label, sketches.draw(label, np.random.default_rng(n))) for label, n in drawn]
            else:
                table = Source(data, images, seed).table(self._progress)
                some = pd.concat([table[table["label"] == label].head(2) for label in LABELS])
                self.examples = [(label, fit(open_image(file), 128)) for file, label in some.to_numpy()]
                self.table = table
            import sklearn.model_selection  # noqa: F401  (the page's split asks for it, and it takes a second)
        except CnnLabError as error:
            self.error = str(error)
        except Exception as error:  # in a thread nobody else would hear of it
            self.error = f"The pictures could not be read ({type(error).__name__}: {error}). Check them and try again."

    def _progress(self, done: int, total: int, what: str) -> None:
        self.done, self.total, self.what = done, max(total, 1), what
        if self._stopped.is_set():
            raise dataset.DatasetError("Looking into the pictures was stopped.")


@st.cache_resource
def _looks() -> OrderedDict:
    return OrderedDict()


def look(data: str, images: int | None, seed: int) -> Look:
    """Return the look into these pictures, beginning one if there is none yet."""
    try:
        changed = Path(data).expanduser().stat().st_mtime_ns
    except OSError:
        changed = 0
    looks, key = _looks(), (data, changed, images, seed, home())
    if key not in looks:
        looks[key] = Look(data, images, seed)
        while len(looks) > _KEPT:
            looks.popitem(last=False)[1].stop()
    return looks[key]


def look_again() -> None:
    """Forget what was seen, for folders whose inside has changed."""
    for seen in _looks().values():
        seen.stop()
    _looks().clear()


def choose() -> str:
    """Draw the choice of the source; return what `sketches.open_source` takes, or "" while nothing is chosen."""
    source = st.radio(
        "Data", list(SOURCES), format_func=SOURCES.__getitem__, horizontal=True, key="data", bind="query-params"
    )
    if source == DRAWN:
        st.caption("Cats and dogs drawn by the computer: nothing to download, and learned within a minute.")
        return DRAWN
    if source == UPLOAD:
        file = st.file_uploader("Zip with pictures of cats and dogs", "zip", key="data_upload")
        return "" if file is None else _keep(file)
    return st.text_input(
        "Path of a folder or zip",
        key="data_path",
        bind="query-params",
        placeholder="/home/me/dogs-vs-cats.zip",
        help='Kaggle\'s zip, Microsoft\'s PetImages zip, or a folder with "cat" and "dog" subfolders or files '
        'named like "cat.0.jpg". It is read where CNN Lab runs.',
    ).strip()


def _keep(file) -> str:
    """Keep an upload where a run can find it after this session."""
    name = re.sub(r"[^\w.-]+", "-", Path(file.name).stem).strip("-.")[:60] or "upload"
    folder = home() / "datasets"
    content = file.getvalue()
    path = folder / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
    except OSError as error:
        st.error(f"The upload could not be kept in {folder}: {error.strerror}. Make room and upload it again.")
        return ""
    return str(path)
