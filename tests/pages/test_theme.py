"""A shared server reads the theme out of its settings once, and tells browsers the same as Streamlit would."""

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from pages.widgets.host import theme
from pages.widgets.host.theme import FILL


def told() -> CustomThemeConfig:
    """Return what a browser is told: the theme, in light and dark, and of the sidebar in both."""
    message, fill = CustomThemeConfig(), getattr(app_session, FILL)
    fill(message)
    for part, section in (
        (message.light, "theme.light"), (message.dark, "theme.dark"), (message.sidebar, "theme.sidebar"),
        (message.light.sidebar, "theme.light.sidebar"), (message.dark.sidebar, "theme.dark.sidebar"),
    ):  # fmt: skip
        fill(part, section)
    return message


def test_a_browser_is_told_the_same_and_the_settings_are_read_once(monkeypatch):
    monkeypatch.setattr(app_session, FILL, getattr(app_session, FILL))  # so that it is put back afterwards
    as_streamlit_does = told()
    assert as_streamlit_does.light.primary_color == "#0072B2"
    assert not as_streamlit_does.HasField("sidebar")  # config.toml has no such section
    theme.read_once()
    assert told() == as_streamlit_does
    monkeypatch.setattr(config, "get_options_for_section", lambda _: pytest.fail("the settings are read again"))
    again = told()
    assert again == as_streamlit_does
    assert not again.HasField("sidebar")


def test_another_streamlit_is_left_as_it_is(monkeypatch):
    monkeypatch.delattr(app_session, FILL)
    theme.read_once()
    assert not hasattr(app_session, FILL)
