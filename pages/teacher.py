"""For a class: who trains what, the line, what is put there for all, a link for all, everyone's results."""

from urllib.parse import urljoin, urlsplit

import segno
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.host import classroom, limits
from cnn_core.wording import plain
from pages.widgets import run_monitor, warmup
from pages.widgets.train import run_table

REFRESH = 2.0
_IN, _GIVEN, _WRONG = "teacher_in", "teacher_given", "teacher_wrong"


def main() -> None:
    """Ask for the code; then show the class."""
    if not st.session_state.get(_IN):
        _door()
        return
    st.markdown(
        "Each visitor has a short name, such as 72c4. They can add their own name in the sidebar, under *Your space on "
        "this server*."
    )
    st.header("Training runs now", divider="gray")
    st.fragment(_under_way, run_every=REFRESH)()
    st.header("A link for the class", divider="gray")
    _link()
    st.header("Photos and models for the class", divider="gray")
    _give()
    everything = classroom.all_runs()
    run_table.compare([run for _, run in everything], {run.id: who for who, run in everything})


def _door() -> None:
    st.markdown("This page is for the teacher of a class.")
    with st.form("teacher_door", border=False):
        st.text_input("Code", type="password", key="teacher_code", autocomplete="current-password")
        st.form_submit_button("Open", type="primary", on_click=_try)
    if wrong := st.session_state.pop(_WRONG, ""):
        st.error(wrong)


def _try() -> None:
    try:
        classroom.check_code(st.session_state["teacher_code"])
        st.session_state[_IN] = True
    except CnnLabError as error:
        st.session_state[_WRONG] = str(error)


def _under_way() -> None:
    found = classroom.under_way()
    if not found:
        st.caption("No training is running now.")
    for who, run, status in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container():
                st.markdown(f"**{plain(who)}** · {plain(run_table.label(run))}")
                st.progress(run_monitor.share_done(status), run_monitor.where(status))
            run_monitor.stop_button(run, status, f"teacher_stop_{who}_{run.id}")


def _link() -> None:
    st.markdown(
        "Open a page of CNN Lab in another tab and set it up as your class should see it: the picture, the kernel, the "
        "network. Then copy its address into this field."
    )
    address = st.text_input("Address for the class", urljoin(st.context.url or "", "/"), key="teacher_link").strip()
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        st.info("Copy the whole address. It begins with “http”.")
        return
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        st.warning("This address works only on this computer. Open CNN Lab at the address that your class uses.")
    st.code(address, language=None, wrap_lines=True)
    try:
        code = segno.make(address, micro=False)
    except segno.DataOverflowError:
        st.info("This address is too long for a QR code.")
        return
    st.image(code.svg_inline(scale=5, light="white"), width=240, alt="The address as a QR code")


def _give() -> None:
    st.markdown("Everyone can use what you upload here. Photos appear under *Datasets folder*, models in every menu.")
    file = st.file_uploader(
        "Zip of photos or Keras model for the class", ["zip", "keras"], key="teacher_upload",
        max_upload_size=limits.UPLOAD.value,
    )  # fmt: skip
    if file is not None:
        _keep(file)
    if given := classroom.given():
        st.caption("What was given to the class. *Take back* removes it for everyone.")
    for name in given:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(name))
            st.button("Take back", key=f"teacher_take_back_{name}", on_click=_take_back, args=(name,))


def _keep(file) -> None:
    """Keep an upload for all, once: what was taken back stays away while its file is still in the uploader."""
    if st.session_state.get(_GIVEN, ("", ""))[0] != file.file_id:
        model = file.name.lower().endswith(".keras")
        if model:
            warmup.wait("Loading TensorFlow to check the model")
        try:
            name = (classroom.give_model if model else classroom.give_dataset)(file.getvalue(), file.name)
        except CnnLabError as error:
            st.error(plain(error))
            return
        st.session_state[_GIVEN] = (file.file_id, name)
    if name := st.session_state[_GIVEN][1]:
        st.success(f"Everyone can use “{plain(name)}” now.")


def _take_back(name: str) -> None:
    try:
        classroom.take_back(name)
    except CnnLabError as error:
        st.toast(plain(error))
        return
    upload, kept = st.session_state.get(_GIVEN, ("", ""))
    if kept == name:
        st.session_state[_GIVEN] = (upload, "")


main()
