"""Draw every page once, without a browser: ``python -m pages.widgets.try_out``.

The Dockerfile does so while it builds. An image that cannot show its pages is never made, and what they import is
compiled.
"""

from pathlib import Path
from typing import Any

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[2] / "streamlit_app.py"

_begin = PagesManager.__init__


def with_navigation(self: PagesManager, *arguments: Any, **options: Any) -> None:
    """Begin a `PagesManager` that knows that the app has its own navigation, as `streamlit_app` says on a server.

    AppTest forgets it before every run, and would run the files in `pages` bare.
    """
    _begin(self, *arguments, **options)
    PagesManager.uses_pages_directory = False


def main() -> None:
    """Draw the pages.

    Raises
    ------
    SystemExit
        When one of them shows an error.
    """
    import altair  # noqa: F401  (what Streamlit imports later, for charts and tables)
    import pyarrow  # noqa: F401
    import sklearn.metrics  # noqa: F401  (Evaluate imports it in a job)
    import streamlit.web.bootstrap  # noqa: F401

    PagesManager.__init__ = with_navigation  # type: ignore[method-assign]
    for page in sorted(path.name for path in APP.parent.glob("pages/[a-z]*.py")):
        test = AppTest.from_file(str(APP), default_timeout=300).switch_page(f"pages/{page}").run()
        problems = [element.value for element in (*test.exception, *test.error)]
        if problems or not test.title:
            raise SystemExit(f"{page} cannot be drawn: {problems}")
        print(f"{page} is drawn: {test.title[0].value}")


if __name__ == "__main__":
    main()
