"""What the processes read: the caller's variables first, then .env, then what was made once for this checkout."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import environ

from config.launch import places

# What `make run` sets and a deployment does not: everything open and at hand, on this machine only.
RUN_DEFAULTS = {
    "PORT": "8000",
    "DEMO": "1",
    "LOG_FORMAT": "console",
    "REGISTRATION": "open",
    "SANDBOX": "1",
    "VERIFY_OWNERSHIP": "0",
    "WEB_PROCESSES": "1",
    "WORKER_PROCESSES": "3",
    "CALLER_THREADS": "16",
}
SECRETS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "ENCRYPTION_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "META_APP_SECRET": lambda: secrets.token_hex(16),
    "META_VERIFY_TOKEN": lambda: secrets.token_urlsafe(24),
}


def given(root: Path = places.ROOT) -> dict[str, str]:
    """The caller's variables and, where they are silent, those of .env."""
    return {**_read(root / ".env"), **os.environ}


def for_run(root: Path = places.ROOT) -> dict[str, str]:
    """What is given, with the defaults of `make run` and secrets of the checkout's own for what is not."""
    made = _read(places.local(root) / "env")
    environment = {**RUN_DEFAULTS, **given(root)}
    for name, make in SECRETS.items():
        environment[name] = environment.get(name) or made.get(name) or make()
    return environment


def remember(environment: Mapping[str, str], root: Path = places.ROOT) -> None:
    """Keep the secrets, and where the engines listen, for the next start and for Django's command line."""
    made = _read(places.local(root) / "env")
    own = given(root)
    kept = {name: environment[name] for name in (*SECRETS, "DATABASE_URL", "REDIS_URL") if not own.get(name)}
    lines = [f"{name}={value}\n" for name, value in {**made, **kept}.items()]
    places.write_private(places.local(root) / "env", "".join(lines))


def for_manage(root: Path = places.ROOT) -> dict[str, str]:
    """The environment of the Recado that `make run` started."""
    return {**RUN_DEFAULTS, **_read(places.local(root) / "env"), **given(root)}


def _read(path: Path) -> dict[str, str]:
    """The variables of an env file, read as the settings read it; none when there is no file."""
    variables: dict[str, str] = {}

    class Reader(environ.Env):
        ENVIRON = variables

    if path.exists():
        Reader.read_env(path)
    return variables
