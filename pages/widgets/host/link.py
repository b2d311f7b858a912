"""A link that a visitor keeps: it opens the same space in another browser, or when the cookie is gone."""

from urllib.parse import urlencode, urljoin, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cnn_core.host import mode, spaces, tickets
from pages.widgets.host import account, visitor

PATH = "/host/space"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin"><meta name="robots" content="noindex">
<title>CNN Lab</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 "Source Sans", sans-serif }}
body {{ max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem; background: light-dark(#FFFFFF, #10161D);
       color: light-dark(#1B2733, #E8EDF2) }}
a {{ color: light-dark(#00609A, #6CB8F0) }}
button {{ font: inherit; padding: .5rem 1rem; border: 0; border-radius: .5rem; background: #0072B2; color: #FFFFFF;
         cursor: pointer }}
</style>
<main>{text}</main>
</html>"""

QUESTION = """<h1>Open this space?</h1>
<p>This link opens a space on this server, with the trainings, models and uploads of the person who made it. Open it if
it is yours.</p>
<p>If somebody else sent you the link, they will see everything that you do there, and you will see what they do.</p>
<p>This browser will then leave its own space. If you want to keep what is in that space, stay there and keep a link to
it first.</p>
<form method="post"><button>Open this space</button></form>
<p><a href="/">Stay in my own space</a></p>"""

NOTHING = """<h1>This link does not work</h1>
<p>It is incomplete, or there is a new link, or the space was deleted. Copy the whole link again.</p>
<p><a href="/">Go to CNN Lab</a></p>"""


def address(page: str) -> str:
    """Return the link to the visitor's space.

    Parameters
    ----------
    page : str
        The address of any page of this server, as the visitor's browser has it.

    Raises
    ------
    OSError
        When it is the first link and the server cannot write to its disk.
    """
    return urljoin(page, f"{PATH}?{urlencode({'key': spaces.key()})}")


async def ask(request: Request) -> Response:
    """Show what the link leads to, and a button: a look at a link, by a person or a program, changes nothing."""
    return _answer(QUESTION) if _space(request) else _answer(NOTHING, 404)


async def open_space(request: Request) -> Response:
    """Give the browser the ticket of the space, and lead it to the app; only from the page that asks."""
    space = _space(request)
    if space is None:
        return _answer(NOTHING, 404)
    if urlsplit(request.headers.get("origin", "")).netloc != request.headers.get("host"):
        return _answer(QUESTION, 403)  # another site's page has sent this
    ticket = visitor.cookie(request.scope, tickets.ticket_of(space))
    return RedirectResponse("/", 303, {"set-cookie": ticket, "cache-control": "no-store"})


def _space(request: Request) -> str | None:
    if not mode.shared() or account.set_up():
        return None
    return spaces.opened_by(request.query_params.get("key"))


def _answer(text: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(text=text), status, {"cache-control": "no-store"})


ROUTES = [Route(PATH, ask), Route(PATH, open_space, methods=["POST"])]
