"""ASGI entry point: the intake ahead of everything, the sockets, the sandbox where it is on, and Django."""

import os
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


def beside_sandbox(app: ASGIHandler) -> Starlette:
    """The application with the stand-in for Meta mounted at /sandbox/."""
    sandbox = create_app_from_environment()
    return Starlette(
        routes=[
            Route("/sandbox", lambda _: RedirectResponse("/sandbox/")),
            Mount("/sandbox", app=sandbox),
            Mount("", app=cast(ASGIApp, app)),
        ],
        lifespan=sandbox.router.lifespan_context,
    )


if settings.SANDBOX:
    http = beside_sandbox(ASGIHandler())
    application = ProtocolTypeRouter({"http": Intake(http), "websocket": routing.application, "lifespan": http})
else:
    application = ProtocolTypeRouter({"http": Intake(ASGIHandler()), "websocket": routing.application})
