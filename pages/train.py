"""Lesson 5: start a training run, watch its curves, and compare runs."""

import pandas as pd
import streamlit as st

from cnn_core import CnnLabError, models, runs
from cnn_core.engine import warm
from cnn_core.engine.journal import ACTIVE_STATES, Status
from cnn_core.scripts import training_script
from cnn_core.setup import installed
from cnn_core.storage.files import visiting
from cnn_core.wording import duration, percent, plain
from pages.widgets import address, code_panel, controls, in_vain, model_upload, run_monitor
from pages.widgets.train import broken_list, curves, downloads, overfit, run_table, settings, time_machine, to_status

RESUME = "train_resume"


def main() -> None:
    """Show one run on the left, the settings of the next one on the right, and all runs below."""
    st.markdown(
        "The network sees a **batch** of pictures, measures how wrong its answers are (the **loss**), and changes all "
        "its weights a little to make the loss smaller. One pass over all training pictures is an **epoch**. The "
        "network never learns from the pictures of the **test set**. They show whether it recognizes cats and dogs or "
        "has only memorized the training pictures."
    )
    if not installed.has_tensorflow():
        st.info(installed.MISSING)
    everything = runs.list_runs()
    watch, prepare = st.columns([3, 2], gap="large")
    with watch:
        _watch(everything)
        overfit.show()
        _load()
    with prepare:
        config = settings.form(run_monitor.must_wait())
    if run_monitor.just_begun(settings.START, RESUME, overfit.PLACE):
        to_status.scroll()
    run_table.compare(everything)
    if config is not None:
        code_panel.show(training_script.training(config))
    if not run_monitor.active_runs():
        warm.prepare()
    st.fragment(_notice, run_every=run_monitor.REFRESH)()


def _notice() -> None:
    """Draw the page anew when a run has begun, or goes on, in another tab."""
    if [run.id for run in run_monitor.active_runs()] != st.session_state.get("runs_seen", []):
        st.rerun()


def _watch(everything: list[runs.Run]) -> None:
    """Show one run, by default the newest: its status, its curves and the buttons for it."""
    names = [run.id for run in everything] + [run_table.BUNDLED]
    labels = {run.id: run_table.label(run) for run in everything}
    name = names[0]
    if not everything:
        st.session_state["runs_seen"] = []
        if asked := address.new(controls.RUN.name):
            in_vain.say_unknown(controls.RUN.name, {controls.RUN.name: asked}, "here")
        in_vain.show(controls.RUN.name)
    else:
        _settle_run(names)
        name = st.selectbox(
            "Training run",
            names,
            format_func=lambda name: labels.get(name, "The bundled model"),
            **address.menu(controls.RUN.name),
        )
        address.write(controls.RUN.name, name, names[0])
    run = next((run for run in everything if run.id == name), None)
    if run is None:
        _bundled()
    elif run.active:
        st.fragment(_live, run_every=run_monitor.REFRESH)(run)
        time_machine.show(run, live=True)
    else:
        _live(run)
        _actions(run)
        time_machine.show(run, live=False)


def _load() -> None:
    """Load a model that was trained elsewhere."""
    if loaded := model_upload.ask():
        st.session_state["model_loaded"] = loaded
    if name := st.session_state.get("model_loaded"):
        st.success(f"“{plain(name)}” is loaded.")
        run_monitor.classify_button(name, "loaded_classify")


def _settle_run(names: list[str]) -> None:
    """Choose the run that a new address names, or one that has just started here or in another tab."""
    state = st.session_state
    active = [run.id for run in run_monitor.active_runs()]
    if new := [name for name in active if name not in state.get("runs_seen", [])]:
        state[controls.RUN.name] = new[0]
    address.read(controls.RUN.name, names, names[0])
    state["runs_seen"] = active


def _bundled() -> None:
    with st.container(key="training_status"):
        try:
            card = models.find(run_table.BUNDLED)
        except CnnLabError:
            st.info("Nothing has been trained here yet. Start a training run to see its curves here.")
            return
        st.markdown(f"**The bundled model: {plain(card.title)}**")
        st.write(plain(card.text))
        st.caption("These curves were recorded while it was trained. Start a training run to see your own here.")
    history = card.history()
    if history is not None and len(history):
        with st.container(key="training_curves"):
            curves.show(history, "the bundled model", card.held_out)
        curves.numbers(history, card.held_out)


def _live(run: runs.Run) -> None:
    """Show a run's status and curves; repeated every second while it is active."""
    status, history, steps = run.status(), run.history(), run.steps()
    alive = status.state in ACTIVE_STATES
    if not alive and st.session_state.get("run_live") == run.id:
        st.session_state.pop("run_live")
        st.rerun()
    with st.container(key="training_status"):
        if alive:
            st.session_state["run_live"] = run.id
            st.progress(run_monitor.share_done(status), run_monitor.where(status))
            run_monitor.stop_button(run, status, "train_stop")  # above the numbers, whose arrival would move it
        else:
            run_monitor.announce(status, run)
            for sentence in run.damage():
                st.warning(plain(sentence))
        _numbers(status, history, steps, run.held_out)
    with st.container(key="training_curves"):
        if len(history) or len(steps):
            curves.show(history, "this run", run.held_out, steps, run.steps_of_epoch(), f"cnn-lab-{run.id}")
        elif alive:
            st.caption("The curves appear after the first step.")
    if len(history):
        curves.numbers(history, run.held_out)
    if status.broken:
        broken_list.show(run.broken())


def _numbers(status: Status, history: pd.DataFrame, steps: pd.DataFrame, held_out: str) -> None:
    if not len(steps):
        return
    with st.container(horizontal=True, gap="medium"):
        st.metric("Training accuracy", percent(steps["accuracy"].iloc[-1]), width="content")
        st.metric("Training loss", f"{steps['loss'].iloc[-1]:.3f}", width="content")
        if len(history):
            st.metric(f"{held_out.capitalize()} accuracy", percent(history["val_accuracy"].iloc[-1]), width="content")
            st.metric(f"{held_out.capitalize()} loss", f"{history['val_loss'].iloc[-1]:.3f}", width="content")
    if status.images_per_second:
        st.caption(f"{status.images_per_second:.0f} pictures per second, {duration(status.seconds)} in total.")


def _actions(run: runs.Run) -> None:
    status = run.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        run_monitor.resume_button(run, status, RESUME)
        if run.model_path.exists():
            run_monitor.classify_button(run.id, "train_classify")
        with st.popover("Delete", key=f"delete_{run.id}", icon=":material/delete:"):  # a new one, closed, for each run
            st.write("This deletes the run's curves and its model.")
            if st.button("Delete this run permanently", key=f"delete_run_{run.id}", type="primary"):
                run_monitor.attempt(run.delete, "page")
                st.rerun()
    run_monitor.show_error("page")
    downloads.show(run)
    # The log names paths of the server, which are its host's business.
    if status.state in ("failed", "interrupted") and not visiting() and (log := run.log().strip()):
        with st.expander("Last output of the process", icon=":material/terminal:"):
            st.code(log, language=None, wrap_lines=True)


main()
