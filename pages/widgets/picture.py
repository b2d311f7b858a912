"""The one picture that all pages show: a sample, an upload or a snapshot, chosen in the sidebar."""

import base64
import hashlib
import importlib.util
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnn_core import CnnLabError
from cnn_core.host import limits, turns
from cnn_core.pixels import ImageError, fit, open_image
from cnn_core.wording import plain
from pages.widgets import controls, in_vain
from pages.widgets.screen_image import jpeg

MEGABYTES = 30
"""The largest picture file that is accepted."""

FORMATS = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]


class Sample(NamedTuple):
    """A picture that comes with the app: a file of scikit-image, or a pet that `cnn_core.sketches` draws."""

    title: str
    file: str = ""
    sketch: str = ""


# Only photos that `skimage.data` calls CC0 or in the public domain.
SAMPLES = {
    "chelsea": Sample("Chelsea the cat", file="chelsea.png"),
    "cat": Sample("A drawn cat", sketch="cat"),
    "dog": Sample("A drawn dog", sketch="dog"),
    "coffee": Sample("A cup of coffee", file="coffee.png"),
    "astronaut": Sample("Eileen Collins, astronaut", file="astronaut.png"),
}

# Keys of the session's state.
_OWN, _ERROR, _SHOW_OWN = "picture_own", "picture_error", "picture_show_own"
_DRAWN, _TAKEN, _MADE = "picture_drawn", "uploads_taken", "made_of_picture"

SCREEN = 720
"""The longer side of a photo on screen, in pixels. A model gets the whole photo."""

T = TypeVar("T")


def get_ready() -> None:
    """Read the samples, so that the first visitor need not wait for them."""
    _style()


def choose() -> None:
    """Draw the picker. `streamlit_app` calls this once, in the sidebar, before the page runs."""
    if st.session_state.pop(_SHOW_OWN, False):
        st.session_state[controls.PICTURE.name] = None
    st.html(_style())
    shown = st.container(key="picture_shown", horizontal=True, vertical_alignment="center")
    controls.warn(controls.PICTURE)
    chosen = st.pills("Sample pictures", **controls.PICTURE.buttons | {"on_change": _choose_sample})
    st.session_state[_DRAWN] = chosen
    with st.expander("Use your own picture", icon=":material/add_photo_alternate:"):
        key = uploader_key("picture_upload")
        upload = st.file_uploader(
            "Upload a picture",
            FORMATS,
            key=key,
            on_change=_take,
            args=(key,),
            max_upload_size=limits.UPLOAD.at_most(MEGABYTES),
        )
        if upload is not None and missed([upload]):
            _take(key)
            st.rerun()
        # The browser asks for permission as soon as the camera is drawn.
        if st.toggle("Use the camera", key="picture_camera_on"):
            st.camera_input("Take a picture", key="picture_camera", on_change=_take, args=("picture_camera",))
    if error := st.session_state.get(_ERROR):
        st.error(plain(error))
    image, name = current()
    height, width = image.shape[:2]
    with shown.container(width=80):  # a width given to the image itself would shrink a very flat one to no height
        st.image(file_for_screen(image), width="stretch", alt=f"The picture of all pages: {name}")
    # As wide as the place beside it: long words would else go below it, and move all that follows.
    shown.markdown(f"**{plain(name)}**  \n:small[:gray[{height} rows × {width} columns]]", width=144)


def current(longest: int | None = None) -> tuple[np.ndarray, str]:
    """Return the picture, ``uint8 (H, W, 3)`` and read-only, and its name.

    With `longest` it is shrunk so that no side has more pixels: a lesson that draws every number wants a small one.
    """
    own = st.session_state.get(_OWN)
    name = None if st.session_state.get(_SHOW_OWN) else st.session_state.get(controls.PICTURE.name)
    image, title = own if own and name is None else sample(name or controls.PICTURE.default)
    return (_fitted(image, longest) if longest else image), title


def shrunk(image: np.ndarray) -> str:
    """Say that `image`, which a page shows, is smaller than the picture; nothing where it is not."""
    (height, width), (whole_height, whole_width) = image.shape[:2], current()[0].shape[:2]
    if (height, width) == (whole_height, whole_width):
        return ""
    return (
        f"The picture is larger: {whole_height} rows × {whole_width} columns. This page shrinks it to {height} × "
        f"{width}, so that it can answer every change at once."
    )


def use(image: np.ndarray, name: str) -> None:
    """Make `image` the picture of all pages. Call it in an ``on_change``, so that the sidebar shows it too."""
    image.setflags(write=False)
    st.session_state[_OWN] = (image, name)
    st.session_state[_SHOW_OWN] = True
    _forget_error()


def use_sample() -> None:
    """Forget the uploaded picture, and make the first sample the picture of all pages. Call it in a callback."""
    st.session_state.pop(_OWN, None)
    st.session_state[_SHOW_OWN] = False
    st.session_state[controls.PICTURE.name] = controls.PICTURE.default
    _forget_error()


def uploader_key(name: str) -> str:
    """Return the key of an uploader: a new one, of an empty uploader, when its files are no longer looked at."""
    count = st.session_state.get(f"{name}_count", 0)
    key = f"{name}_{count}" if count else name
    files = st.session_state.get(key) or []
    files = files if isinstance(files, list) else [files]
    if not files or missed(files) or current()[1] in [file.name for file in files]:
        return key
    st.session_state[f"{name}_count"] = count + 1
    return f"{name}_{count + 1}"


def missed(files: list[Any]) -> bool:
    """Tell whether any of these uploads was never told of to `taken`.

    Streamlit loses a callback, and what it had begun to change, if the state of the uploader comes first with the
    rerun of a fragment, which the rerun of the page that the upload asked for then ends.
    """
    return not {file.file_id for file in files} <= st.session_state.get(_TAKEN, set())


def taken(files: list[Any]) -> None:
    """Remember that these uploads need not be taken again. Call it last."""
    st.session_state[_TAKEN] = st.session_state.get(_TAKEN, set()) | {file.file_id for file in files}


@lru_cache
def sample(name: str) -> tuple[np.ndarray, str]:
    """Return the sample of that name, read-only, and its title."""
    title, file, sketch = SAMPLES[name]
    if sketch:
        from cnn_core.sketches import draw

        image = draw(sketch, np.random.default_rng(3), size=256)
    else:
        image = open_image(_photo_folder() / file)
    image.setflags(write=False)
    return image, title


@lru_cache
def thumbnail(name: str) -> bytes:
    """Return the middle of a sample as a small square JPEG."""
    image, _ = sample(name)
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return jpeg(fit(image[top : top + side, left : left + side], 88), quality=80)


def once(what: str, image: np.ndarray, make: Callable[[np.ndarray], T]) -> T:
    """Return what `make` makes of a picture. A page runs at every change: only another picture is worked on again.

    The last picture and what was made of it stay in the session, for each `what`.
    """
    key = f"{_MADE}_{what}"
    seen, made = st.session_state.get(key, (None, None))
    if seen is not image:
        made = make(image)
        st.session_state[key] = (image, made)
    return made


def for_screen(image: np.ndarray) -> np.ndarray:
    """Return the picture at the size of the screen."""
    return _fitted(image, SCREEN)


def _fitted(image: np.ndarray, longest: int) -> np.ndarray:
    return once(f"fit_{longest}", image, lambda image: fit(image, longest))


def file_for_screen(image: np.ndarray) -> bytes:
    """Return the picture at the size of the screen, as a JPEG: wherever it stands, the browser fetches it once."""
    return once("file_for_screen", image, lambda image: jpeg(for_screen(image)))


def name_of(image: np.ndarray) -> str:
    """Return a name for the picture's content."""
    return hashlib.sha256(f"{image.shape} {image.dtype}".encode() + image.tobytes()).hexdigest()


def _take(key: str) -> None:
    """Make what was uploaded or snapped the picture; when it is none, say why and keep the one before."""
    upload = st.session_state[key]
    if upload is None:
        return
    try:
        with turns.costly(counted=False):
            image = open_image(upload.getvalue())
        use(image, "Your snapshot" if key == "picture_camera" else upload.name)
    except CnnLabError as error:
        st.session_state[_ERROR] = f"{upload.name}: {error}"
    taken([upload])


def a_part_runs() -> bool:
    """Tell whether a control in a fragment has asked for this run. Then only that part of the page runs."""
    context = get_script_run_ctx()
    return bool(context and context.fragment_ids_this_run)


def _choose_sample() -> None:
    """Take a click on a sample, but not what an older state of the browser says.

    A part of the page that repeats itself sends the state of all controls. If the browser does not know yet that an
    upload has replaced the sample, that state names the sample, and the upload would be lost. A click runs the whole
    page.
    """
    if a_part_runs():
        st.session_state[controls.PICTURE.name] = st.session_state.get(_DRAWN)
    else:
        in_vain.forget()
        _forget_error()


def _forget_error() -> None:
    st.session_state.pop(_ERROR, None)


@lru_cache
def _photo_folder() -> Path:
    # Only scikit-image's picture files are wanted: to import it as well would delay the first page.
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise ImageError("The sample photos are missing. Run: python -m pip install -r requirements.txt")
    return Path(spec.origin).parent / "data"


@lru_cache
def _style() -> str:
    """Return the style that lays each sample over its button; the button's text stays for screen readers."""
    button = ".st-key-picture [role=radio]"
    rules = [
        f"{button} {{width: 2.75rem; height: 2.75rem; padding: 0; border: 1px solid #8886; border-radius: .5rem;"
        " background-size: cover}",
        f"{button}[aria-checked=true] {{outline: 3px solid #D55E00; outline-offset: 1px}}",
        f"{button} p {{font-size: 0}}",
        ".st-key-picture_shown p {overflow-wrap: anywhere}",
    ]
    for place, name in enumerate(SAMPLES, 1):
        data = base64.b64encode(thumbnail(name)).decode()
        rules.append(f"{button}:nth-of-type({place}) {{background-image: url(data:image/jpeg;base64,{data})}}")
    return f"<style>{' '.join(rules)}</style>"
