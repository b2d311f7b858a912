"""Choose the pictures to learn from, and list them in the background: how many there are, and some examples."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from cnn_core import CnnLabError, sketches
from cnn_core.data_files import kept
from cnn_core.dataset import LABELS
from cnn_core.host import limits
from cnn_core.pixels import ImageError, fit, open_image
from cnn_core.source import DRAWN, Source
from cnn_core.storage.files import expanded, visiting
from cnn_core.wording import plain
from pages.widgets import address, background, controls, dataset_download, in_vain

PATH, UPLOAD, KEPT, MICROSOFT = "path", "upload", "kept", "microsoft"
_KEPT, _AGREED = "data_upload_kept", "data_paths_agreed"

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
            self.examples = [(label, image) for label in LABELS for image in self._some(table, label)]
            self.table = table

    def _some(self, table: pd.DataFrame, label: str) -> list[np.ndarray]:
        """Return two pictures of a class, or fewer where the first ones are broken."""
        found: list[np.ndarray] = []
        for file in table["file"][table["label"] == label].head(10):
            if len(found) < 2:
                with suppress(ImageError, OSError):
                    found.append(fit(open_image(file), 128))
        return found


def look(data: str, images: int | None, seed: int) -> Look:
    """Return the look into these pictures, and begin it if there is none yet."""
    return background.job(Look, data, images, seed, state=changed(data))


def look_again() -> None:
    """Forget all looks, for folders whose content has changed."""
    background.forget(*background.jobs(Look))


def changed(data: str) -> int:
    """Return the time of a file or folder in nanoseconds, 0 where there is none."""
    try:
        return expanded(data).stat().st_mtime_ns
    except OSError:
        return 0


def offered() -> controls.Choice:
    """Return the choice of the source as it is offered here."""
    return controls.DATA.only(DRAWN, UPLOAD, KEPT) if visiting() else controls.DATA


def choose() -> str:
    """Draw the choice of the source; return `Source.data`, or "" while nothing is chosen."""
    source = st.radio("Data", horizontal=True, **offered().menu)
    if source == DRAWN:
        st.caption("Cats and dogs drawn by the computer: nothing to download.")
        return DRAWN
    if source == UPLOAD:
        most = limits.UPLOAD.at_most(st.get_option("server.maxUploadSize"))
        file = st.file_uploader("Zip with pictures of cats and dogs", "zip", key="data_upload", max_upload_size=most)
        return "" if file is None else _keep(file)
    if source == MICROSOFT:
        return dataset_download.choose()
    if source == KEPT:
        return _kept()
    path = st.text_input(
        "Path of a folder or zip",
        placeholder="/home/me/dogs-vs-cats.zip",
        help='Kaggle\'s zip, Microsoft\'s PetImages zip, or a folder with "cat" and "dog" subfolders or files '
        'named like "cat.0.jpg". It must be on the computer that runs CNN Lab.',
        **controls.DATA_PATH.kept | {"on_change": _typed},
    ).strip()
    return path if not path or path in _agreed() else _ask(path)


def agree(path: str) -> None:
    """Note that the person at this screen wants this path, and that it does not only come from a link."""
    st.session_state[_AGREED] = _agreed() | {path.strip()}


def _agreed() -> set[str]:
    return st.session_state.get(_AGREED, set())


def _typed() -> None:
    in_vain.forget()
    agree(st.session_state[controls.DATA_PATH.name])


def _ask(path: str) -> str:
    """Ask before anything is read that only a link names; return no path until then."""
    with st.container(border=True, key="data_path_asked"):
        st.markdown("The link that opened this page asks CNN Lab to read pictures from your computer, at this place:")
        st.code(path, language=None, wrap_lines=True)
        st.markdown("Nothing has been read yet. Read them only if you trust the person who gave you the link.")
        st.button("Read these pictures", icon=":material/folder_open:", on_click=agree, args=(path,))
    return ""


def _kept() -> str:
    """Choose one of the datasets that lie in the folder for them."""
    names = kept.names()
    if visiting():
        st.caption("Photos that the owner of this server provides for everyone, and photos that you have uploaded.")
    else:
        st.caption(f"Zips and folders of photos in {plain(kept.folder())}, on the computer that runs CNN Lab.")
    if not names:
        upload = "There is no dataset yet. Choose “Upload a zip” to use your own photos."
        put = "There is no dataset yet. Put a zip or a folder of photos there, then come back."
        st.info(upload if visiting() else put)
        return ""
    address.read(controls.DATASET.name, names, names[0])
    name = st.selectbox("Dataset", names, **address.menu(controls.DATASET.name))
    address.write(controls.DATASET.name, name, names[0])
    return str(kept.path(name))


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


def link_to(data: str) -> dict[str, str]:
    """Return what the address says to choose these pictures on another page."""
    name = Path(data).name
    if data == str(kept.path(name)):
        return {controls.DATA.name: controls.DATA.label(KEPT), controls.DATASET.name: name}
    return {controls.DATA.name: controls.DATA.label(PATH), controls.DATA_PATH.name: data}
