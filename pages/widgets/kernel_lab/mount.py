"""Register the lab with Streamlit, and mount it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from cnn_core.convolution import MAX_WEIGHT
from cnn_core.figures.colors import BLACKENED, NEGATIVE, POSITIVE, RED_BLUE, WHITENED
from cnn_core.kernels import KERNELS
from pages.widgets import picture, screen_image

FOLDER = Path(__file__).parent
SHARED = ("sliding", "colors", "elements", "turn", "sync", "picture_view")
"""The scripts that every lab uses."""

LABS = {
    "convolution_lab": ("kernel_table", "bench_panel", "arithmetic", "player", "network", "camera"),
    "chain_lab": ("kernel_table", "arithmetic", "player", "chain"),
    "pixel_lab": (),
    "threshold_lab": (),
    "thread_lab": ("thread_parts",),
}
"""Each lab, and the further scripts that it uses; then follows the one of its own name."""

_REFUSED = "labs_refused"
"""Set for all labs: what one of them meets, the others meet too."""

_PATIENCE = """<style>
[class*=st-key-lab_patience] {animation: lab-patience 0s 8s both}
@keyframes lab-patience {from {visibility: hidden} to {visibility: visible}}
</style>"""
"""A browser that runs the lab has answered long before."""


def constants() -> str:
    """Return what the browser must know of Python's, as JavaScript."""
    kernels = {
        name: {"title": kernel.title, "finds": kernel.finds, "values": kernel.values.ravel().tolist()}
        for name, kernel in KERNELS.items()
    }
    known = {
        "MAX_WEIGHT": int(MAX_WEIGHT), "RED_BLUE": RED_BLUE, "BLACKENED": BLACKENED, "WHITENED": WHITENED,
        "NEGATIVE": NEGATIVE, "POSITIVE": POSITIVE, "KERNELS": kernels,
    }  # fmt: skip
    return "\n".join(f"const {name} = {json.dumps(value)};" for name, value in known.items())


def script(name: str) -> str:
    """Return the script of the lab of that name: the constants, the files of all labs, then its own."""
    files = (*SHARED, *LABS[name], name)
    return "\n".join([constants(), *((FOLDER / f"{file}.js").read_text("utf-8") for file in files)])


def style(name: str) -> str:
    """Return the style of the lab of that name: the one of all labs, then its own, where it has one."""
    own = FOLDER / f"{name}.css"
    return (FOLDER / "lab.css").read_text("utf-8") + (own.read_text("utf-8") if own.exists() else "")


_COMPONENTS = {
    name: st.components.v2.component(
        f"cnn_lab_{name}",
        html=(FOLDER / f"{name}.html").read_text("utf-8"),
        css=style(name),
        js=script(name),
        isolate_styles=False,  # so that the pages' keys, the tests and screen readers see one document
    )
    for name in LABS
}


def convolution(
    image: np.ndarray,
    title: str,
    settings: dict[str, Any] | None,
    take: Callable[[dict[str, Any]], None],
    models: list[dict[str, str]],
    kernels: Callable[[str], dict[str, Any]],
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
    models : list of dict
        Networks whose kernels can be taken: ``name`` and ``title``.
    kernels : callable
        Called with the name of the one that the visitor asks for; returns what the lab's shelf shows.
    """
    asked = _state("convolution_lab").get("network")
    network = kernels(asked) if asked and any(model["name"] == asked for model in models) else None
    _mount("convolution_lab", image, title, settings, take, {"models": models, "network": network})


def chain(image: np.ndarray, title: str, settings: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
    """Mount the lab of the chain; arguments as for `convolution`, the settings as `stages.for_lab` gives them."""
    _mount("chain_lab", image, title, settings, take)


def pixels(image: np.ndarray, title: str, settings: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
    """Mount the pixel lab: parameters as for `convolution`, the settings as `pixels.bench.for_lab` gives them."""
    _mount("pixel_lab", image, title, settings, take)


def threshold(gray: np.ndarray, title: str, settings: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
    """Mount the threshold lab with a picture of shape (H, W): parameters as for `convolution`."""
    _mount("threshold_lab", gray, title, settings, take)


def thread(photo: np.ndarray, title: str, drawing: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
    """Mount the lab that follows one number back.

    `photo` is what the network receives, `drawing` what `why.thread_drawing` gives and the ``turn`` that it answers;
    `take` gets the ``path`` that the visitor has chosen and its ``turn``.
    """
    _mount("thread_lab", photo, title, None, take, {"thread": drawing})


def ready(name: str) -> bool:
    """Tell whether the lab of that name has answered from this visitor's browser."""
    return bool(_state(name).get("has"))


def refused(name: str) -> bool:
    """Tell whether ordinary controls must stand in for the lab of that name.

    So it is for a visitor without a browser (a test), and for one whose browser does not run the lab and who asks for
    them: until the lab has answered, a placeholder is drawn here, later with a button below it.
    """
    if ready(name):
        return False
    if not st.context.headers or st.session_state.get(_REFUSED):
        return True
    st.html(_PATIENCE)
    st.skeleton(400)
    with st.container(key=f"lab_patience_{name}"):
        st.info("The lab does not start in this browser.")
        if st.button("Use ordinary controls", key=f"{name}_ordinary"):
            st.session_state[_REFUSED] = True
            st.rerun()
    return False


def _state(name: str) -> dict[str, Any]:
    return st.session_state.get(name) or {}


def _mount(
    name: str,
    image: np.ndarray,
    title: str,
    settings: Any,
    take: Callable[[Any], None],
    more: dict[str, Any] | None = None,
) -> None:
    """Mount a lab. A picture is sent once: the lab says in its state ``has`` which one it holds."""
    identity = picture.once(name, image, picture.name_of)
    has = _state(name).get("has")

    def bench_changed() -> None:
        if sent := _state(name).get("bench"):
            take(sent)

    _COMPONENTS[name](
        key=name,
        data={
            "lab": name,
            "picture": {"id": identity, "title": title, "file": None if has == identity else screen_image.exact(image)},
            "has": has,
            "ready": ready(name),
            "settings": settings,
            **(more or {}),
        },
        on_bench_change=bench_changed,
        on_has_change=lambda: None,
        on_network_change=lambda: None,
    )
