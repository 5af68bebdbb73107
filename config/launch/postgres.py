"""A PostgreSQL server with one database, `recado`."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from config.launch import binaries, commands, places, processes
from config.launch.accounts import Account
from config.launch.engines import ENVIRONMENT, Engine
from config.launch.errors import LaunchError
from config.launch.places import Address, Place
from config.launch.processes import Output, Process, Program

SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
FAST_SHUTDOWN = signal.SIGINT  # ends sessions, writes a checkpoint
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def prepare(place: Place, account: Account, output: Output, *, durable: bool = True) -> Engine:
    """Make the data when there is none, and say how to start the server."""
    programs = _Programs(binaries.postgres(place.engines, account), place, account)
    data = _data(place)
    address = places.address(place, "postgres")
    if not data.exists():
        _make(programs, data, address, durable=durable)
    _check_version(programs, data)
    program = _program(programs, data, port=address.port, durable=durable)
    url = f"postgres://recado:{address.password}@127.0.0.1:{address.port}/recado"
    return Engine(Process(program, output), url, lambda: programs.answer(address.port))


def heal(place: Place) -> None:
    """Stop the server that a killed launcher left running, and drop a lock file that a crash left."""
    data = _data(place)
    for pid_file in (place.notes / "postgres.pid", data / "postmaster.pid"):
        processes.heal(pid_file, marker=str(data), stop_signal=FAST_SHUTDOWN)


def _data(place: Place) -> Path:
    return place.engines / "postgres"


@dataclass(frozen=True)
class _Programs:
    """PostgreSQL's programs, run as the engines' account."""

    folder: Path
    place: Place
    account: Account

    def run(self, name: str, *arguments: str, text: str = "") -> str:
        command = [str(self.folder / name), *arguments]
        directory = self.place.engines
        return commands.run(command, environment=ENVIRONMENT, directory=directory, account=self.account, text=text)

    def answer(self, port: int) -> bool:
        try:
            self.run("pg_isready", "-h", "127.0.0.1", "-p", str(port))
        except LaunchError:
            return False
        return True

    def major_version(self) -> int:
        return int(self.run("postgres", "--version").split()[2].partition(".")[0])


def _program(programs: _Programs, data: Path, *, port: int, durable: bool) -> Program:
    settings = {**SETTINGS, "port": str(port), **({} if durable else NOT_DURABLE)}
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return Program(
        name="postgres",
        command=(str(programs.folder / "postgres"), "-D", str(data), *options),
        environment=ENVIRONMENT,
        directory=programs.place.engines,
        pid_file=programs.place.notes / "postgres.pid",
        stop_signal=FAST_SHUTDOWN,
        stop_seconds=3,
        account=programs.account,
        log=programs.place.notes / "postgres.log",
    )


def _make(programs: _Programs, data: Path, address: Address, *, durable: bool) -> None:
    """Make the data folder beside its place and move it there, so that it is whole or not there at all."""
    unfinished = data.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    password = data.with_name("password")
    places.write_private(password, address.password, programs.account)
    locale = ["--locale", "C.UTF-8"]
    if programs.major_version() >= 17:  # folds case the same on every system
        locale = ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    programs.run(
        "initdb",
        *("-D", str(unfinished), "--username", "recado", "--pwfile", str(password), "--auth", "scram-sha-256"),
        *("--encoding", "UTF8", *locale, *([] if durable else ["--no-sync"])),
    )
    password.unlink()
    programs.run("postgres", "--single", "-D", str(unfinished), "postgres", text="CREATE DATABASE recado\n")
    unfinished.rename(data)


def _check_version(programs: _Programs, data: Path) -> None:
    written, ours = int((data / "PG_VERSION").read_text()), programs.major_version()
    if written != ours:
        raise LaunchError(
            f"{data} was written by PostgreSQL {written}, this is {ours}: dump and load it, or `make reset`."
        )
