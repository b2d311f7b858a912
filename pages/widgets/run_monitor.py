"""The short training run in the sidebar, and the strips that show on every page which trainings run and wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from cnn_core import CnnLabError, runs, sketches
from cnn_core.dataset import DatasetError
from cnn_core.engine.config import TrainingConfig
from cnn_core.engine.journal import ACTIVE_STATES, Status
from cnn_core.host import limits
from cnn_core.setup import installed
from cnn_core.source import DRAWN
from cnn_core.storage.files import visiting
from cnn_core.wording import duration, percent, plain, time_left
from pages.widgets import controls

if TYPE_CHECKING:
    import pandas as pd

TRAIN_PAGE, CLASSIFY_PAGE = "pages/train.py", "pages/classify.py"

REFRESH = 1.0
"""Seconds between two looks into the folder of a running training."""

OWN = "own"
SOURCES = {DRAWN: "Drawn pets", OWN: "My pictures"}

_FOLLOWED, _ERROR, _BEGUN = "run_followed", "run_error", "run_begun"

Result = TypeVar("Result")


def sidebar() -> None:
    """Draw the short run's form, or while a training runs its progress. `streamlit_app` calls this in the sidebar."""
    with st.container(key="short_run"):
        active = active_runs()
        if active:
            st.session_state[_FOLLOWED] = active[0].id
            st.fragment(_strips, run_every=REFRESH)(active)
        elif installed.has_tensorflow():
            st.markdown("**Short training run**")
            _outcome()
            st.fragment(_form)()


def active_runs() -> list[runs.Run]:
    """List the trainings that are going on, whoever started them, then those that wait, in the order of their turn."""
    found = [(run.status(), run) for run in reversed(runs.list_runs())]
    active = [(status.place, run.id, run) for status, run in found if status.state in ACTIVE_STATES]
    return [run for *_, run in sorted(active, key=lambda item: item[:2])]


def must_wait() -> bool:
    """Tell whether the next run will wait in line; where nobody can know, `begin` says why."""
    try:
        return runs.must_wait()
    except CnnLabError:
        return False


def attempt(action: Callable[[], Result], place: str) -> Result | None:
    """Do what may fail for a reason that a user can fix; then keep the message for `show_error` and return None."""
    st.session_state.pop(_ERROR, None)
    try:
        return action()
    except CnnLabError as error:
        st.session_state[_ERROR] = (place, str(error))
        return None


def show_error(place: str) -> None:
    """Show what the last `attempt` at this place left."""
    at, sentence = st.session_state.get(_ERROR, ("", ""))
    if at == place:
        st.error(plain(sentence))


def begin(config: TrainingConfig, place: str) -> None:
    """Start a training run; if that fails, `show_error` at this place says why."""

    def start() -> runs.Run:
        if not config.data:
            raise DatasetError("Choose the pictures first: download them, upload a zip, or type the path of a folder.")
        if not config.source.exists:
            raise DatasetError(f"There is no folder or zip at “{config.data}”. Check the path and try again.")
        return runs.start(config)

    waits = must_wait()
    run = attempt(start, place)
    if run is not None:
        st.session_state[_FOLLOWED], st.session_state[_BEGUN] = run.id, place
        st.toast(
            "The training is waiting in line." if waits else "The training has started.",
            icon=":material/model_training:",
        )
    st.rerun()


def just_begun(*places: str) -> bool:
    """Tell whether a training has just been started or resumed at one of these places; only once."""
    return st.session_state.pop(_BEGUN, None) in places


def share_done(status: Status) -> float:
    """Return how much of a run is done, 0 to 1."""
    all_steps = status.epochs * status.steps
    done = (status.epoch - 1) * status.steps + status.step
    return min(max(done / all_steps, 0.0), 1.0) if all_steps else 0.0


def where(status: Status) -> str:
    """Say where a living run stands, in one line."""
    if status.state == "starting":
        return f"Starting. {plain(status.message)}"
    if status.state in ("waiting", "reading", "stopping", "paused"):
        return plain(status.message)
    if not status.step:
        return "TensorFlow is preparing the first step, which takes longer than the others."
    place = f"Epoch {status.epoch} of {status.epochs} · step {status.step:,} of {status.steps:,}"
    return place + time_left(status.seconds_left)


def ending(status: Status, history: pd.DataFrame, held_out: str = "test") -> str:
    """Say how a run ended, in one or two sentences."""
    epochs = f"{len(history)} epoch{'' if len(history) == 1 else 's'}"
    score = ""
    if len(history):
        last = percent(history["val_accuracy"].iloc[-1])
        score = f" {held_out.capitalize()} accuracy: {last}.{verdict(history, held_out)}"
    if status.state == "finished":
        return f"Finished: {epochs} in {duration(status.seconds)}.{score}"
    done = f" {epochs} done." if len(history) else ""
    return f"{plain(status.message)}{done}{score}"


def verdict(history: pd.DataFrame, held_out: str) -> str:
    """Say so, with a space before it, when a run has overfitted or learned nothing; else nothing."""
    from cnn_core.curves import has_not_learned, overfitting  # only now: most pages show no run

    if has_not_learned(history):
        return " It has **not learned**: it only guesses. Train again with a lower learning rate."
    found = overfitting(history)
    if found is None:
        return ""
    return (
        f" It has **overfitted**: it classifies {percent(found.training_accuracy)} of the training pictures correctly, "
        f"but only {percent(found.test_accuracy)} of the {held_out} pictures."
    )


def announce(status: Status, run: runs.Run) -> None:
    """Show how a run ended, in the color of its outcome."""
    from cnn_core.curves import has_not_learned

    history = run.history()
    show = {"finished": st.success, "stopped": st.info, "interrupted": st.warning}.get(status.state, st.error)
    if status.state == "finished" and has_not_learned(history):
        show = st.warning
    show(ending(status, history, run.held_out))


def stop_button(run: runs.Run, status: Status, key: str) -> None:
    """Draw the button that stops a run after its current step, or lets a waiting one leave the line."""
    label, icon, help_text = "Stop", ":material/stop_circle:", "The model is saved first."
    if status.state == "waiting":
        label, icon, help_text = "Leave the line", ":material/logout:", "The run can wait in line again later."
    if st.button(label, key=key, icon=icon, disabled=status.state == "stopping", help=help_text):
        attempt(run.stop, key)
        st.rerun()
    show_error(key)


def resume_button(run: runs.Run, status: Status, key: str) -> None:
    """Draw the button that continues a run that did not finish; one that has saved nothing starts again."""
    label, icon, help_text = "Resume", ":material/resume:", "Training continues where it stopped."
    if not run.begun:
        label, icon, help_text = "Start again", ":material/replay:", "Nothing was saved: training begins with step 1."
    if status.state in ("stopped", "failed", "interrupted") and st.button(label, key=key, icon=icon, help=help_text):
        attempt(run.resume, key)
        st.session_state[_FOLLOWED], st.session_state[_BEGUN] = run.id, key
        st.rerun()
    show_error(key)


def classify_button(model: str, key: str) -> None:
    """Draw the button that leads to the Classify page, with this model chosen there."""
    if st.button("Classify with this model", key=key, icon=":material/pets:"):
        st.session_state["model_wanted"] = model
        st.switch_page(CLASSIFY_PAGE, query_params={})  # without it, bound controls make Streamlit refuse


def _strips(active: list[runs.Run]) -> None:
    """Show each of these runs; the first one's button has a name of its own."""
    for number, run in enumerate(active):
        _strip(run, f"strip_stop_{run.id}" if number else "strip_stop")


def _strip(run: runs.Run, key: str) -> None:
    status = run.status()
    if status.state not in ACTIVE_STATES:
        st.rerun()
    st.progress(share_done(status), where(status))
    with st.container(horizontal=True, vertical_alignment="center"):
        stop_button(run, status, key)
        st.page_link(TRAIN_PAGE, label="Watch", icon=":material/monitoring:", query_params={controls.RUN.name: run.id})
    steps = run.steps()
    if len(steps):  # below the buttons, which a small window must show without scrolling
        st.caption(f"Training accuracy this epoch: {percent(steps['accuracy'].iloc[-1])}")


def _outcome() -> None:
    """Show how the run ended that this session has watched, until the next one starts."""
    name = st.session_state.get(_FOLLOWED)
    run = next((run for run in runs.list_runs() if run.id == name), None)
    if run is None:
        return
    announce(run.status(), run)
    resume_button(run, run.status(), "strip_resume")
    with st.container(horizontal=True):
        st.page_link(
            TRAIN_PAGE, label="See the curves", icon=":material/monitoring:", query_params={controls.RUN.name: run.id}
        )
        if run.model_path.exists():
            classify_button(run.id, "strip_classify")


def _form() -> None:
    top = st.container()
    with st.expander("Settings of the short run", icon=":material/tune:"):
        source = DRAWN if visiting() else st.radio(
            "Data", list(SOURCES), format_func=SOURCES.__getitem__, horizontal=True, key="short_source",
            persist_state="session",
        )  # fmt: skip
        path = ""
        if source == OWN:
            path = st.text_input(
                "Folder or zip", key="short_path", placeholder="/home/me/dogs-vs-cats.zip", persist_state="session",
                help="A path on the machine that runs CNN Lab: Kaggle's zip, or a folder with cat and dog pictures.",
            ).strip()  # fmt: skip
        images = _number(
            "Pictures",
            8,
            limits.PICTURES.at_most(20_000),
            sketches.DEFAULT_COUNT,
            "A quarter of them are kept for testing.",
            step=100,
        )
        epochs = _number("Epochs", 1, limits.EPOCHS.at_most(100), 3, "Number of passes over all training pictures.")
        batch = _number("Batch size", 1, 512, 15, "Number of pictures in each step.")
    with top:
        what = "drawn pets" if source == DRAWN else "of your pictures"
        st.caption(f"{images:,} {what}, {epochs} epoch{'' if epochs == 1 else 's'}, batches of {batch}.")
        if st.button(
            "Start training", key="short_start", type="primary", icon=":material/play_arrow:", width="stretch"
        ):
            data = DRAWN if source == DRAWN else path
            begin(TrainingConfig(data=data, images=images, epochs=epochs, batch_size=batch), "sidebar")
        show_error("sidebar")


def _number(label: str, low: int, high: int, usual: int, explanation: str, step: int = 1) -> int:
    """Ask for a whole number, and keep it while a running training takes the place of the form."""
    key = f"short_{label.split()[0].lower()}"
    return st.number_input(label, low, high, min(usual, high), step, key=key, help=explanation, persist_state="session")
