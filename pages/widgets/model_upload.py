"""Upload a ``.keras`` model."""

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.host import limits
from cnn_core.models import save_upload
from cnn_core.wording import plain
from pages.widgets import warmup

MEGABYTES = 512


def ask() -> str | None:
    """Draw the uploader and any error. Return the name of a new model, once."""
    with st.expander("Use your own Keras model", icon=":material/upload_file:"):
        file = st.file_uploader(
            "Upload a .keras model", ["keras"], key="model_upload", max_upload_size=limits.UPLOAD.at_most(MEGABYTES)
        )
        st.caption(
            "A model saved with `model.save('name.keras')`. Input: square color pictures. Output: Dense(2, softmax), "
            "cat first. Only standard Keras layers are accepted; files that contain code are refused."
        )
    if file is None or st.session_state.get("model_upload_seen") == file.file_id:
        return None
    try:
        warmup.wait("Loading TensorFlow to check the model")
        with st.spinner("Checking the model…"):
            name = save_upload(file.getvalue(), file.name).name
    except CnnLabError as error:
        st.error(plain(f"{file.name}: {error}"))
        return None
    st.session_state["model_upload_seen"] = file.file_id
    return name
