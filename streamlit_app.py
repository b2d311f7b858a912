"""The start of the app: what every page shares, and the navigation between them."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from cnn_core.host import spaces, start, turns
from cnn_core.storage.files import at_home, home
from pages.widgets import protection, unexpected, warmup
from pages.widgets.host import link, memory, metrics, upkeep
from pages.widgets.train import to_status

PAGES = {
    "": [("classify", "Cat or dog?", "pets", "Cat or dog?")],
    "Lessons": [
        ("pixels", "1 · Pixels", "grid_on", "A picture is numbers"),
        ("convolution", "2 · Convolution", "blur_on", "Convolution"),
        ("pooling", "3 · Pooling", "compress", "Pooling"),
        ("network", "4 · Network", "account_tree", "Stack the layers"),
        ("train", "5 · Train", "model_training", "Train the network"),
        ("evaluate", "6 · Evaluate", "fact_check", "How good is it?"),
    ],
}
"""Under each heading of the menu: a page's file, its name in the menu, its icon, its title."""

CLASS = {"Class": [("teacher", "Teacher", "school", "The class")]}
"""A page that is not in the menu: a teacher opens it by its address, ``/teacher``."""


def main() -> None:
    """Draw the sidebar, then the page that the address names."""
    # Here, so that nothing of it is imported before `warmup.first_page` does, where errors wait for the page.
    from pages.widgets import appearance, controls, picture, run_monitor
    from pages.widgets.host import account, own_space

    st.set_page_config("CNN Lab", appearance.ICON, layout="wide")
    st.logo(appearance.LOGO, size="large")
    st.html(appearance.STYLE)
    menu = PAGES | (CLASS if start.has_teacher() else {})
    page = st.navigation(
        {
            section: [
                st.Page(
                    f"pages/{name}.py",
                    title=title,
                    icon=f":material/{icon}:",
                    default=name == "classify",
                    visibility="hidden" if pages is CLASS["Class"] else "visible",
                )
                for name, title, icon, _ in pages
            ]
            for section, pages in menu.items()
        }
    )
    titles = {name: title for pages in menu.values() for _, name, _, title in pages}
    st.title(titles[page.title], anchor=False)  # before the sidebar, which the browser takes longer to draw
    if account.asks():
        return
    spaces.greet()
    controls.read_old_links()
    with turns.Page(), at_home(home()):  # looked up once, not by each part of the page
        with st.sidebar:
            picture.choose()
            run_monitor.sidebar()
            own_space.sidebar()
        page.run()


@asynccontextmanager
async def started(_app: st.App) -> AsyncIterator[None]:
    """Get ready, and open the browser, which `streamlit run` leaves to an `st.App`."""
    warmup.first_page()
    warmup.first_verdict()
    if not st.get_option("server.headless"):
        address = f"http://localhost:{st.get_option('server.port')}"
        asyncio.get_running_loop().call_later(0.5, webbrowser.open, address)
    async with upkeep.of_spaces(), memory.kept_small():
        yield


if __name__ == "__main__":
    main()
else:
    # `streamlit run` imports a file that holds an `st.App` once, before the first visitor. Time to say that the folder
    # `pages` is not Streamlit's old kind of multipage app: a just started server would show /pixels without this file.
    PagesManager.uses_pages_directory = False
    memory.share_free_memory()
    protection.keep_photos_in_memory()
    headers = Middleware(protection.Headers, scripts=[to_status.SCRIPT])
    app = st.App(
        __file__,
        lifespan=started,
        middleware=[headers, *upkeep.prepare()],
        routes=[*metrics.ROUTES, *link.ROUTES],
        on_script_error=unexpected.explain,
    )
