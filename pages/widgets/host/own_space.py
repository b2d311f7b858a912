"""What a visitor has on a shared server, and how to delete it all."""

from contextlib import suppress

import streamlit as st

from cnn_core.host import limits, spaces, start
from cnn_core.storage.files import home, size, visiting
from cnn_core.wording import plain
from pages.widgets.host import account, link

_KEPT, _NAME = "own_space_kept", "own_space_name"


def sidebar() -> None:
    """Draw the fold in the sidebar; at home there is none."""
    if not visiting():
        return
    fold = st.expander("Your space on this server", icon=":material/folder_shared:", key="own_space", on_change="rerun")
    if not fold.open:  # to add up all files takes a moment
        return
    with fold:
        st.caption(
            f"Your trainings, models and uploads take {size(home()) / limits.MB:,.0f} of {limits.SPACE.value:,} MB. "
            f"Other visitors cannot see them. {_whose()} After {limits.IDLE.value} hours without a visit they are "
            "deleted, so download what you want to keep."
        )
        if not account.set_up():
            _keep_a_link()
        if start.has_teacher():
            st.text_input(
                "Your name in the class", spaces.name_of(home()), max_chars=40, key=_NAME, on_change=_call_me,
                help="Your teacher sees this name next to your trainings. It is deleted with your space.",
            )  # fmt: skip
            st.caption(f"Your teacher sees your trainings under the name **{plain(spaces.label(home()))}**.")
        if st.session_state.pop(_KEPT, False):
            st.warning("One of your trainings is running or waiting. Stop it first, then delete everything.")
        with st.popover("Delete everything", icon=":material/delete:", width="stretch"):
            st.write("This deletes all your trainings, models, uploads and corrections on this server.")
            st.button("Delete everything permanently", key="own_space_delete", type="primary", on_click=_delete)
        if account.set_up():
            st.button("Sign out", key="sign_out", icon=":material/logout:", width="stretch", on_click=st.logout)


def _whose() -> str:
    if account.set_up():
        return f"They belong to the account of **{plain(account.name())}**: sign in with it in any browser."
    return "They belong to this browser: a cookie in it opens them again."


def _keep_a_link() -> None:
    keep = st.popover(
        "Keep a link to this space", icon=":material/link:", width="stretch", key="own_space_link", on_change="rerun"
    )
    if not keep.open:  # the first look makes the link
        return
    with keep:
        st.write(
            "This link opens your space in another browser, or in this one when its cookie is gone. Keep it secret, "
            "like a password: everyone who has it can see, change and delete everything in your space."
        )
        try:
            st.code(link.address(st.context.url or ""), language=None, wrap_lines=True)
        except OSError:
            st.warning("The server cannot write to its disk now, so there is no link. Try again later.")
            return
        st.button("Make a new link", key="own_space_new_link", icon=":material/sync:", on_click=_new_link)
        st.caption(
            "If somebody else has the link, make a new one. The old link then opens nothing. A browser in which it was "
            "opened before stays in your space."
        )


def _new_link() -> None:
    with suppress(OSError):  # then the page shows that the link is still the old one
        spaces.key(new=True)


def _delete() -> None:
    st.session_state[_KEPT] = not spaces.clear()


def _call_me() -> None:
    spaces.call_me(st.session_state[_NAME])
