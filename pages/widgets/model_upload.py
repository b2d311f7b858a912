"""Load a ``.keras`` file into the lab."""

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.models import save_upload
from pages.widgets import warmup

MEGABYTES = 512


def ask() -> str | None:
    """Draw the uploader. Return the name that a new file got, once; what is wrong with it is said here."""
    with st.expander("Use your own Keras model", icon=":material/upload_file:"):
        file = st.file_uploader("Upload a .keras model", ["keras"], key="model_upload", max_upload_size=MEGABYTES)
        st.caption(
            "A model saved with `model.save('name.keras')`: square colour pictures in, Dense(2, softmax) out, cat "
            "first. It may hold plain Keras layers only; files that carry code are refused."
        )
    if file is None or st.session_state.get("model_upload_seen") == file.file_id:
        return None
    warmup.wait("Waking up TensorFlow, to look into the model")
    try:
        with st.spinner("Looking into the model…"):
            name = save_upload(file.getvalue(), file.name).name
    except CnnLabError as error:
        st.error(f"{file.name}: {error}")
        return None
    st.session_state["model_upload_seen"] = file.file_id
    return name
