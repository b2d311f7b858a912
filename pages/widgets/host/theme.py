"""The colors and fonts of `.streamlit/config.toml`, read out of Streamlit's settings once instead of for each run."""

from functools import cache

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

FILL = "_populate_theme_msg"
"""Streamlit's function that reads a section of the theme; another Streamlit may have another."""


def read_once() -> None:
    """Let Streamlit keep what it tells browsers of the theme.

    Each run of a script, also of a fragment, begins with a message that holds all of it. Streamlit looks for it among
    all its settings, six times a message: 2 to 3 ms, as long as a page of ten elements takes. A server for many does
    not change its settings while it runs.
    """
    read = getattr(app_session, FILL, None)
    if read is None:  # another Streamlit
        return

    @cache
    def told(section: str) -> CustomThemeConfig:
        message = CustomThemeConfig()
        read(message, section)
        return message

    def fill(message: CustomThemeConfig, section: str = "theme") -> None:
        if told(section).ByteSize():  # to merge nothing would still say that there is such a section
            message.MergeFrom(told(section))

    setattr(app_session, FILL, fill)
