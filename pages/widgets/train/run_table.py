"""All training runs side by side: a table, and the curves of those that are chosen."""

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
import streamlit as st

from cnn_core import CnnLabError, models, runs, wording
from cnn_core.figures import training_curves as charts
from cnn_core.wording import plain
from pages.widgets import controls
from pages.widgets.train import curves

# The bundled model stands among the runs: its curves are shown before anyone has trained anything.
BUNDLED = "article"


def compare(everything: list[runs.Run], whose: Mapping[str, str] | None = None) -> None:
    """Show all runs in a table, and the chosen ones' curves in one chart.

    `whose` says of each run's id which visitor's it is, for who sees the runs of several.
    """
    if not everything:
        return
    st.header("The runs so far", divider="gray")
    table = pd.DataFrame([({"visitor": whose[run.id]} if whose else {}) | _row(run) for run in everything])
    shares = [column for column in table if column.endswith("accuracy")]
    st.dataframe(
        table.assign(**{column: table[column].map(wording.percent) for column in shares}),
        hide_index=True,
        placeholder="–",
        column_config={
            **{column: st.column_config.TextColumn(alignment="right") for column in shares},
            **{column: st.column_config.NumberColumn(format="%.3f") for column in table if column.endswith("loss")},
            "learning rate": st.column_config.NumberColumn(format="%g"),
        },
        alt="All training runs with their settings and results",
    )
    prefix = {run.id: f"{whose[run.id]} · " if whose else "" for run in everything}
    labels = {run.id: prefix[run.id] + label(run) for run in everything}
    histories = {run.id: run.history() for run in everything}
    times = {run.id: prefix[run.id] + when(run) for run in everything}
    offered = [*labels, BUNDLED]
    if gone := set(st.session_state.get("compare", [])) - set(offered):
        st.session_state["compare"] = [name for name in st.session_state["compare"] if name not in gone]
    chosen = st.multiselect(
        "Compare",
        offered,
        default=[name for name, history in histories.items() if len(history)][:3],
        format_func=lambda name: labels.get(name, "The bundled model"),
        key="compare",
        max_selections=8,
    )
    shown = {}
    for name in chosen:
        history = histories[name] if name in histories else _bundled_history()
        if history is not None and len(history):
            shown[times.get(name, "The bundled model")] = history
    if shown:
        _curves(shown, {times[run.id]: run.steps_of_epoch() for run in everything})


def _curves(shown: dict[str, pd.DataFrame], steps: dict[str, int]) -> None:
    """Draw the curves of some runs together; `steps` says how many steps an epoch has, where that is known."""
    smoothing, axis = curves.view(controls.COMPARED_AXIS, controls.COMPARED_SMOOTHING, "a line")
    st.caption("Solid: on the test set, or on the validation set of a run that has one. Dotted: on the training set.")
    if axis == "step":
        unknown = [name for name in shown if not steps.get(name)]
        shown = {name: history for name, history in shown.items() if name not in unknown}
        if unknown:
            st.caption(f"Left out, since their number of steps is not known: {plain(', '.join(unknown))}.")
    for column, quantity in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        column.plotly_chart(
            charts.compare_runs(
                shown, quantity, smoothing=smoothing, steps_per_epoch=steps if axis == "step" else None
            ),
            key=f"compare_{quantity}",
            config=curves.plot(f"cnn-lab-runs-{quantity}"),
            alt=f"Line chart: {quantity} after each epoch of {', '.join(shown)}",
        )


def _bundled_history() -> pd.DataFrame | None:
    try:
        return models.find(BUNDLED).history()
    except CnnLabError:
        return None


def _row(run: runs.Run) -> dict:
    status, history = run.status(), run.history()
    nothing = {"test accuracy": float("nan"), "training accuracy": float("nan")}
    row: dict = {"run": when(run), "state": status.state, **nothing}
    try:
        config = run.config
    except CnnLabError:
        return row
    last: dict = history.iloc[-1].to_dict() if len(history) else {}
    return row | {
        f"{config.held_out} accuracy": last.get("val_accuracy", float("nan")),
        "training accuracy": last.get("accuracy", float("nan")),
        f"{config.held_out} loss": last.get("val_loss", float("nan")),
        "epochs": f"{len(history)} of {config.epochs}",
        "time": wording.duration(status.seconds),
        "pictures": "all" if config.images is None else f"{config.images:,}",
        "data": "drawn pets" if config.source.drawn else config.source.shown,
        "batch size": config.batch_size,
        "learning rate": None if "learning_rate" in config.without_use else config.learning_rate,
        "augmentation": None if "augment" in config.without_use else config.augment,
        "parameters": f"{config.parameters:,}",
    }


def label(run: runs.Run) -> str:
    """Name a run by its time and data, as people remember it."""
    try:
        config = run.config
    except CnnLabError:
        return when(run)
    data = "drawn pets" if config.source.drawn else config.data.replace("\\", "/").rpartition("/")[2]
    count = "" if config.images is None else f"{config.images:,} "
    return f"{when(run)} · {count}{data}, {config.epochs} epoch{'' if config.epochs == 1 else 's'}"


def when(run: runs.Run) -> str:
    """Say when a run began, by its id."""
    try:
        return f"{datetime.strptime(run.id[:15], '%Y%m%d-%H%M%S'):%d %b %H:%M:%S}"
    except ValueError:
        return run.id
