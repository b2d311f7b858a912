"""What can be taken away of a run: model, history, report, Keras script; the curves by the camera of their charts."""

from collections.abc import Callable

import streamlit as st

from cnn_core import CnnLabError, runs
from cnn_core.figures import report
from cnn_core.scripts import training_script
from cnn_core.storage.files import at_this_home, home, safe_name, visiting
from pages.widgets.train import curves


def files(run: runs.Run) -> list[tuple[str, str, str, Callable[[], bytes]]]:
    """List what the run has: its name, the ending of its file, its type, and what writes it when it is asked for."""
    history, found = run.history(), []
    if run.model_path.exists():
        found.append(("Model", "keras", "application/octet-stream", run.model_path.read_bytes))
    if run.last_path.exists():
        found.append(("Last epoch's model", "last.keras", "application/octet-stream", run.last_path.read_bytes))
    if len(history):
        found.append(("History as CSV", "csv", "text/csv", lambda: history.to_csv(index=False).encode()))
        found.append(("Report as HTML", "html", "text/html", lambda: report.html(run).encode()))
        try:
            config = run.config
        except CnnLabError:
            return found
        if config.recipe == "article":
            found.append(("Keras script", "py", "text/x-python", lambda: training_script.training(config).encode()))
    return found


def show(run: runs.Run) -> None:
    """Draw a button for each of the run's `files`."""
    if not (found := files(run)):
        return
    st.markdown("**Download**")
    with st.container(horizontal=True):
        for label, ending, kind, content in found:
            st.download_button(
                label, at_this_home(content), f"cnn-lab-{safe_name(run.id)}.{ending}", kind, on_click="ignore",
                icon=":material/download:", key=f"download_{ending}",
            )  # fmt: skip
    if len(run.history()):
        tensorboard = "" if visiting() else f" For TensorBoard: `tensorboard --logdir {home() / 'runs'}`."
        script = " The Keras script repeats this run." if any(ending == "py" for _, ending, *_ in found) else ""
        best = " “Model” is the best epoch's." if run.last_path.exists() else ""
        st.caption(
            f"{curves.HOW_TO_SAVE}{best} The report is one file of 5 MB: settings, curves, scores and kernels. "
            f"It opens without network access.{script}{tensorboard}"
        )
