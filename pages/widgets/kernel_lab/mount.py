"""Register the lab with Streamlit, and mount it."""

import base64
import hashlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from cnn_core.convolution import MAX_WEIGHT
from cnn_core.figures.colors import BLACKENED, RED_BLUE, WHITENED
from cnn_core.kernels import KERNELS

FOLDER = Path(__file__).parent
SHARED = ("sliding", "colors", "elements", "sync", "picture_view")
"""The files that every lab uses; its own follow."""

PATIENCE = 10.0
"""Seconds within which a browser that runs the lab has told so."""


def constants() -> str:
    """Return what the browser must know of Python's, as JavaScript."""
    kernels = {
        name: {"title": kernel.title, "finds": kernel.finds, "values": kernel.values.ravel().tolist()}
        for name, kernel in KERNELS.items()
    }
    known = {
        "MAX_WEIGHT": int(MAX_WEIGHT), "RED_BLUE": RED_BLUE, "BLACKENED": BLACKENED, "WHITENED": WHITENED,
        "KERNELS": kernels,
    }  # fmt: skip
    return "\n".join(f"const {name} = {json.dumps(value)};" for name, value in known.items())


def script(*names: str) -> str:
    """Return one script made of the constants and these files."""
    return "\n".join([constants(), *((FOLDER / f"{name}.js").read_text("utf-8") for name in names)])


def style(name: str) -> str:
    """Return the style of the lab of that name: the one of all labs, then its own, where it has one."""
    own = FOLDER / f"{name}.css"
    return (FOLDER / "lab.css").read_text("utf-8") + (own.read_text("utf-8") if own.exists() else "")


def _register(name: str, *scripts: str) -> Any:
    return st.components.v2.component(
        f"cnn_lab_{name}",
        html=(FOLDER / f"{name}.html").read_text("utf-8"),
        css=style(name),
        js=script(*SHARED, *scripts, name),
        isolate_styles=False,  # so that the pages' keys, the tests and screen readers see one document
    )


_CONVOLUTION = _register("convolution_lab", "kernel_table", "arithmetic", "player", "camera")
_PIXELS = _register("pixel_lab")
_THRESHOLD = _register("threshold_lab")


def convolution(
    image: np.ndarray, title: str, settings: dict[str, Any] | None, take: Callable[[dict[str, Any]], None]
) -> None:
    """Mount the convolution lab.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    title : str
        The picture's name.
    settings : dict or None
        What `bench.for_lab` gives; without it the lab stays as it is.
    take : callable
        Called with the lab's own settings after each change, before the page runs again.
    """
    _mount(_CONVOLUTION, "convolution_lab", image, title, settings, take)


def pixels(image: np.ndarray, title: str, settings: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
    """Mount the pixel lab: parameters as for `convolution`, the settings as `pixels.bench.for_lab` gives them."""
    _mount(_PIXELS, "pixel_lab", image, title, settings, take)


def threshold(gray: np.ndarray, title: str, settings: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
    """Mount the threshold lab with a picture of shape (H, W): parameters as for `convolution`."""
    _mount(_THRESHOLD, "threshold_lab", gray, title, settings, take)


def ready(name: str) -> bool:
    """Tell whether the lab of that name has answered from this visitor's browser."""
    return bool(_state(name).get("has"))


def refused(name: str) -> bool:
    """Tell whether ordinary controls must stand in for the lab of that name.

    So it is at once for a visitor without a browser (a test), else when the browser has not run the lab in some
    seconds. Until then a placeholder is drawn here.
    """
    if ready(name):
        return False
    began = st.session_state.setdefault(f"{name}_began", time.monotonic())
    if not st.context.headers or time.monotonic() - began > PATIENCE:
        return True
    _wait(name, began + PATIENCE)
    return False


@st.fragment(run_every=1)
def _wait(name: str, until: float) -> None:
    """Show that something is coming, and look again every second."""
    if ready(name) or time.monotonic() > until:
        st.rerun()
    st.skeleton(400)


def _state(name: str) -> dict[str, Any]:
    return st.session_state.get(name) or {}


def _mount(
    component: Any, name: str, image: np.ndarray, title: str, settings: Any, take: Callable[[Any], None]
) -> None:
    """Mount a lab. A picture is sent once: the lab says in its state ``has`` which one it holds."""
    identity, png = _encoded(name, image)
    has = _state(name).get("has")

    def bench_changed() -> None:
        if sent := _state(name).get("bench"):
            take(sent)

    component(
        key=name,
        data={
            "picture": {"id": identity, "title": title, "png": None if has == identity else png},
            "has": has,
            "ready": ready(name),
            "settings": settings,
        },
        on_bench_change=bench_changed,
        on_has_change=lambda: None,
    )


def _encoded(name: str, image: np.ndarray) -> tuple[str, str]:
    """Return a name for the picture's content, and the picture as a PNG in base64, encoded once for each lab."""
    key = f"{name}_png"
    seen, identity, png = st.session_state.get(key, (None, "", ""))
    if seen is not image:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG", compress_level=1)
        identity = hashlib.sha256(file.getvalue()).hexdigest()[:16]
        png = base64.b64encode(file.getvalue()).decode()
        st.session_state[key] = (image, identity, png)
    return identity, png
