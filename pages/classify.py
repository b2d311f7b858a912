"""Drop a photo of a pet, get the answer and why."""

import base64
import io
import time
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from cnn_core import CnnLabError
from cnn_core.model_io.keras_file import tells_neither
from cnn_core.models import ModelCard, find, list_models, open_model
from cnn_core.pixels import fit, open_image
from cnn_core.scripts import lessons
from pages.widgets import address, code_panel, exports, model_upload, picture, verdict, warmup
from pages.widgets.why import asked

AT_ONCE = 16  # photos between two movements of the progress bar
STYLE = """<style>
.st-key-verdict img, .st-key-heat_map img { max-height: 24rem; object-fit: contain; object-position: left; }
.st-key-photos [data-testid="stFileUploaderDropzone"] { min-height: 7rem; align-items: center;
  border: 2px dashed rgba(128, 128, 128, .45); }
@media (max-width: 640px) { .st-key-verdict [data-testid="stHorizontalBlock"] { flex-direction: column-reverse; } }
</style>"""  # a drop zone that is easy to hit; on a phone the verdict stands above its photo
SHOWN = 720  # photos are drawn with at most so many pixels a side; the model gets all of them


def main() -> None:
    """Draw the page at once; the answer follows when TensorFlow is there."""
    st.markdown(
        "A convolutional network looks at a photo and says which of the two it sees. Drop yours, and see what in it "
        "made the network say so."
    )
    st.html(STYLE)
    uploads = st.file_uploader(
        "Drop a photo of your cat or dog", picture.FORMATS, accept_multiple_files=True, key="photos",
        on_change=_take_new, max_upload_size=picture.MEGABYTES,
        help="One photo or many. They are forgotten when you close the page.",
    )  # fmt: skip
    st.session_state["photos_seen"] = {upload.file_id for upload in uploads}
    answer = st.container()
    card = _choose_model()
    with answer:
        if card is None:
            _no_model()
        elif warmup.ready():
            _answer(card, uploads)
        else:
            with st.container(key="verdict"):
                photo, words = st.columns([2, 3], gap="medium")
                image, name = picture.current(SHOWN)
                photo.image(image, width="stretch", alt=name, caption=name)
                with words:
                    _wake_up()
    if card is not None:
        _script(card)


def _take_new() -> None:
    """Make the first readable photo that was just dropped the picture of all pages."""
    seen = st.session_state.get("photos_seen", set())
    for upload in st.session_state["photos"]:
        if upload.file_id not in seen:
            try:
                picture.use(open_image(upload.getvalue()), upload.name)
                return
            except CnnLabError:
                continue  # the page lists it with its sentence


def _choose_model() -> ModelCard | None:
    if "model_wanted" in st.session_state:
        st.session_state["model"] = st.session_state.pop("model_wanted")
    cards = {card.name: card for card in list_models()}
    chosen = None
    if cards:
        names = list(cards)
        address.read("model", names)
        name = st.selectbox(
            "Model", names, format_func=lambda name: _title(cards[name]), key="model", persist_state="session",
            help="The bundled model, the ones you trained, the ones you uploaded.",
        )  # fmt: skip
        address.write("model", name, names[0])
        chosen = cards.get(name)
    if loaded := model_upload.ask():
        st.session_state["model_wanted"] = loaded
        st.rerun()
    return chosen


def _title(card: ModelCard) -> str:
    return card.title if card.accuracy is None else f"{card.title} · right on {card.accuracy * 100:.0f} %"


def _no_model() -> None:
    with st.container(key="verdict"):
        st.info("There is no model to ask yet. Train one in a minute on the page Train, or upload a .keras file below.")


@st.fragment(run_every=1.0)
def _wake_up() -> None:
    """Stand in for the answer while TensorFlow is imported, so that the page itself is there at once."""
    if warmup.ready():
        st.session_state.pop("waits_since", None)
        st.rerun()
    since = st.session_state.setdefault("waits_since", time.monotonic())
    seconds, usual = time.monotonic() - since, 8
    text = f"Waking up TensorFlow… {seconds:.0f} s. It takes some seconds, once after each start."
    st.progress(min(0.95, seconds / usual), text)


@st.fragment
def _answer(card: ModelCard, uploads: list[Any]) -> None:
    if st.session_state.pop("photo_chosen", False):
        st.rerun()  # not only this part: the sidebar shows the photo too
    image, name = picture.current()
    shown = fit(image, SHOWN)
    table, answer, reason = st.container(), st.container(key="verdict"), st.container()
    try:
        stamp = find(card.name).path.stat().st_mtime_ns  # looked up again: another tab may have deleted it
        with answer:
            photo, words = st.columns([2, 3], gap="medium")
            photo.image(shown, width="stretch", alt=name, caption=name)
            with words, st.spinner("Looking…", show_time=True):
                prediction = asked.predict(card.name, stamp, image)
                verdict.show(prediction)
                st.caption(f"**{card.title}.** {card.text}")
                st.caption(
                    f"It sees the photo shrunk to {card.input_size} × {card.input_size} pixels. "
                    + prediction.about_pets
                )
                for warning in open_model(card.name).warnings:
                    st.warning(warning)
        with reason:
            from pages.widgets.why import tabs  # only now: it brings in pandas and Plotly

            tabs.show(tabs.Case(card, stamp, image, shown, name, prediction))
        with table:
            _many(card, stamp, uploads)
    except CnnLabError as error:
        st.error(str(error))
    except ImportError as error:
        st.error(f"TensorFlow cannot be loaded ({error}). Install it with: pip install -r requirements.txt")


def _many(card: ModelCard, stamp: int, uploads: list[Any]) -> None:
    """Say which photos cannot be read; when there are several, show a table of all verdicts."""
    rows = _classify_all(card, stamp, uploads)
    for row in rows:
        if row["error"]:
            st.error(f"{row['file']}: {row['error']}")
    good = [row for row in rows if not row["error"]]
    if len(rows) < 2 or not good:
        return
    st.subheader(f"Your {len(good)} photos", anchor=False)
    st.dataframe(
        [{"photo": r["thumbnail"], "verdict": r["verdict"], "dog": r["dog"], "file": r["file"]} for r in good],
        column_config={
            "photo": st.column_config.ImageColumn("Photo", width="small"),
            "verdict": st.column_config.TextColumn("Verdict"),
            "dog": st.column_config.ProgressColumn("Cat ← → Dog", format="percent", min_value=0, max_value=1),
            "file": st.column_config.TextColumn("File"),
        },
        row_height=56, hide_index=True, key="photo_table", on_select=lambda: _look_at([r["upload"] for r in good]),
        selection_mode="single-row", alt="A row for each photo: its verdict and the probability of dog",
    )  # fmt: skip
    st.caption("Choose a row to look at that photo below, and to see why.")
    st.download_button(
        "Download the verdicts (CSV)", verdict.csv_of(rows), "verdicts.csv", "text/csv", icon=":material/download:",
        on_click="ignore",
    )  # fmt: skip


def _look_at(uploads: list[Any]) -> None:
    rows = st.session_state["photo_table"]["selection"]["rows"]
    if rows:
        upload = uploads[rows[0]]
        picture.use(open_image(upload.getvalue()), upload.name)
        st.session_state["photo_chosen"] = True


def _classify_all(card: ModelCard, stamp: int, uploads: list[Any]) -> list[dict[str, Any]]:
    old = st.session_state.get("photo_rows", {})
    keys = [(card.name, stamp, upload.file_id) for upload in uploads]
    rows = {key: old[key] for key in keys if key in old}
    todo = [(key, upload) for key, upload in zip(keys, uploads, strict=True) if key not in rows]
    if len(todo) > 1:
        bar = st.progress(0.0, "Looking at your photos…")
    for start in range(0, len(todo), AT_ONCE):
        rows |= _classify_some(card, todo[start : start + AT_ONCE])
        st.session_state["photo_rows"] = rows
        if len(todo) > 1:
            done = min(start + AT_ONCE, len(todo))
            bar.progress(done / len(todo), f"Looking at your photos… {done} of {len(todo)}")
    if len(todo) > 1:
        bar.empty()
    st.session_state["photo_rows"] = rows
    return [rows[key] for key in keys]


def _classify_some(card: ModelCard, todo: list[tuple[Any, Any]]) -> dict[Any, dict[str, Any]]:
    rows: dict[Any, dict[str, Any]] = {}
    images = {}
    for key, upload in todo:
        rows[key] = {"file": upload.name, "error": "", "upload": upload}
        try:
            images[key] = open_image(upload.getvalue())
        except CnnLabError as error:
            rows[key]["error"] = str(error)
    for key, prediction in zip(images, open_model(card.name).predictions(list(images.values())), strict=True):
        rows[key] |= {
            "verdict": prediction.sentence, "label": prediction.label, "probability": prediction.probability,
            **prediction.probabilities, "model": prediction.model, "thumbnail": _thumbnail(images[key]),
        }  # fmt: skip
    return rows


def _thumbnail(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(fit(image, 112)).save(file, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _script(card: ModelCard) -> None:
    _, name = picture.current()
    neither = tells_neither(card.path)
    code_panel.show(lessons.classify_script(card.path.name, name, card.input_size or 128, neither))
    exports.show(card)
    exports.model_card(card)


main()
