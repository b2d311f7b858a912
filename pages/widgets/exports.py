"""The model to take along: its file in three formats, and its card."""

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.model_io import cards, export
from cnn_core.models import ModelCard

FORMATS = {"keras": "Keras", "tflite": "LiteRT (TensorFlow Lite)", "onnx": "ONNX"}
RUNS_ON = {
    "keras": "For Python with Keras: `keras.saving.load_model`.",
    "tflite": "For phones, browsers and small computers: `ai_edge_litert.interpreter.Interpreter`.",
    "onnx": "For almost any language and machine: `onnxruntime.InferenceSession`.",
}


def model_card(card: ModelCard) -> None:
    """Draw all that is known about a model, folded."""
    with st.expander("Model card", icon=":material/badge:"), st.container(key="model_card"):
        st.markdown(cards.markdown(card))


@st.fragment
def show(card: ModelCard) -> None:
    """Draw the download of a model in the format that one chooses."""
    chosen, button = st.columns([2, 1], gap="medium", vertical_alignment="bottom")
    kind = chosen.segmented_control(
        "Take the model along as", list(FORMATS), default="keras", required=True, format_func=FORMATS.__getitem__,
        key="export_format",
        help="Each file gives the probabilities that this page shows: scaling from 0–255 is part of the network.",
    )  # fmt: skip
    try:
        with button, st.spinner(f"Writing {FORMATS[kind]}… the first time takes some seconds", show_time=True):
            file = export.exported(card.name, kind)
    except CnnLabError as error:
        st.error(str(error))
        return
    button.download_button(
        f"Download {card.name}.{kind}", file.read_bytes, f"{card.name}.{kind}", icon=":material/download:",
        on_click="ignore", width="stretch",
    )  # fmt: skip
    st.caption(f"{RUNS_ON[kind]} Give it the photo at {card.input_size} × {card.input_size} pixels, values 0 to 255.")
