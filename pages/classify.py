"""Drop a photo of a pet; get the verdict and the reason."""

import time

import streamlit as st

from cnn_core import CnnLabError
from cnn_core.model_io.keras_file import tells_neither
from cnn_core.models import ModelCard, answers_at_once, list_models, open_model
from cnn_core.scripts import lessons
from cnn_core.wording import percent, plain
from pages.widgets import address, code_panel, controls, exports, model_upload, picture, verdict, warmup
from pages.widgets.classify import percentage, photo_table, photos
from pages.widgets.why.case import Case

# A drop zone that is easy to hit; on a phone the verdict stands above its photo.
STYLE = """<style>
.st-key-verdict img, .st-key-heat_map img { max-height: 24rem; object-fit: contain; object-position: left; }
.st-key-drop_zone [data-testid="stFileUploaderDropzone"] { min-height: 7rem; align-items: center;
  border: 2px dashed rgba(128, 128, 128, .45); }
/* As wide as its formula, it would be a region that scrolls by a pixel or two, and that no key reaches. */
.st-key-verdict [data-testid="stMarkdownContainer"] .katex-display { overflow: visible; }
@media (max-width: 640px) {
  .st-key-verdict [data-testid="stHorizontalBlock"] { flex-direction: column-reverse; }
  .st-key-verdict [data-testid="stColumn"] { min-width: 100%; }
}
</style>"""

_MODEL, _MODEL_WANTED = controls.MODEL.name, "model_wanted"


def main() -> None:
    """Draw the page. The verdict of a model that needs TensorFlow follows when that is loaded."""
    st.markdown("A convolutional network classifies your photo as cat or dog, and shows which parts it relied on.")
    st.html(STYLE)
    photos.drop_zone()
    answer = st.container()
    card = _choose_model()
    with answer:
        if card is None:
            _no_model()
        elif answers_at_once(card.path) or warmup.ready():
            _answer(card)
        else:
            with st.container(key="verdict"):
                photo, words = st.columns([2, 3], gap="medium")
                image, name = picture.current()
                photo.image(picture.file_for_screen(image), width="stretch", alt=name, caption=plain(name))
                with words:
                    _loading()
    if card is not None:
        _script(card)


def _choose_model() -> ModelCard | None:
    if _MODEL_WANTED in st.session_state:
        st.session_state[_MODEL] = st.session_state.pop(_MODEL_WANTED)
    cards = {card.name: card for card in list_models()}
    chosen = None
    if cards:
        names = list(cards)
        address.read(_MODEL, names, names[0])
        name = st.selectbox(
            "Model", names, format_func=lambda name: _title(cards[name]), **address.menu(_MODEL),
            help="The bundled models, the ones you trained, and the ones you uploaded.",
        )  # fmt: skip
        address.write(_MODEL, name, names[0])
        chosen = cards.get(name)
    if loaded := model_upload.ask():
        st.session_state[_MODEL_WANTED] = loaded
        st.rerun()
    return chosen


def _title(card: ModelCard) -> str:
    return card.title if card.accuracy is None else f"{card.title} · accuracy {percent(card.accuracy)}"


def _no_model() -> None:
    with st.container(key="verdict"):
        st.info("There is no model yet. Train one in a minute on the page Train, or upload a .keras file below.")


@st.fragment(run_every=1.0)
def _loading() -> None:
    """Load TensorFlow, and show the progress in the place of the verdict."""
    warmup.start()
    if warmup.ready():
        st.session_state.pop("waits_since", None)
        st.rerun()
    since = st.session_state.setdefault("waits_since", time.monotonic())
    seconds, usual = time.monotonic() - since, 8
    text = f"Loading TensorFlow to open this model… {seconds:.0f} s. This takes a few seconds, once after each start."
    st.progress(min(0.95, seconds / usual), text)


@st.fragment
def _answer(card: ModelCard) -> None:
    if photos.changed():
        st.rerun()  # not only this part: the sidebar shows the photo too
    image, name = picture.current()
    table, answer, reason = st.container(), st.container(key="verdict"), st.container()
    try:
        with answer:
            photo, words = st.columns([2, 3], gap="medium")
            with words, st.spinner("Classifying the photo…", show_time=True):
                case = Case.ask(card, image, name)
            photo.image(picture.file_for_screen(image), width="stretch", alt=name, caption=plain(name))
            with words:
                _verdict(case)
        with reason:
            from pages.widgets.why import tabs  # only now: it brings in pandas and Plotly

            tabs.show(case)
        with table:
            photo_table.show(case)
    except CnnLabError as error:
        st.error(plain(error))
    except ImportError as error:
        st.error(f"TensorFlow cannot be loaded ({plain(error)}). Install it with: pip install -r requirements.txt")


def _verdict(case: Case) -> None:
    verdict.show(case.prediction)
    for warning in open_model(case.card.name).warnings:
        st.warning(warning)
    percentage.show(case)
    with st.expander("About this model"):
        st.markdown(f"**{plain(case.card.title)}.** {plain(case.card.text)}")
        size = case.card.input_size
        st.markdown(f"The model receives the photo at {size} × {size} pixels. {case.prediction.about_pets}")


def _script(card: ModelCard) -> None:
    _, name = picture.current()
    neither = tells_neither(card.path)
    code_panel.show(lessons.classify_script(card.path.name, name, card.input_size or 128, neither))
    exports.show(card)
    exports.model_card(card)


main()
