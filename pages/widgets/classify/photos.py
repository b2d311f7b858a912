"""The photos that someone dropped. They stay for the whole session, also while another page is shown."""

from typing import NamedTuple

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.host import limits, turns
from cnn_core.pixels import open_image
from pages.widgets import picture


class Photo(NamedTuple):
    """An uploaded file. Whether it holds a picture is not known before it is opened."""

    id: str
    name: str
    data: bytes

    def open(self) -> np.ndarray:
        """Return the pixels, uint8 (H, W, 3)."""
        with turns.costly(counted=False):
            return open_image(self.data)


# Keys of the session's state: all photos by their id; those in the drop zone; the one that was shown last.
_KEPT, _IN_ZONE, _SHOWN = "photos_kept", "photos_in_zone", "photos_shown"
_CHANGED = "photos_changed"


def drop_zone() -> None:
    """Draw the drop zone. It is empty again as soon as another picture is looked at."""
    changed()  # what has changed until now, this run of the whole page shows
    with st.container(key="drop_zone"):
        key = picture.uploader_key("photos")
        uploads = st.file_uploader(
            "Drop a photo of your cat or dog", picture.FORMATS, accept_multiple_files=True, key=key,
            on_change=_take, args=(key,), max_upload_size=limits.UPLOAD.at_most(picture.MEGABYTES),
            help="One photo or many. They stay until you remove them or close the page.",
        )  # fmt: skip
        st.caption(
            "Your photos stay in the memory of the computer that runs CNN Lab: they are not written to its disk. Only "
            "a zip that you upload for a training is kept."
        )
    if picture.missed(uploads):
        _take(key)
        st.rerun()
    st.session_state[_IN_ZONE] = {upload.file_id for upload in uploads}


def kept() -> list[Photo]:
    """Return all photos, in the order in which they were dropped."""
    return list(st.session_state.get(_KEPT, {}).values())


def shown() -> str | None:
    """Return the id of the photo that is the picture of all pages; None when that is another picture."""
    photo_id, image = st.session_state.get(_SHOWN, (None, None))
    return photo_id if picture.current()[0] is image and photo_id in st.session_state.get(_KEPT, {}) else None


def pixels(photo: Photo) -> np.ndarray:
    """Return the pixels of a photo; the one that is the picture of all pages is open already."""
    return picture.current()[0] if photo.id == shown() else photo.open()


def show(photo: Photo) -> None:
    """Make `photo` the picture of all pages. Call it in a widget's callback, so that the sidebar shows it too."""
    image = photo.open()
    picture.use(image, photo.name)
    st.session_state[_SHOWN] = (photo.id, image)
    st.session_state[_CHANGED] = True


def remove(photos: list[Photo]) -> None:
    """Forget these photos. If one of them is shown, show the first that is left, or a sample."""
    was_shown = shown() in {photo.id for photo in photos}
    for photo in photos:
        st.session_state[_KEPT].pop(photo.id, None)
    st.session_state[_CHANGED] = True
    if was_shown:
        st.session_state.pop(_SHOWN)
        picture.use_sample()
        _show_first(kept())


def changed() -> bool:
    """Tell, once, whether a callback has changed the picture, so that the whole page must be drawn again."""
    return bool(st.session_state.pop(_CHANGED, False))


def _take(key: str) -> None:
    """Keep what was dropped, forget what was taken out of the drop zone, and show the first new photo."""
    before = st.session_state.get(_IN_ZONE, set())
    now = {upload.file_id: upload for upload in st.session_state[key]}
    new = [
        Photo(upload.file_id, upload.name, upload.getvalue()) for upload in now.values() if upload.file_id not in before
    ]
    photos = {photo.id: photo for photo in kept() if photo.id not in before - now.keys()}
    st.session_state[_KEPT] = photos | {photo.id: photo for photo in new}
    _show_first(new)
    picture.taken(list(now.values()))


def _show_first(photos: list[Photo]) -> None:
    for photo in photos:
        try:
            show(photo)
            return
        except CnnLabError:
            continue  # the page lists it with its error
