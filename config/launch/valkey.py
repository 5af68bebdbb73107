"""A Valkey or Redis server that keeps nothing on disk: what must last is in PostgreSQL."""

import socket
from pathlib import Path

from config.launch import binaries, places, processes
from config.launch.accounts import Account
from config.launch.engines import ENVIRONMENT, Engine
from config.launch.places import Address, Place
from config.launch.processes import Output, Process, Program


def prepare(place: Place, account: Account, output: Output) -> Engine:
    """Say how to start the server."""
    configuration = _configuration(place)
    program = Program(
        name="valkey",
        command=(str(binaries.valkey(place.engines, account)), str(configuration)),
        environment=ENVIRONMENT,
        directory=place.engines,
        pid_file=place.notes / "valkey.pid",
        stop_seconds=1,
        account=account,
        log=place.notes / "valkey.log",
    )
    address = places.address(place, "valkey")
    settings = {
        "bind": "127.0.0.1",
        "port": str(address.port),
        "requirepass": address.password,
        "save": '""',
        "appendonly": "no",
        "dir": str(place.engines),
        "set-proc-title": "no",  # a left-over is recognized by its command line
    }
    text = "".join(f"{key} {value}\n" for key, value in settings.items())
    places.write_private(configuration, text, account)
    url = f"redis://:{address.password}@127.0.0.1:{address.port}/0"
    return Engine(Process(program, output), url, lambda: _answers(address))


def heal(place: Place) -> None:
    """Stop the server that a killed launcher left running."""
    processes.heal(place.notes / "valkey.pid", marker=str(_configuration(place)))


def _configuration(place: Place) -> Path:
    return place.engines / "valkey.conf"


def _answers(address: Address) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", address.port), timeout=1) as connection:
            connection.sendall(f"AUTH {address.password}\r\n".encode())
            return connection.recv(64).startswith(b"+OK")
    except OSError:
        return False
