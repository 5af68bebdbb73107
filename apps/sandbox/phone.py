"""The phone page: static files and nothing else; it lives on the control API."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def routes() -> list[BaseRoute]:
    """The page at `/`, its files below `/static/`."""
    return [Route("/", page), Mount("/static", app=StaticFiles(directory=STATIC))]


async def page(_: Request) -> Response:
    """A phone to chat on."""
    return FileResponse(STATIC / "phone.html", headers=HEADERS)
