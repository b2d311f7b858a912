"""Choose the pictures to learn from, and read them in the background: how many there are, and which are broken."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from cnn_core import CnnLabError, sketches
from cnn_core.data_files import kept
from cnn_core.dataset import LABELS
from cnn_core.pixels import fit, open_image
from cnn_core.source import DRAWN, Source
from cnn_core.storage.files import expanded, home
from cnn_core.wording import plain
from pages.widgets import address, background, controls, dataset_download

PATH, UPLOAD, KEPT, MICROSOFT = "path", "upload", "kept", "microsoft"
_KEPT = "data_upload_kept"

WAIT_SECONDS = 0.3
"""A look that takes no longer is shown at once, without a progress bar that would appear and vanish."""


@dataclass(eq=False)
class Look(background.Job):
    """What is in a source: its table, and a few of its pictures.

    Attributes
    ----------
    table : pandas.DataFrame or None
        One row per picture, as `Source.table` gives it; None until it is known.
    examples : list of (str, numpy.ndarray)
        Labels and pictures, uint8 (H, W, 3).
    """

    stopped = "Reading the pictures was stopped."
    failed = "The pictures could not be read ({}). Check them and try again."

    data: str
    images: int | None
    seed: int
    table: pd.DataFrame | None = field(default=None, init=False)
    examples: list[tuple[str, np.ndarray]] = field(default_factory=list, init=False)

    def work(self) -> None:
        """Read the source. Drawn pets are known without drawing them all, which would only delay the page."""
        if self.data == DRAWN:
            self.table = pd.DataFrame({"label": [LABELS[n % 2] for n in range(self.images or sketches.DEFAULT_COUNT)]})
            drawn = [(label, number) for number in (0, 1) for label in LABELS]
            self.examples = [(label, sketches.draw(label, np.random.default_rng(n))) for label, n in drawn]
        else:
            table = Source(self.data, self.images, self.seed).table(self.progress)
            some = pd.concat([table[table["label"] == label].head(2) for label in LABELS])
            self.examples = [(label, fit(open_image(file), 128)) for file, label in some.to_numpy()]
            self.table = table
        import sklearn.model_selection  # noqa: F401  (the page needs it for the split, and it takes a second)


def look(data: str, images: int | None, seed: int) -> Look:
    """Return the look into these pictures, and begin it if there is none yet."""
    return background.job(Look, data, images, seed, state=(changed(data), home()))


def look_again() -> None:
    """Forget all looks, for folders whose content has changed."""
    background.forget(*background.jobs(Look))


def changed(data: str) -> int:
    """Return the time of a file or folder in nanoseconds, 0 where there is none."""
    try:
        return expanded(data).stat().st_mtime_ns
    except OSError:
        return 0


def choose() -> str:
    """Draw the choice of the source; return `Source.data`, or "" while nothing is chosen."""
    source = st.radio("Data", horizontal=True, **controls.DATA.menu)
    if source == DRAWN:
        st.caption("Cats and dogs drawn by the computer: nothing to download, and training takes about a minute.")
        return DRAWN
    if source == UPLOAD:
        file = st.file_uploader("Zip with pictures of cats and dogs", "zip", key="data_upload")
        return "" if file is None else _keep(file)
    if source == MICROSOFT:
        return dataset_download.choose()
    if source == KEPT:
        return _kept()
    return st.text_input(
        "Path of a folder or zip",
        placeholder="/home/me/dogs-vs-cats.zip",
        help='Kaggle\'s zip, Microsoft\'s PetImages zip, or a folder with "cat" and "dog" subfolders or files '
        'named like "cat.0.jpg". It must be on the computer that runs CNN Lab.',
        **controls.DATA_PATH.kept,
    ).strip()


def _kept() -> str:
    """Choose one of the datasets that lie in the folder for them."""
    names = kept.names()
    st.caption(f"Zips and folders of photos that lie in {plain(kept.folder())}, on the computer that runs CNN Lab.")
    if not names:
        st.info("There is none yet. Put a zip or a folder of photos there, then come back.")
        return ""
    address.read(controls.DATASET.name, names)
    name = st.selectbox("Dataset", names, key=controls.DATASET.name, persist_state="session")
    address.write(controls.DATASET.name, name, names[0])
    return str(kept.folder() / name)


def _keep(file) -> str:
    """Keep an upload where a run can find it after this session. It is read once, not at every run of the page."""
    upload, path = st.session_state.get(_KEPT, ("", Path()))
    if upload == file.file_id and path.parent == kept.folder() and path.exists():
        return str(path)
    try:
        path = kept.keep(file.getvalue(), file.name)
    except CnnLabError as error:
        st.error(plain(error))
        return ""
    st.session_state[_KEPT] = (file.file_id, path)
    return str(path)
