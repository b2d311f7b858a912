"""A case: which model was asked about which photo, what it answered, and the questions that explain the answer.

Answers are cached. `stamp` stands for the model's file and when it was last written: a new file of the same name is
another model, and so is another visitor's. `photo` stands for the picture's content: Streamlit would read all of it
for each question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from cnn_core.host import limits, turns
from cnn_core.models import ModelCard, Prediction, answers_at_once, find, open_model
from pages.widgets import picture, warmup

if TYPE_CHECKING:
    from cnn_core.explain import Softmax
    from cnn_core.thread import Knot
    from cnn_core.walk import Stop, Strongest


class Case(NamedTuple):
    """A model, a photo and the model's answer."""

    card: ModelCard
    stamp: int
    image: np.ndarray
    """uint8 (H, W, 3)."""
    shown: np.ndarray
    """The photo at the size of the screen."""
    photo: str
    """A name for the content of `image`."""
    name: str
    """The photo's name."""
    prediction: Prediction

    @classmethod
    def ask(cls, card: ModelCard, image: np.ndarray, name: str) -> Case:
        """Return the model's answer about a photo.

        Raises
        ------
        CnnLabError
            The model cannot be opened, or was deleted meanwhile.
        """
        path = find(card.name).path  # looked up again: another tab may have deleted it
        if not answers_at_once(path):
            warmup.wait(f"Loading TensorFlow to open {card.title}")
        stamp = hash((str(path), path.stat().st_mtime_ns))
        photo = picture.once("photo", image, picture.name_of)
        return cls(card, stamp, image, picture.for_screen(image), photo, name, _predict(card.name, stamp, image, photo))

    @property
    def likelier(self) -> str:
        """The class with the higher probability, also when the verdict is neither."""
        return max(self.prediction.probabilities, key=self.prediction.probabilities.__getitem__)

    def heat(self, label: str) -> np.ndarray:
        """Return the heat map for `label` as the network gives it, float32 (H', W'), 0 to 1."""
        return _heat(self.card.name, self.stamp, self.image, self.photo, label)

    def scores(self) -> Softmax:
        """Return the two scores before the softmax, and how they become the probabilities."""
        return _scores(self.card.name, self.stamp, self.image, self.photo)

    def walk(self) -> list[Stop]:
        """Return every layer's name, output shape and time."""
        return _walk(self.card.name, self.stamp, self.image, self.photo)

    def strongest(self, layer: str, count: int = 12) -> Strongest:
        """Return the `count` most active maps of a layer and their kernels."""
        return _strongest(self.card.name, self.stamp, self.image, self.photo, layer, count)

    def follow(
        self, layer: str, at: tuple[int, ...], which: int | None = None, cell: tuple[int, int] | None = None
    ) -> Knot:
        """Return how one number of a layer is made, and where one number of its window came from."""
        return _follow(self.card.name, self.stamp, self.image, self.photo, layer, at, which, cell)


@st.cache_data(max_entries=64, show_spinner=False)
def _predict(name: str, stamp: int, _image: np.ndarray, photo: str) -> Prediction:
    limits.spend()
    turns.give_way()
    return open_model(name).classify(_image)


@st.cache_data(max_entries=64, show_spinner=False)
def _heat(name: str, stamp: int, _image: np.ndarray, photo: str, label: str) -> np.ndarray:
    from cnn_core.explain import evidence

    with turns.costly():
        return evidence(open_model(name), _image, label)


@st.cache_data(max_entries=64, show_spinner=False)
def _scores(name: str, stamp: int, _image: np.ndarray, photo: str) -> Softmax:
    from cnn_core.explain import scores

    with turns.costly():
        return scores(open_model(name), _image)


@st.cache_data(max_entries=16, show_spinner=False)
def _walk(name: str, stamp: int, _image: np.ndarray, photo: str) -> list[Stop]:
    from cnn_core.walk import walk

    with turns.costly():
        return walk(open_model(name), _image)


@st.cache_data(max_entries=16, show_spinner=False)
def _strongest(name: str, stamp: int, _image: np.ndarray, photo: str, layer: str, count: int) -> Strongest:
    from cnn_core.walk import strongest

    with turns.costly():
        return strongest(open_model(name), _image, layer, count)


@st.cache_data(max_entries=64, show_spinner=False)
def _follow(
    name: str,
    stamp: int,
    _image: np.ndarray,
    photo: str,
    layer: str,
    at: tuple[int, ...],
    which: int | None,
    cell: tuple[int, int] | None,
) -> Knot:
    from cnn_core.thread import Place, follow

    with turns.costly():
        return follow(open_model(name), _image, Place(layer, at), which, cell)
