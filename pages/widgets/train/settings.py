"""The settings of the next training run, in four steps: pictures, split, augmentation, training."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnn_core import CnnLabError, sketches
from cnn_core.engine.config import TrainingConfig
from cnn_core.host import limits
from cnn_core.source import Source
from cnn_core.storage.files import visiting
from cnn_core.wording import percent
from pages.widgets import controls, correction_list, data_source, in_vain, picture, run_monitor, warmup
from pages.widgets.train import contents, network_choice

START = "prepare"
"""Where `run_monitor` shows that a training could not start."""

VALIDATION = 0.1
"""The part of the training set that decides when to stop early: the test set must not, for it measures the result."""

AS_IN_THE_ARTICLE = {"augment": "article", "epochs": 3, "batch_size": 15, "learning_rate": 1e-3, "schedule": "constant"}
DEFAULTS = {name: getattr(TrainingConfig, name) for name in AS_IN_THE_ARTICLE}


def form(waits: bool) -> TrainingConfig | None:
    """Show the settings of the next run and the button that starts it.

    Parameters
    ----------
    waits : bool
        Whether the next run will wait in line.

    Returns
    -------
    TrainingConfig or None
        None while no data is chosen, or the network cannot be built.
    """
    epochs = controls.EPOCHS.up_to(limits.EPOCHS.at_most(1000))
    controls.warn(
        data_source.offered(), controls.TEST_PERCENT, controls.AUGMENT, epochs, controls.BATCH_SIZE,
        controls.LEARNING_RATE, controls.SCHEDULE, controls.CLASS_WEIGHTS,
    )  # fmt: skip
    data, images = _pictures()
    test_size, place = _split()
    augment = _augmentation()
    training = _training(epochs)
    network = network_choice.choose()
    source = Source(data, images, TrainingConfig.seed, test_size)
    config = None
    known = correction_list.of(source)
    if network and known is not None:
        config = TrainingConfig(
            data=data, images=images, test_size=test_size, augment=augment, network=network, corrections=known,
            **training,
        )  # fmt: skip
    start = st.container()
    usable = True
    if data:
        with place:  # late: to read the pictures takes a moment, and must not hold up the controls
            usable = contents.show(source)
    with start:
        _start(config if usable else None, waits)
    return config if data else None


def _pictures() -> tuple[str, int | None]:
    st.markdown("## 1 · The pictures")
    data = data_source.choose()
    drawn = Source(data).drawn
    most = limits.PICTURES.at_most(sketches.MAX_COUNT) if drawn or visiting() else None
    images = st.number_input(
        "Maximum number of pictures",
        8,
        most,
        min(sketches.DEFAULT_COUNT, most) if drawn and most else most,
        100,
        key="images_drawn" if drawn else "images",
        placeholder="all",
        help="Training set and test set together, half cats and half dogs. Leave it empty to use all pictures.",
    )
    return data, images


def _split() -> tuple[float, DeltaGenerator]:
    """Return the test set's share, and the place for what is in the pictures."""
    st.markdown("## 2 · The split")
    kept = st.slider(
        "Test set", format="%d %%", help="The share of pictures kept for testing.", **controls.TEST_PERCENT.bound
    )
    return kept / 100, st.container(key="dataset_inside")


def _augmentation() -> str:
    st.markdown("## 3 · Augmentation")
    augment: str = st.segmented_control("Augment the training pictures", **controls.AUGMENT.buttons)
    st.caption(
        "In each epoch, every picture is flipped, rotated, zoomed, shifted and sheared at random. A cat is "
        "still a cat, but the pictures are harder to memorize. Use light changes for a few epochs, strong ones for "
        "many."
    )
    st.fragment(_augmented)(augment)
    return augment


def _augmented(strength: str) -> None:
    """Show what augmentation makes of the visitor's picture; only on demand, for it needs TensorFlow."""
    if not st.toggle("Show it on my picture", key="augmented_shown"):
        return
    image, name = picture.current(160)
    try:
        warmup.wait("Loading TensorFlow to augment your picture")
    except CnnLabError as error:
        st.error(str(error))
        return
    from cnn_core.engine.augmentation import augmented_examples

    seed = st.number_input("Random seed", 0, 1000, 42, key="augmented_seed")
    st.image(list(augmented_examples(image, 6, strength, seed)), width=96, alt=[f"{name}, augmented"] * 6)


def _training(epochs: controls.Number) -> dict[str, Any]:
    """Return the settings of this step, as `TrainingConfig` names them."""
    st.markdown("## 4 · The training")
    with st.container(horizontal=True):
        st.button("As in the article", on_click=_set, args=(AS_IN_THE_ARTICLE,), icon=":material/history_edu:")
        st.button("Our defaults", on_click=_set, args=(DEFAULTS,), icon=":material/restart_alt:")
    left, right = st.columns(2)
    below = st.container()
    values: dict[str, Any] = {
        "epochs": left.number_input("Epochs", **epochs.bound),
        "batch_size": right.number_input(
            "Batch size", help="Number of pictures in each step.", **controls.BATCH_SIZE.bound
        ),
        "learning_rate": left.number_input(
            "Learning rate",
            format="%.6f",
            help="How much each step changes the weights. If it is too large, the loss does not settle; if it is too "
            "small, training takes very long.",
            **controls.LEARNING_RATE.bound,
        ),
        "patience": right.number_input(
            "Stop early after",
            1,
            100,
            None,
            key="patience",
            placeholder="never",
            help="Training stops after this many epochs without a lower validation loss, and the weights of the best "
            "epoch are kept.",
        ),
        "schedule": st.selectbox(
            "Learning rate schedule",
            help="Constant: the learning rate does not change. Cosine: it falls to zero along half a cosine. Warm-up: "
            "it first rises, so that the first steps are small.",
            **controls.SCHEDULE.menu,
        ),
        "class_weights": st.toggle(
            "Class weights",
            help="For data with many more cats than dogs, or the reverse: pictures of the rarer class count more, so "
            "that both classes count the same.",
            **controls.CLASS_WEIGHTS.bound,
        ),
    }
    if values["patience"] is None:
        return values
    below.caption(
        f"{percent(VALIDATION, 0, counted=True)} of the training pictures are kept aside as a **validation set**. It "
        "decides when to stop, so that the test set stays unseen until the end."
    )
    return values | {"validation": VALIDATION}


def _set(values: dict[str, Any]) -> None:
    in_vain.forget()
    st.session_state.update(values)


def _start(config: TrainingConfig | None, waits: bool) -> None:
    reason = None if config else "First solve the problem that is shown above."
    pressed = st.button(
        "Start this training",
        key="train_start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=reason is not None,
        help=reason,
    )
    if waits:
        st.caption("Another training is running. This one will wait in line and start when its turn comes.")
    if pressed and config:
        run_monitor.begin(config, START)
    run_monitor.show_error(START)
