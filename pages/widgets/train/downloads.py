"""What can be taken away of a run: its model, its history, its report; the curves by the camera of their charts."""

import streamlit as st

from cnn_core import runs
from cnn_core.figures import report
from cnn_core.storage.files import at_this_home, home, safe_name, visiting
from pages.widgets.train import curves


def show(run: runs.Run) -> None:
    """Draw a button for each file that the run has; the report is written when it is asked for."""
    history, files = run.history(), []
    if run.model_path.exists():
        files.append(("Model", "keras", "application/octet-stream", run.model_path.read_bytes))
    if len(history):
        files.append(("History as CSV", "csv", "text/csv", lambda: history.to_csv(index=False).encode()))
        files.append(("Report as HTML", "html", "text/html", lambda: report.html(run).encode()))
    if not files:
        return
    st.markdown("**Download**")
    with st.container(horizontal=True):
        for label, ending, kind, content in files:
            st.download_button(
                label, at_this_home(content), f"cnn-lab-{safe_name(run.id)}.{ending}", kind, on_click="ignore",
                icon=":material/download:", key=f"download_{ending}",
            )  # fmt: skip
    if len(history):
        tensorboard = "" if visiting() else f" For TensorBoard: `tensorboard --logdir {home() / 'runs'}`."
        st.caption(
            f"{curves.HOW_TO_SAVE} The report is one file of 5 MB: settings, curves, scores and kernels. It opens "
            f"without network access.{tensorboard}"
        )
