"""Download a model in three formats; its model card."""

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.model_io import cards, export
from cnn_core.models import ModelCard
from cnn_core.storage.files import safe_name
from cnn_core.wording import plain

FORMATS = {"keras": "Keras", "tflite": "LiteRT (TensorFlow Lite)", "onnx": "ONNX"}
RUNS_ON = {
    "keras": "For Python with Keras: `keras.saving.load_model`.",
    "tflite": "For phones, browsers and small computers: `ai_edge_litert.interpreter.Interpreter`.",
    "onnx": "For almost any language and machine: `onnxruntime.InferenceSession`.",
}


def model_card(card: ModelCard) -> None:
    """Draw the model card, folded."""
    with st.expander("Model card", icon=":material/badge:"), st.container(key="model_card"):
        st.markdown(cards.markdown(card))


@st.fragment
def show(card: ModelCard) -> None:
    """Ask for a format, and draw the download button."""
    chosen, button = st.columns([2, 1], gap="medium", vertical_alignment="bottom")
    kind = chosen.segmented_control(
        "Download the model as", list(FORMATS), default="keras", required=True, format_func=FORMATS.__getitem__,
        key="export_format",
        help="Each file gives the same probabilities as this page. Scaling from 0–255 is part of the network.",
    )  # fmt: skip
    try:
        with button, st.spinner(f"Writing {FORMATS[kind]}… the first time takes a few seconds", show_time=True):
            file = export.exported(card.name, kind)
    except CnnLabError as error:
        st.error(plain(error))
        return
    button.download_button(
        f"Download {plain(card.name)}.{kind}", file.read_bytes, f"{safe_name(card.name)}.{kind}",
        icon=":material/download:", on_click="ignore", width="stretch",
    )  # fmt: skip
    st.caption(f"{RUNS_ON[kind]} Input: {card.input_size} × {card.input_size} pixels, values 0 to 255.")
