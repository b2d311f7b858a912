"""What models have said about photos: asked once, remembered for whoever looks again.

`stamp` is when the model's file was last written: a new file of the same name is another model.
"""

import numpy as np
import streamlit as st

from cnn_core.models import Prediction, open_model


@st.cache_data(max_entries=64, show_spinner=False)
def predict(name: str, stamp: int, image: np.ndarray) -> Prediction:
    """Return the verdict."""
    return open_model(name).classify(image)


@st.cache_data(max_entries=32, show_spinner=False)
def heat(name: str, stamp: int, image: np.ndarray, label: str) -> np.ndarray:
    """Return the heat map for `label`, float32 (H, W)."""
    from cnn_core.explain import heat_map

    return heat_map(open_model(name), image, label)


@st.cache_data(max_entries=16, show_spinner=False)
def walk(name: str, stamp: int, image: np.ndarray) -> list:
    """Return every layer's name, shape and time."""
    from cnn_core.walk import walk

    return walk(open_model(name), image)


@st.cache_data(max_entries=16, show_spinner=False)
def strongest(name: str, stamp: int, image: np.ndarray, layer: str, count: int = 12):
    """Return the layer's most active maps and their kernels."""
    from cnn_core.walk import strongest

    return strongest(open_model(name), image, layer, count)
