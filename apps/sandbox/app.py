"""The stand-in as one ASGI application, to be mounted at any path or served by itself."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from apps.sandbox import graph, media, phone
from apps.sandbox.control import Control
from apps.sandbox.errors import GraphError
from apps.sandbox.graph import Graph
from apps.sandbox.settings import SandboxSettings
from apps.sandbox.state import Sandbox
from apps.sandbox.webhooks import Sender


def create_app(settings: SandboxSettings) -> Starlette:
    """The whole stand-in; its state lives in `app.state.sandbox` and lasts as long as the process."""
    sandbox = Sandbox(initial=settings)
    sender = Sender(sandbox)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await sender.close()

    async def lookaside(request: Request) -> Response:
        """Where media are downloaded from; the token is needed here too."""
        graph.check_token(sandbox, request)
        return media.download(sandbox, request)

    app = Starlette(
        routes=[
            Mount("/graph", app=Graph(sandbox, sender)),
            Mount("/api", routes=Control(sandbox, sender).routes),
            Route("/lookaside/whatsapp_business/attachments/", lookaside),
            *phone.routes(),
        ],
        exception_handlers={GraphError: graph.refuse},
        lifespan=lifespan,
    )
    app.state.sandbox = sandbox
    return app


def create_app_from_environment() -> Starlette:
    """The stand-in with the settings of Recado's own environment."""
    return create_app(SandboxSettings.from_environment())
