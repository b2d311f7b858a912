"""The curves of one run: how they are drawn, the charts, and what they say in words."""

import pandas as pd
import streamlit as st

from cnn_core.curves import best_epoch, has_not_learned, overfitting
from cnn_core.figures import training_curves as charts
from cnn_core.wording import percent
from pages.widgets import controls

HOW_TO_SAVE = "The camera at the top of each chart saves it as a PNG."


def plot(name: str) -> dict:
    """Return Plotly's settings: one button, which the browser answers with a PNG of that name."""
    return {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"filename": name, "scale": 2},
    }


def show(
    history: pd.DataFrame,
    of: str,
    held_out: str,
    steps: pd.DataFrame | None = None,
    steps_per_epoch: int = 0,
    file: str = "cnn-lab",
) -> None:
    """Show accuracy and loss of one run, its best epoch, and whether it has overfitted.

    Parameters
    ----------
    history, held_out, steps, steps_per_epoch
        As `training_curves.training_curve` takes them.
    of : str
        What the run is called in the charts' text alternatives.
    file : str
        How the names of saved charts begin.
    """
    _warn(history, held_out)
    smoothing, axis = _view() if steps_per_epoch else (0.0, "epoch")
    best = best_epoch(history) if len(history) > 1 else None
    for quantity, says in (
        ("accuracy", "the share of pictures it classifies correctly"),
        ("loss", "how wrong its answers are"),
    ):
        st.plotly_chart(
            charts.training_curve(
                history, quantity, steps, steps_per_epoch, held_out=held_out, smoothing=smoothing, axis=axis,
                best_epoch=None if best is None else int(best["epoch"]),
            ),
            key=f"curve_{quantity}",
            config=plot(f"{file}-{quantity}"),
            alt=f"Line chart: {quantity} of {of} after each epoch, {says}, on the training and on the {held_out} set",
        )  # fmt: skip
    if best is not None:
        st.markdown(
            f"**Best epoch: {best['epoch']:.0f}** of {len(history)}, with the lowest {held_out} loss, "
            f"{best['val_loss']:.3f}. Its {held_out} accuracy is {percent(best['val_accuracy'])}."
        )


def view(axis: controls.Choice, smoothing: controls.Number, what: str) -> tuple[float, str]:
    """Ask how curves are drawn: return their smoothing, and what the horizontal axis counts."""
    controls.warn(axis, smoothing)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        counts: str = st.segmented_control("Horizontal axis", **axis.buttons)
        weight: float = st.slider(
            "Smoothing",
            width=220,
            help=f"Each point of {what} is an exponential moving average, as in TensorBoard. The higher the smoothing, "
            "the more the earlier values count. The measured values stay visible as a faint line.",
            **smoothing.bound,
        )
    return weight, counts


def _view() -> tuple[float, str]:
    return view(controls.CURVE_AXIS, controls.SMOOTHING, "the line over the steps")


def _warn(history: pd.DataFrame, held_out: str) -> None:
    if has_not_learned(history):
        loss = history["loss"].iloc[-1]
        st.warning(
            f"**Not learned**: after {len(history)} epochs the training loss is {loss:.3f}, the same as for guessing. "
            "When its steps are too large, a network may end up giving every picture the same answer. Then it cannot "
            "learn any more. A lower learning rate helps."
        )
    elif found := overfitting(history):
        st.warning(
            f"**Overfitting**: after epoch {found.best_epoch} the training curves still improve, but the {held_out} "
            "loss rises. The network now memorizes its training pictures. More photos, augmentation or fewer epochs "
            "help."
        )


def numbers(history: pd.DataFrame, held_out: str) -> None:
    """Show the table behind the curves, folded."""
    with st.expander("The numbers behind the curves", icon=":material/table:"):
        st.dataframe(history, hide_index=True, alt="Accuracy and loss after each epoch")
        st.caption(
            "Training accuracy and loss (accuracy, loss) are averages over the epoch: the weights still change, "
            f"and the pictures are augmented. {held_out.capitalize()} accuracy and loss (val_accuracy, val_loss) "
            "are measured at the end of the epoch on unchanged pictures. That is why they can be better."
        )
