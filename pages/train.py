"""Lesson 5: pictures in, a trained network out, and every step of it to be watched."""

import pandas as pd
import streamlit as st

from cnn_core import CnnLabError, dataset, models, runs, sketches
from cnn_core.engine.config import TrainingConfig
from cnn_core.engine.journal import Status
from cnn_core.figures import training_curves as charts
from cnn_core.network import ARTICLE, NetworkSpec
from cnn_core.scripts import training_script
from cnn_core.wording import duration, percent
from pages.widgets import address, code_panel, data_source, model_upload, picture, run_monitor, warmup
from pages.widgets.train import run_table


def main() -> None:
    """Draw the page: watch a run on the left, prepare the next one on the right, compare all below."""
    st.markdown(
        "The network looks at a **batch** of pictures, measures how wrong it is (the **loss**), and nudges all its "
        "weights a little so that it would have been less wrong. One pass over all pictures is an **epoch**. "
        "Pictures it never learns from, the **test set**, tell whether it has understood or only memorised."
    )
    everything = runs.list_runs()
    watch, prepare = st.columns([3, 2], gap="large")
    with watch:
        _watch(everything)
        _load()
    with prepare:
        config = _prepare(active=any(run.active for run in everything))
    run_table.compare(everything)
    if config is not None:
        code_panel.show(training_script.training(config))


def _watch(everything: list[runs.Run]) -> None:
    """Show one run, by default the newest: how it stands, its curves, what can be done with it."""
    names = [run.id for run in everything] + [run_table.BUNDLED]
    labels = {run.id: run_table.label(run) for run in everything}
    name = names[0]
    if everything:
        _settle_run(everything, names)
        name = st.selectbox(
            "Training run",
            names,
            format_func=lambda name: labels.get(name, "The bundled model"),
            key="run",
            persist_state="session",
        )
        address.write("run", name, names[0])
    run = next((run for run in everything if run.id == name), None)
    if run is None:
        _bundled()
    elif run.active:
        st.fragment(_live, run_every=2 * run_monitor.REFRESH)(run)  # the training needs the processor more
    else:
        _live(run)
        _actions(run)


def _load() -> None:
    """Take a model that was trained elsewhere."""
    if loaded := model_upload.ask():
        st.session_state["model_loaded"] = loaded
    if name := st.session_state.get("model_loaded"):
        st.success(f"“{name}” is loaded.")
        run_monitor.classify_button(name, "loaded_classify")


def _settle_run(everything: list[runs.Run], names: list[str]) -> None:
    """Show the run that a new address names, or one that has just begun, here or in another tab."""
    state = st.session_state
    active = next((run.id for run in everything if run.active), None)
    if active and active != state.get("run_seen"):
        state["run"] = active
    address.read("run", names)
    state["run_seen"] = active


def _bundled() -> None:
    with st.container(key="training_status"):
        try:
            card = models.find(run_table.BUNDLED)
        except CnnLabError:
            st.info("Nothing has been trained here yet. Start a training: its curves appear here.")
            return
        st.markdown(f"**The bundled model: {card.title}**")
        st.write(card.text)
        st.caption("These are its real curves. Start a training, and yours appear here.")
    history = card.history()
    if history is not None and len(history):
        with st.container(key="training_curves"):
            _curves(history, "the bundled model")


def _live(run: runs.Run) -> None:
    """Show where a run stands and its curves; redrawn again and again while it is going on."""
    status, history, steps = run.status(), run.history(), run.steps()
    alive = status.state in runs.LIVING
    if not alive and st.session_state.get("run_live") == run.id:
        st.session_state.pop("run_live")
        st.rerun()
    with st.container(key="training_status"):
        if alive:
            st.session_state["run_live"] = run.id
            st.progress(run_monitor.share_done(status), run_monitor.where(status))
        else:
            run_monitor.announce(status, history)
        _numbers(status, history, steps)
        if alive:
            run_monitor.stop_button(run, status, "train_stop")
    with st.container(key="training_curves"):
        if len(history) or len(steps):
            _curves(history, "this run", steps, status.steps)
        elif alive:
            st.caption("The curves begin with the first step.")


def _numbers(status: Status, history: pd.DataFrame, steps: pd.DataFrame) -> None:
    if not len(steps):
        return
    with st.container(horizontal=True, gap="medium"):
        st.metric("Training accuracy", percent(steps["accuracy"].iloc[-1]), width="content")
        st.metric("Training loss", f"{steps['loss'].iloc[-1]:.3f}", width="content")
        if len(history):
            st.metric("Test accuracy", percent(history["val_accuracy"].iloc[-1]), width="content")
            st.metric("Test loss", f"{history['val_loss'].iloc[-1]:.3f}", width="content")
    if status.images_per_second:
        st.caption(f"{status.images_per_second:.0f} pictures a second, {duration(status.seconds)} in all.")


def _curves(history: pd.DataFrame, of: str, steps: pd.DataFrame | None = None, steps_per_epoch: int = 0) -> None:
    for quantity, says in (("accuracy", "the share of pictures it gets right"), ("loss", "how wrong it is")):
        st.plotly_chart(
            charts.training_curve(history, quantity, steps, steps_per_epoch),
            key=f"curve_{quantity}",
            config=run_table.PLOT,
            alt=f"Line chart: {quantity} of {of} after each epoch, {says}, on the training and on the test set",
        )
    if len(history):
        with st.expander("The numbers behind the curves", icon=":material/table:"):
            st.dataframe(history, hide_index=True, alt="Accuracy and loss after each epoch")
            st.caption(
                "Training accuracy and loss (accuracy, loss) are means over the epoch, taken while the weights still "
                "change and on varied pictures; the test set (val_accuracy, val_loss) is asked at the epoch's end, on "
                "pictures as they are. That is why the test can come out better."
            )


def _actions(run: runs.Run) -> None:
    status, saved = run.status(), run.model_path.exists()
    with st.container(horizontal=True, vertical_alignment="center"):
        run_monitor.resume_button(run, status, "train_resume")
        if saved:
            run_monitor.classify_button(run.id, "train_classify")
            st.download_button(
                "Download the model",
                run.model_path.read_bytes,
                file_name=f"cnn-lab-{run.id}.keras",
                mime="application/octet-stream",
                on_click="ignore",
                icon=":material/download:",
            )
        with st.popover("Delete", icon=":material/delete:"):
            st.write("The run's curves and its model are lost.")
            if st.button("Delete this run for good", key="delete_run", type="primary"):
                run_monitor.attempt(run.delete, "page")
                st.rerun()
    run_monitor.show_error("page")
    if status.state in ("failed", "interrupted") and (log := run.log().strip()):
        with st.expander("What the process printed last", icon=":material/terminal:"):
            st.code(log, language=None, wrap_lines=True)


def _prepare(active: bool) -> TrainingConfig | None:
    """Show the settings of the next run with their explanations; return them, or None while no data is chosen."""
    st.markdown("#### 1 · The pictures")
    data = data_source.choose()
    drawn = data == data_source.DRAWN
    images = st.number_input(
        "At most so many pictures",
        8,
        sketches.MOST if drawn else None,
        sketches.DEFAULT_COUNT if drawn else None,
        100,
        key="images_drawn" if drawn else "images",
        placeholder="all",
        help="Training and test set together, as many cats as dogs. Empty: all there are.",
    )
    st.markdown("#### 2 · The split")
    kept = st.slider("Kept for testing", 10, 50, 25, 5, format="%d %%", key="test_percent", bind="query-params")
    inside = st.container(key="dataset_inside")
    st.markdown("#### 3 · Augmentation")
    augment = st.toggle("Vary every picture in each epoch", True, key="augment", bind="query-params")
    st.caption("Flipped, turned, zoomed, shifted, sheared: a cat stays a cat, and memorising gets harder.")
    st.fragment(_augmented)()
    st.markdown("#### 4 · The training")
    left, right = st.columns(2)
    epochs = left.number_input("Epochs", 1, 1000, 3, key="epochs", bind="query-params")
    batch = right.number_input(
        "Batch size", 1, 1024, 15, key="batch_size", bind="query-params", help="Pictures per step."
    )
    rate = left.number_input(
        "Learning rate",
        1e-6,
        1.0,
        1e-3,
        1e-4,
        format="%.6f",
        key="learning_rate",
        bind="query-params",
        help="How far each step nudges the weights. Too large and it never settles, too small and it never arrives.",
    )
    patience = right.number_input(
        "Stop early after",
        1,
        100,
        None,
        key="patience",
        placeholder="never",
        help="Epochs without a lower test loss, after which the training ends; the best epoch's weights are kept.",
    )
    network = _network()
    config = TrainingConfig(
        data=data,
        images=images,
        epochs=epochs,
        batch_size=batch,
        learning_rate=rate,
        test_size=kept / 100,
        augment=augment,
        patience=patience,
        network=network,
    )
    if st.button(
        "Start this training",
        key="train_start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=active,
        help="Stop the one that is going on first." if active else None,
    ):
        run_monitor.begin(config, "prepare")
    run_monitor.show_error("prepare")
    with inside:
        if data:
            _inside(data, images, config.seed, config.test_size)
    return config if data else None


def _inside(data: str, images: int | None, seed: int, test_size: float) -> None:
    """Show what is in the chosen pictures, as soon as that is known."""
    seen = data_source.look(data, images, seed)
    if seen.ready(data_source.POLITE_SECONDS):
        _contents(seen, data, test_size)
    else:
        st.fragment(_looking, run_every=run_monitor.REFRESH)(seen)


def _looking(seen: data_source.Look) -> None:
    if seen.ready():
        st.rerun()
    st.progress(min(seen.done / seen.total, 1.0), f"{seen.what}: {seen.done:,} of {seen.total:,}")


def _contents(seen: data_source.Look, data: str, test_size: float) -> None:
    if seen.table is None:
        st.error(seen.error)
        st.button("Look again", on_click=data_source.look_again, icon=":material/refresh:")
        return
    table, broken = seen.table, seen.table.attrs.get("broken", [])
    try:
        training, test = dataset.split(table, test_size)
    except CnnLabError as error:
        st.error(str(error))
        return
    counts = table["label"].value_counts()
    st.markdown(
        f"**{len(table):,}** pictures, {counts['cat']:,} cats and {counts['dog']:,} dogs: "
        f"**{len(training):,}** to learn from, **{len(test):,}** to be tested on."
    )
    labels, images = zip(*seen.examples, strict=True)
    st.image(list(images), width=72, alt=[f"Example of a {label}" for label in labels])
    if broken:
        with st.expander(f"{len(broken):,} broken pictures are left out", icon=":material/broken_image:"):
            st.dataframe(pd.DataFrame({"file": broken}), hide_index=True, alt="Names of the broken pictures")
    if data != data_source.DRAWN:
        st.button("Look again", on_click=data_source.look_again, icon=":material/refresh:", type="tertiary")


def _augmented() -> None:
    """Show what augmentation makes of the visitor's picture; only on demand, for it needs TensorFlow."""
    if not st.toggle("See it on my picture", key="augmented_shown"):
        return
    image, name = picture.current(160)
    warmup.wait()
    from cnn_core.engine.augmentation import augmented_examples

    seed = st.number_input("Seed of the variations", 0, 1000, 42, key="augmented_seed")
    st.image(list(augmented_examples(image, 6, seed)), width=96, alt=[f"{name}, augmented"] * 6)


def _network() -> NetworkSpec:
    """Return the network that was built on the Network page, or the article's."""
    spec = ARTICLE
    try:
        built = NetworkSpec.from_dict(st.session_state.get("network_spec", ARTICLE.to_dict()))
        if built.parameters and built != ARTICLE:
            chosen = st.radio("Network", ["The one I built in lesson 4", "The article's"], key="network_choice")
            spec = built if chosen != "The article's" else ARTICLE
    except CnnLabError as error:
        st.warning(f"The network of lesson 4 cannot be trained, so this is the article's. {error}")
    blocks = f"{len(spec.blocks)} block{'' if len(spec.blocks) == 1 else 's'} of convolution and pooling"
    st.caption(f"{blocks} on {spec.input_size}×{spec.input_size} pixels, {spec.parameters:,} parameters.")
    st.page_link("pages/network.py", label="Change the network", icon=":material/account_tree:")
    return spec


main()
