"""Microsoft's copy of Dogs vs. Cats: its size, its download in the background, and where else to get the photos."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from cnn_core.data_files import kept
from cnn_core.data_files.download import MICROSOFT, arrived, download, target_of
from cnn_core.wording import data_size, plain, so_far, time_left
from pages.widgets import background

REFRESH = 0.5


@dataclass(eq=False)
class Download(background.Job):
    """The download to this home."""

    stopped = "Stopped. What has arrived is kept, and you can continue the download later."
    failed = "The download failed ({}). Try again: it continues where it stopped."

    target: Path

    def work(self) -> None:
        """Download what is missing."""
        self.progress(0, 1, "Asking the server")
        download(MICROSOFT, self.target, self.progress)


def choose() -> str:
    """Offer the download; return the path of the zip, or "" while it is not here."""
    target = target_of(MICROSOFT)
    if target.exists():
        st.caption(f"The 25,000 photos of *Dogs vs. Cats*, as Microsoft publishes them. They are in {plain(target)}.")
        return str(target)
    whole = data_size(MICROSOFT.bytes)
    st.markdown(
        f"The 25,000 photos of *Dogs vs. Cats*, as Microsoft publishes them. **{whole} to download**; together with "
        f"the unpacked photos they take {data_size(2 * MICROSOFT.bytes)} on the disk of the computer that runs CNN Lab."
    )
    running = [job for job in background.jobs(Download) if isinstance(job, Download) and job.target == target]
    if running and not running[-1].ready():
        st.fragment(_progress, run_every=REFRESH)(running[-1])
    else:
        if running and (said := running[-1].error):
            (st.info if said == Download.stopped else st.error)(plain(said))
        here = arrived(target)
        if here:
            st.caption(f"{data_size(here)} of {whole} have arrived.")
        st.button(
            "Continue the download" if here else f"Download {whole}",
            key="dataset_download",
            icon=":material/download:",
            on_click=_begin,
            args=(target,),
        )
    st.caption(
        "Kaggle has the same photos, but you need an account there. Download the zip from "
        "https://www.kaggle.com/c/dogs-vs-cats/data. Then choose “Upload a zip”, or put it into the folder "
        f"{plain(kept.folder())} and choose “Datasets folder”."
    )
    return ""


def _begin(target: Path) -> None:
    background.forget(*background.jobs(Download))
    background.job(Download, target)


def _progress(running: Download) -> None:
    if running.ready():
        st.rerun()
    left = time_left(running.seconds_left)
    st.progress(running.share, so_far(plain(running.what), running.done, running.total, data_size) + left)
    st.button("Stop the download", on_click=running.stop, icon=":material/stop:")
