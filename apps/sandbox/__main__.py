"""`python -m apps.sandbox`: the stand-in as a process of its own, without Django."""

import argparse
import dataclasses
import socket
import sys

import uvicorn

from apps.sandbox.app import create_app
from apps.sandbox.settings import SandboxSettings

# as long as Meta's: closed sooner, a connection that a client has kept breaks under its next request
KEEP_ALIVE_SECONDS = 75
SHUTDOWN_SECONDS = 2  # open event streams are not waited for any longer


def main() -> None:
    """Serve until interrupted."""
    settings = SandboxSettings.from_environment()
    parser = argparse.ArgumentParser(prog="python -m apps.sandbox", description="A local stand-in for Meta.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--webhook", default=settings.webhook_url, help="where webhooks go (%(default)s)")
    parser.add_argument("--secret", default=settings.app_secret, help="signs them; META_APP_SECRET if not given")
    options = parser.parse_args()
    serve(
        dataclasses.replace(settings, webhook_url=options.webhook, app_secret=options.secret),
        host=options.host,
        port=options.port,
    )


def serve(settings: SandboxSettings, *, host: str, port: int) -> None:
    """Serve the stand-in until interrupted; port 0 is any free one."""
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        sys.exit(f"Cannot listen on {host}:{port}: {error.strerror}.")
    sys.stdout.write(f"Sandbox at http://{host}:{listener.getsockname()[1]}/, webhooks to {settings.webhook_url}\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        create_app(settings),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
