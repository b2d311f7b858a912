"""Kernels of trained networks for the bench, and what the network says when one of them is edited."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.host import limits
from cnn_core.layers.first_kernels import learned_kernels
from cnn_core.models import list_models, named, open_model
from cnn_core.wording import percent, plain
from pages.widgets import verdict, warmup
from pages.widgets.convolution import bench
from pages.widgets.data_source import changed


def models() -> list[dict[str, str]]:
    """List the networks: the bundled ones and those of one's own runs, the article's first."""
    cards = sorted(list_models(), key=lambda card: card.name != "article")
    return [{"name": card.name, "title": card.title} for card in cards]


def kernels(name: str) -> dict[str, Any]:
    """Return the first kernels of a network as the lab's shelf shows them, or the reason why it cannot."""
    try:
        path = named(name).path
        values = _read(path, changed(str(path)))
    except CnnLabError as error:
        return {"model": name, "error": str(error)}
    if values.shape[0] != values.shape[1] or values.shape[0] not in bench.SIDES:
        size = f"{values.shape[0]}×{values.shape[1]}"
        return {"model": name, "error": f"The kernels of this network have {size} numbers. Choose another network."}
    return {"model": name, "kernels": values.ravel().tolist(), "shape": values.shape}


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> np.ndarray:
    """Read the kernels of a file once, however often the page runs; `changed` is the file's time."""
    return learned_kernels(path)


def answer(image: np.ndarray, name: str) -> None:
    """Ask the network that the bench's kernel comes from about the picture, as learned and with the kernel edited."""
    settings = bench.current()
    if not settings["origin"] or settings["channel"] != "all":
        return
    model, _, number = settings["origin"].rpartition(":")
    st.subheader("What the network says with this kernel")
    try:
        known = named(model).name
        from cnn_core.what_if import first_kernels, with_kernel

        warmup.wait("Loading TensorFlow to edit the network")
        limits.spend()
        with st.spinner("Asking the network…", show_time=True):
            network, at = open_model(known), int(number)
            learned = first_kernels(network)[1][..., at]
            _, kernel, _ = bench.arguments(image)
            before, after = with_kernel(network, image, at), with_kernel(network, image, at, kernel)
    except (CnnLabError, ValueError, IndexError) as error:
        unknown = f"There is no kernel “{settings['origin'][:60]}”."
        st.error(plain(error if isinstance(error, CnnLabError) else unknown))
        return
    likelier = max(after.probabilities, key=after.probabilities.__getitem__)
    said = f"{plain(name)}: **{likelier}**, {percent(after.probabilities[likelier])}."
    if np.array_equal(kernel.astype(np.float32), learned):
        title = plain(named(model).title)
        st.markdown(f"{said} Kernel {at + 1} of {title} is on the bench as it was learned. Edit it.")
    else:
        was = percent(before.probabilities[likelier])
        st.markdown(f"{said} With kernel {at + 1} as it was learned: {was}. The saved model stays as it is.")
    verdict.bars(after.probabilities, before.probabilities)
    st.caption("Pale bar: with the learned kernel. Full color: with the kernel on the bench.")
