"""The one picture that all pages look at: a sample, an upload or a snapshot, chosen in the sidebar."""

import base64
import importlib.util
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from cnn_core import CnnLabError
from cnn_core.pixels import fit, open_image

MEGABYTES = 30
"""The largest picture file that is taken."""

FORMATS = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]

SAMPLES = {
    "chelsea": ("Chelsea the cat", "chelsea.png"),
    "coffee": ("A cup of coffee", "coffee.png"),
    "astronaut": ("Eileen Collins, astronaut", "astronaut.png"),
    "rocket": ("A rocket", "rocket.jpg"),
}
"""Name in the URL → title and file in scikit-image. All are CC0 or in the public domain, as `skimage.data` states."""

_SAMPLE, _OWN, _ERROR, _TURN = "picture", "picture_own", "picture_error", "picture_turn"


def choose() -> None:
    """Draw the picker. The front door calls this once, in the sidebar, before the page runs."""
    if st.session_state.pop(_TURN, False):
        st.session_state[_SAMPLE] = None
    st.html(_thumbnails())
    shown = st.container(key="picture_shown")
    st.pills(
        "Picture",
        list(SAMPLES),
        default="chelsea",
        key=_SAMPLE,
        required=True,
        bind="query-params",
        on_change=_forget_error,
        help="One picture for all pages. The link in the address bar keeps a sample.",
    )
    with st.expander("Use your own picture", icon=":material/add_photo_alternate:"):
        st.file_uploader(
            "Upload a picture", FORMATS, key="picture_upload", on_change=_take, args=("picture_upload",),
            max_upload_size=MEGABYTES,
        )  # fmt: skip
        if st.toggle("Use the camera", key="picture_camera_on"):
            st.camera_input("Take a picture", key="picture_camera", on_change=_take, args=("picture_camera",))
    if error := st.session_state.get(_ERROR):
        st.error(error)
    image, name = current()
    height, width = image.shape[:2]
    shown.image(fit(image, 480), width="stretch", alt=name, caption=f"{name} · {width} × {height}")


def current(longest: int | None = None) -> tuple[np.ndarray, str]:
    """Return the picture, ``uint8 (H, W, 3)`` and read-only, and its name.

    With `longest` it is shrunk so that no side has more pixels: lessons that draw every number want a small one.
    """
    own = st.session_state.get(_OWN)
    sample = None if st.session_state.get(_TURN) else st.session_state.get(_SAMPLE, "chelsea")
    image, name = own if own and sample not in SAMPLES else _sample(sample if sample in SAMPLES else "chelsea")
    return (image if longest is None else fit(image, longest)), name


def use(image: np.ndarray, name: str) -> None:
    """Make `image` the picture of all pages. Call it in an ``on_change``, so that the sidebar shows it too."""
    image.setflags(write=False)
    st.session_state[_OWN] = (image, name)
    st.session_state[_TURN] = True
    _forget_error()


def _take(key: str) -> None:
    upload = st.session_state[key]
    if upload is None:
        return
    try:
        use(open_image(upload.getvalue()), "Your snapshot" if key == "picture_camera" else upload.name)
    except CnnLabError as error:
        st.session_state[_ERROR] = f"{upload.name}: {error}"


def _forget_error() -> None:
    st.session_state.pop(_ERROR, None)


@lru_cache
def _sample(key: str) -> tuple[np.ndarray, str]:
    title, file = SAMPLES[key]
    image = open_image(_data_folder() / file)
    image.setflags(write=False)
    return image, title


@lru_cache
def _data_folder() -> Path:
    # scikit-image itself takes half a second to import, and only its picture files are wanted.
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise CnnLabError("scikit-image is not installed. Run: pip install -r requirements.txt")
    return Path(spec.origin).parent / "data"


@lru_cache
def _thumbnails() -> str:
    """Return the style that shows each sample on its button; the button's text stays for screen readers."""
    rules = [
        ".st-key-picture [role=radio] { width: 2.75rem; height: 2.75rem; padding: 0; background-size: cover;"
        " border: 1px solid #8886; border-radius: 0.5rem; }",
        ".st-key-picture [role=radio][aria-checked=true] { outline: 3px solid #D55E00; outline-offset: 1px; }",
        ".st-key-picture [role=radio] p { font-size: 0; }",
    ]
    for number, key in enumerate(SAMPLES, 1):
        data = base64.b64encode(thumbnail(key)).decode()
        rules.append(
            f".st-key-picture [role=radio]:nth-of-type({number}) {{ background-image: url(data:image/jpeg;base64,{data}) }}"  # noqa: E501
        )
    return f"<style>{' '.join(rules)}</style>"


@lru_cache
def thumbnail(key: str) -> bytes:
    """Return the middle of a sample as a small square JPEG."""
    image = _sample(key)[0]
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    file = io.BytesIO()
    Image.fromarray(fit(image[top : top + side, left : left + side], 88)).save(file, "JPEG", quality=80)
    return file.getvalue()
