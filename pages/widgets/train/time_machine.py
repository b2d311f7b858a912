"""The time machine: a run's training replayed on the visitor's picture, with a slider over its snapshots."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import streamlit as st

from cnn_core import CnnLabError, runs
from cnn_core.dataset import LABELS
from cnn_core.pixels import resize
from cnn_core.replay import MAX_KERNELS, Frame, change, moment, most_changed, replay
from cnn_core.storage.files import safe_name
from cnn_core.wording import percent, plain
from pages.widgets import background, controls, picture, run_monitor, verdict, warmup

_AT, _LAST, _LABEL = "replay_at", "replay_last", "replay_label"

_ABOUT = {
    "article": "While it trains, a run keeps **snapshots** of its network: before the first step, after 1, 2, 4, 8 … "
    "steps, and after epochs. Here all of them look at your picture, so you can see how the kernels change.",
    "accurate": "This run began with a network that had been trained before, and learned its last layer in one "
    "computation. So it is often right from the first moment on. Then came **fine-tuning**: with each step the upper "
    "layers changed a little. The lower layers, the first one too, stayed as they were. The run keeps **snapshots** of "
    "its network: before fine-tuning, after 1, 2, 4, 8 … steps, and after epochs. Here all of them look at your "
    "picture.",
}

VISIBLE = 0.01
"""A change of a kernel by this share can just be seen in its colors."""

TILE = 80
"""The width of a kernel on the screen, in pixels: four of them fit side by side on a phone."""


@dataclass(eq=False)
class Replay(background.Job):
    """What the networks of a run made of a picture.

    Attributes
    ----------
    frames : list of Frame
        Empty until they are known.
    """

    failed = "The training could not be replayed ({}). Choose another picture."

    folder: Path
    pixels: bytes
    shape: tuple[int, ...]
    frames: list[Frame] = field(default_factory=list, init=False)

    def work(self) -> None:
        """Ask each network."""
        self.progress(0, 1, "Loading TensorFlow to replay the training")
        warmup.load()
        self.frames = replay(runs.Run(self.folder), self.image, self.progress)

    @property
    def image(self) -> np.ndarray:
        """The picture, uint8 (H, W, 3)."""
        return np.frombuffer(self.pixels, np.uint8).reshape(self.shape)


def show(run: runs.Run, live: bool) -> None:
    """Offer the replay; while the run is `live` it grows with each snapshot."""
    recipe = _recipe(run)
    if not (run.snapshots() or (live and recipe)):
        return
    with st.container(key="time_machine"):
        st.subheader("Time machine")
        st.caption(_ABOUT.get(recipe, _ABOUT["article"]))
        controls.warn(controls.REPLAY)
        if st.toggle("Replay this training on my picture", **controls.REPLAY.bound):
            st.fragment(_replay, run_every=run_monitor.REFRESH if live else None)(run, live)


def _recipe(run: runs.Run) -> str:
    """Return the name of the run's recipe; "" when its settings cannot be read."""
    try:
        return run.config.recipe
    except CnnLabError:
        return ""


def _replay(run: runs.Run, live: bool) -> None:
    kept = run.snapshots()
    if not kept:
        st.caption(
            "There is no snapshot yet. The first one comes before the first step; very large networks keep none."
        )
        return
    job = _job(run, max(kept))
    if not job.ready() and (before := _earlier(job)):
        job = before  # until what is new has been computed
    elif not job.ready():
        st.fragment(_progress, run_every=run_monitor.REFRESH)(job)
        return
    if job.error:
        st.error(plain(job.error))
        if st.button("Try again", icon=":material/refresh:"):
            background.forget(job)
            st.rerun()
        return
    _player(run, job, live)


def _job(run: runs.Run, last: int) -> Replay:
    """Return the job about the picture of all pages, up to the snapshot after `last` batches."""
    image, _ = picture.current()
    try:
        size = run.config.input_size
    except CnnLabError:
        size = image.shape[0]
    small = resize(image, size, size)  # as the network takes it
    same = _about(run.folder, small.tobytes())
    for known in same:
        if not known.ready():
            return known  # one at a time: the next one finds in the cache what this one has computed
    job = background.job(Replay, run.folder, small.tobytes(), small.shape, state=last)
    if job.ready():
        background.forget(*(known for known in same if known is not job))
    return job


def _about(folder: Path, pixels: bytes) -> list[Replay]:
    """List the jobs about this run and picture."""
    known = [job for job in background.jobs(Replay) if isinstance(job, Replay)]
    return [job for job in known if (job.folder, job.pixels) == (folder, pixels)]


def _earlier(job: Replay) -> Replay | None:
    """Return a job about the same run and picture that is done, the newest."""
    done = [known for known in _about(job.folder, job.pixels) if known.ready() and known.frames]
    return max(done, key=lambda known: len(known.frames), default=None)


def _progress(job: Replay) -> None:
    if job.ready():
        st.rerun()
    st.progress(job.share, job.says)


def _player(run: runs.Run, job: Replay, live: bool) -> None:
    """Show the slider, and what the network of the chosen moment makes of the picture.

    Only what is no longer `live` is played: a part of the page that refreshes itself would break off the playing.
    """
    steps, recipe = run.steps_of_epoch(), _recipe(run)
    moments = {frame.batches: moment(frame.batches, steps, recipe) for frame in job.frames}
    last, state = max(moments), st.session_state
    if state.get(_AT) not in moments or state[_AT] == state.get(_LAST):
        state[_AT] = last  # follow a training until somebody goes back
    state[_LAST] = last
    if len(moments) > 1:
        st.select_slider("Moment of the training", list(moments), format_func=moments.__getitem__, key=_AT)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.segmented_control(
            "Heat map for", list(LABELS), default="cat", required=True, format_func=str.title, key=_LABEL
        )
        play = not live and st.button("Play", icon=":material/play_arrow:", key="replay_play")
        st.download_button(
            "Save as GIF",
            lambda: _gif(job, label, list(moments.values())),
            f"cnn-lab-{safe_name(run.id)}.gif",
            "image/gif",
            on_click="ignore",
            icon=":material/download:",
            key="replay_gif",
        )
    from cnn_core.figures import replay_pictures

    place = st.empty()
    for at, name in enumerate(moments.values()) if play else []:
        _moment(place, job, at, name, label)
        time.sleep(replay_pictures.FRAME_SECONDS)
    at = list(moments).index(state[_AT])
    _moment(place, job, at, moments[state[_AT]], label)
    st.caption(
        f"Bright places raise the score for {label}. {_kernels(job, at, recipe)} Below each kernel is its feature map "
        "for your picture (white is zero). A color means the same number at every moment."
    )
    if recipe == "accurate":
        st.caption(
            "After each epoch the run also **calibrates** the model that it saves: it divides the two scores by one "
            "number, so that the probabilities agree better with how often the answer is right. So the saved model "
            "prefers the same class, with another percentage. It can also answer “neither”."
        )


def _kernels(job: Replay, at: int, recipe: str) -> str:
    """Say which kernels are shown."""
    if recipe != "accurate":
        return (
            "Each tile of colors is a kernel of the first convolution; those that changed most during training are "
            "shown (middle gray is zero)."
        )
    shown = (
        f"Each gray tile is a kernel of {plain(job.frames[at].layer)}, a layer that learns. Of its first {MAX_KERNELS} "
        "kernels, those that changed most are shown (middle gray is zero)."
    )
    moved = change(job.frames, at)
    if at:
        shown += f" By this moment, fine-tuning has changed these {MAX_KERNELS} kernels by {percent(moved)} on average"
        shown += ", which is too little to see here." if moved < VISIBLE else "."
    return shown


def _moment(place, job: Replay, at: int, name: str, label: str) -> None:
    from cnn_core.figures import replay_pictures

    frame, chosen = job.frames[at], most_changed(job.frames)
    said = frame.prediction
    with place.container():
        left, right = st.columns([2, 3], vertical_alignment="center")
        left.image(
            replay_pictures.photo(frame, job.image, label),
            alt=f"The picture with the heat map for {label}, {name}",
            width=220,
        )
        with right:
            st.markdown(f"**{name.capitalize()}: {said.label}**, {percent(said.probability)}")
            verdict.bars(said.probabilities)
        with st.container(horizontal=True, gap="xsmall"):
            for number, tile in zip(chosen, replay_pictures.tiles(job.frames, at, chosen), strict=True):
                st.image(tile, width=TILE, alt=f"Kernel {number + 1}, and the map that it makes, {name}")


def _gif(job: Replay, label: str, moments: list[str]) -> bytes:
    from cnn_core.figures import replay_pictures

    return replay_pictures.gif(job.frames, job.image, label, moments)
