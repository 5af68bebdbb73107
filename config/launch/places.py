"""Where a checkout keeps what it makes: below .local, or beside it when the engines' account cannot get there."""

import hashlib
import json
import os
import random
import secrets
import shutil
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from config.launch.accounts import Account
from config.launch.errors import LaunchError

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = Path("/var/lib/recado")  # only root needs it; unlike /var/tmp nothing there is swept away with age
# Below the range from which the kernel hands out ports for outgoing connections.
PORTS = range(20_000, 30_000)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folders of one instance (`run`, `test`, `bench`) of one checkout."""

    notes: Path  # pid files, logs, the lock: ours
    engines: Path  # data and copied programs: the engines' account's


@dataclass(frozen=True)
class Address:
    """Where an engine listens on 127.0.0.1, and the password that it asks for."""

    port: int
    password: str


def local(root: Path = ROOT) -> Path:
    """The checkout's .local folder; others may pass through it, each thing in it is closed by itself."""
    folder = root / ".local"
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


def place(name: str, account: Account, root: Path = ROOT) -> Place:
    """The folders of an instance, made if need be; found again wherever they were made first."""
    notes = local(root) / name
    notes.mkdir(mode=0o711, exist_ok=True)
    inside = notes / "engines"
    reachable = account.can_enter(notes)
    if inside.exists() and not reachable:
        raise LaunchError(f"The account 'nobody' can no longer reach {inside}: open the folders above it.")
    elsewhere = outside(name, root)
    engines = elsewhere if not reachable or (elsewhere.exists() and not inside.exists()) else inside
    if engines == elsewhere:
        OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not account.own(engines):
        raise LaunchError(f"{engines} belongs to someone else; remove it and start again.")
    return Place(notes=notes, engines=engines)


def outside(name: str, root: Path = ROOT) -> Path:
    """An instance's folder where every account can get, told from other checkouts' by the checkout's path."""
    return OUTSIDE / f"{hashlib.sha256(str(root).encode()).hexdigest()[:12]}-{name}"


def forget(place: Place) -> None:
    """Delete an instance's data, logs and copied programs."""
    shutil.rmtree(place.engines)
    shutil.rmtree(place.notes)


def address(place: Place, engine: str) -> Address:
    """An engine's address, chosen once, with another port when someone else has taken it meanwhile."""
    path = place.engines / f"{engine}.json"
    known = Address(**json.loads(path.read_text())) if path.exists() else Address(0, secrets.token_hex(16))
    if not is_free(known.port):
        known = replace(known, port=_free_port())
        write_private(path, json.dumps(asdict(known)))
    return known


def is_free(port: int) -> bool:
    """Whether we could listen on a port of 127.0.0.1."""
    if port == 0:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only its owner (by default we) can read; it appears whole or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    if account:
        account.give(unfinished)
    unfinished.replace(path)


def _free_port() -> int:
    while True:
        port = random.choice(PORTS)
        if is_free(port):
            return port
