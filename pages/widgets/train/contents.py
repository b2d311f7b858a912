"""What is in the chosen pictures: how many, how they are split, some examples."""

import pandas as pd
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.dataset import LABELS
from cnn_core.source import Source
from cnn_core.wording import plain
from pages.widgets import correction_list, data_source, run_monitor
from pages.widgets.train import facts


def show(source: Source) -> bool:
    """Show what is in the source as soon as it has been read, and the progress until then.

    Return False when it cannot be read or split; the page then says why.
    """
    seen = data_source.look(source.data, source.images, source.seed)
    if seen.ready(data_source.WAIT_SECONDS):
        return _contents(seen, source)
    st.fragment(_progress, run_every=run_monitor.REFRESH)(seen)
    return True


def _progress(seen: data_source.Look) -> None:
    if seen.ready():
        st.rerun()
    st.progress(seen.share, seen.says)


def _contents(seen: data_source.Look, source: Source) -> bool:
    if seen.table is None:
        st.error(plain(seen.error))
        _look_again()
        return False
    try:
        training, test = source.parts(seen.table)
    except CnnLabError as error:
        st.error(plain(error))
        _look_again()
        return False
    whole = pd.concat([training, test])
    counts = whole["label"].value_counts().reindex(LABELS, fill_value=0)
    st.markdown(
        f"**{len(whole):,}** pictures, {counts['cat']:,} cats and {counts['dog']:,} dogs: "
        f"**{len(training):,}** for training, **{len(test):,}** for testing."
    )
    if seen.examples:
        labels, images = zip(*seen.examples, strict=True)
        st.image(list(images), width=72, alt=[f"Example of a {label}" for label in labels])
    if not source.drawn:
        correction_list.show(source.data, source.in_force)
        facts.show(source)
        _look_again(type="tertiary")
    return True


def _look_again(**options) -> None:
    st.button("Read the pictures again", on_click=data_source.look_again, icon=":material/refresh:", **options)
