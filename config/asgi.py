"""ASGI entry point: the intake ahead of everything, the sockets, the sandbox where it is on, and Django."""

import contextlib
import os
from collections.abc import AsyncIterator
from typing import cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.responses import RedirectResponse  # noqa: E402
from starlette.routing import Mount, Route  # noqa: E402
from starlette.types import ASGIApp  # noqa: E402

from apps.conversations import routing  # noqa: E402
from apps.meta.intake import Intake  # noqa: E402
from apps.sandbox.app import create_app_from_environment  # noqa: E402


def beside_sandbox(app: ASGIHandler, sandbox: Starlette) -> Starlette:
    """The application with the stand-in for Meta mounted at /sandbox/."""
    return Starlette(
        routes=[
            Route("/sandbox", lambda _: RedirectResponse("/sandbox/")),
            Mount("/sandbox", app=sandbox),
            Mount("", app=cast(ASGIApp, app)),
        ]
    )


sandbox = create_app_from_environment() if settings.SANDBOX else None
intake = Intake(beside_sandbox(ASGIHandler(), sandbox) if sandbox else ASGIHandler())


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """What must be given back when the process ends."""
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(intake.lifespan(app))
        if sandbox:
            await stack.enter_async_context(sandbox.router.lifespan_context(sandbox))
        yield


application = ProtocolTypeRouter(
    {"http": intake, "websocket": routing.application, "lifespan": Starlette(lifespan=lifespan)}
)
