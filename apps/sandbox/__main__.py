"""`python -m apps.sandbox`: the stand-in as a process of its own, without Django."""

import argparse
import dataclasses

import uvicorn

from apps.sandbox.app import create_app
from apps.sandbox.settings import SandboxSettings


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
    """Serve the stand-in until interrupted."""
    print(f"Sandbox at http://{host}:{port}/, webhooks to {settings.webhook_url}", flush=True)
    uvicorn.run(create_app(settings), host=host, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
