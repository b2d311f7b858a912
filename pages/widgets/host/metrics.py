"""What a host's monitoring asks for: numbers in Prometheus' text format, for who has the token."""

import hmac
import os

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cnn_core.host import gauges, start

PATH = "/host/metrics"


async def metrics(request: Request) -> Response:
    """Answer with the figures; without the token, as if there were no such page."""
    token = os.environ.get(start.TOKEN, "")
    shown = request.headers.get("authorization", "").encode()
    if not token or not hmac.compare_digest(shown, f"Bearer {token}".encode()):
        return PlainTextResponse("Not Found", 404)
    text = await run_in_threadpool(gauges.text)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


ROUTES = [Route(PATH, metrics)]
