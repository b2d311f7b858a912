"""What a look at all pictures tells: balance, sizes, broken files, test pictures that are in the training set too."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from cnn_core.data_files import corrections
from cnn_core.data_files.summary import Summary, summary
from cnn_core.pixels import fit, open_image
from cnn_core.source import Source
from cnn_core.wording import data_size, percent, plain
from pages.widgets import background, correction_list, data_source, run_monitor
from pages.widgets.train import broken_list

SHOWN = 3
"""Pairs of duplicates that are shown as pictures."""

PAIR_WIDTH = 72

UNEVEN = 0.6
"""From this share of one class on, the page recommends class weights."""


@dataclass(eq=False)
class Facts(background.Job):
    """A look at every picture of a source.

    Attributes
    ----------
    found : Summary or None
        None until it is known.
    pairs : list of (numpy.ndarray, numpy.ndarray)
        The first duplicates: a picture of the test set, and its copy in the training set.
    folder : str
        The dataset's.
    """

    stopped = "Comparing the pictures was stopped."
    failed = "The pictures could not be compared ({}). Check them and try again."

    data: str
    images: int | None
    seed: int
    test_size: float
    found: Summary | None = field(default=None, init=False)
    pairs: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list, init=False)
    folder: str = field(default="", init=False)

    def work(self) -> None:
        """Compare all pictures."""
        source = Source(self.data, self.images, self.seed, self.test_size)
        table = source.table(self.progress)
        self.folder = table.attrs["folder"]
        found = summary(source, table, self.progress)
        first = found.duplicates.head(SHOWN)[["test", "training"]].to_numpy()
        self.pairs = [
            (fit(open_image(one), 2 * PAIR_WIDTH), fit(open_image(other), 2 * PAIR_WIDTH)) for one, other in first
        ]
        self.found = found


def show(source: Source) -> None:
    """Show a fold; the look begins when it is opened, for it reads every picture once."""
    fold = st.expander(
        "Balance, sizes and duplicates", icon=":material/query_stats:", key="dataset_facts", on_change="rerun"
    )
    if not fold.open:
        return
    with fold:
        seen_before = data_source.look(source.data, source.images, source.seed)  # another one when it was read again
        state = (seen_before, data_source.changed(str(corrections.path_of(source.data))))
        about = (source.data, source.images, source.seed, source.test_size)
        seen = background.job(Facts, *about, state=state)
        if not seen.ready(data_source.WAIT_SECONDS):
            st.fragment(_progress, run_every=run_monitor.REFRESH)(seen)
        elif seen.found is None:
            st.error(plain(seen.error))
            st.button("Compare the pictures", on_click=background.forget, args=(seen,), icon=":material/refresh:")
        else:
            _found(seen, seen.found)


def _progress(seen: Facts) -> None:
    if seen.ready():
        st.rerun()
    st.progress(seen.share, seen.says)
    st.button("Stop comparing", on_click=seen.stop, icon=":material/stop:")


def _found(seen: Facts, found: Summary) -> None:
    rows = found.balance.drop(columns="photos")
    rows["share"] = [percent(share, counted=True) for share in rows["share"]]
    st.dataframe(rows, hide_index=True, alt="Photos of each class, in the training set and in the test set")
    if found.balance["share"].max() >= UNEVEN:
        st.info(
            "One class has many more pictures than the other. Turn on **Class weights** below, so that both classes "
            "count equally."
        )
    (narrow, wide_median, wide), (low, high_median, high) = found.sizes.width, found.sizes.height
    st.markdown(
        f"Width {narrow:,} to {wide:,} pixels (median {wide_median:,}), height {low:,} to {high:,} (median "
        f"{high_median:,}), {data_size(found.sizes.bytes)} in all."
    )
    broken_list.show(found.broken)
    _duplicates(seen, found)


def _duplicates(seen: Facts, found: Summary) -> None:
    rows = found.duplicates
    if rows.empty:
        st.success("No picture of the test set was found in the training set.")
        return
    st.warning(
        f"**Pictures of the test set that are also in the training set: {len(rows):,}** (identical files: "
        f"{int(rows['same_file'].sum()):,}). The network learns from them, so its test score is too high."
    )
    with st.container(horizontal=True):
        for one, other in seen.pairs:
            with st.container(horizontal=True, width=2 * PAIR_WIDTH + 8, gap=None):
                st.image(one, caption="test", width=PAIR_WIDTH, alt="In the test set")
                st.image(other, caption="training", width=PAIR_WIDTH, alt="Its copy in the training set")
    names = {part: corrections.names(rows[part], seen.folder) for part in ("test", "training")}
    table = {**names, "labels": rows["test_label"] + ", " + rows["training_label"], "same file": rows["same_file"]}
    st.dataframe(
        pd.DataFrame(table), hide_index=True, alt="Pictures of the test set and their copies in the training set"
    )
    st.caption(
        "Two pictures count as copies when their files are identical, or when they look almost the same after "
        "shrinking to 9 × 8 pixels. This finds copies that were resized or saved again. It does not find cropped or "
        "mirrored copies."
    )
    st.button(
        "Leave these out of the test set",
        icon=":material/content_cut:",
        on_click=correction_list.correct,
        args=(seen.data, names["test"], None),
    )
