"""Kernels of trained networks for the bench, and what the network says when one of them is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.host import limits
from cnn_core.models import ModelCard, list_models, named, open_model
from cnn_core.wording import percent, plain
from pages.widgets import learned, verdict, warmup
from pages.widgets.convolution import bench
from pages.widgets.data_source import changed

if TYPE_CHECKING:
    from cnn_core.what_if import Answer

_ANSWER = "kernel_answer"


def models() -> list[dict[str, str]]:
    """List the networks: the bundled ones and those of one's own runs, the article's first."""
    cards = sorted(list_models(), key=lambda card: card.name != "article")
    return [{"name": card.name, "title": card.title} for card in cards]


def kernels(name: str) -> dict[str, Any]:
    """Return the first kernels of a network as the lab's shelf shows them, or the reason why it cannot."""
    try:
        values = learned.kernels(named(name).path)
    except CnnLabError as error:
        return {"model": name, "error": str(error)}
    if values.shape[0] != values.shape[1] or values.shape[0] not in bench.SIDES:
        size = f"{values.shape[0]}×{values.shape[1]}"
        return {"model": name, "error": f"The kernels of this network have {size} numbers. Choose another network."}
    return {"model": name, "kernels": values.ravel().tolist(), "shape": values.shape}


def answer(image: np.ndarray, name: str) -> None:
    """Ask the network that the bench's kernel comes from about the picture, as learned and with the kernel edited."""
    settings = bench.current()
    if not settings["origin"] or settings["channel"] != "all":
        return
    model, _, number = settings["origin"].rpartition(":")
    st.subheader("The network's answer with this kernel")
    try:
        at = int(number)
        _, kernel, _ = bench.arguments(image)
        learned_one, before, after = _ask(named(model), image, at, kernel)
    except (CnnLabError, ValueError, IndexError) as error:
        unknown = f"There is no kernel “{settings['origin'][:60]}”."
        st.error(plain(error if isinstance(error, CnnLabError) else unknown))
        return
    likelier = max(after.probabilities, key=after.probabilities.__getitem__)
    said = f"{plain(name)}: **{likelier}**, {percent(after.probabilities[likelier])}."
    if np.array_equal(kernel.astype(np.float32), learned_one):
        title = plain(named(model).title)
        st.markdown(f"{said} This is kernel {at + 1} of {title}, as the network learned it. Edit it.")
    else:
        was = percent(before.probabilities[likelier])
        st.markdown(f"{said} With kernel {at + 1} as learned: {was}. The saved model is not changed.")
    verdict.bars(after.probabilities, before.probabilities)
    st.caption("Pale bar: with the learned kernel. Full color: with the edited kernel.")


def _ask(card: ModelCard, image: np.ndarray, at: int, kernel: np.ndarray) -> tuple[np.ndarray, Answer, Answer]:
    """Return kernel number `at` as learned, and what the network says with it and with the one on the bench.

    The answer is kept: the page runs for each place that is looked at, and only another kernel is a new question.
    """
    from cnn_core.what_if import first_kernels, with_kernel

    asked = (card.name, changed(str(card.path)), at, kernel.tobytes())
    kept = st.session_state.get(_ANSWER)
    if kept is None or kept[0] is not image or kept[1] != asked:
        warmup.wait("Loading TensorFlow to edit the network")
        limits.spend()
        with st.spinner("Asking the network…", show_time=True):
            network = open_model(card.name)
            said = (
                first_kernels(network)[1][..., at],
                with_kernel(network, image, at),
                with_kernel(network, image, at, kernel),
            )
        st.session_state[_ANSWER] = kept = (image, asked, said)
    return kept[2]
