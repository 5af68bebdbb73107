"""Recado as it really runs: its processes on an empty database, with the sandbox as a process of its own for Meta."""

import http.client
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import redis

from config.launch import accounts, commands, environments, line, places
from config.launch.output import Output
from config.launch.processes import Process, Program

START_SECONDS = 60.0
WORK = ("web", "worker", "caller", "beat")
SETTINGS = {
    "DEBUG": "0",
    "DEMO": "0",
    "LOG_FORMAT": "json",
    "REGISTRATION": "open",
    "SANDBOX": "0",
    "THROTTLE_REGISTER": "1000/min",
    "VERIFY_OWNERSHIP": "0",
}


@dataclass(frozen=True)
class System:
    """What runs, and where it listens."""

    environment: Mapping[str, str]
    port: int
    sandbox_port: int
    processes: Mapping[str, Process]

    @property
    def secret(self) -> str:
        """What webhooks are signed with."""
        return self.environment["META_APP_SECRET"]

    def pids(self) -> dict[str, int]:
        """The first process of each program, the engines' included if they run on this machine."""
        found = {name: int(process.program.pid_file.read_text()) for name, process in self.processes.items()}
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert row is not None
            backend = psutil.Process(row[0])
            assert "postgres" in backend.name()
            found["postgres"] = backend.ppid()
        found["valkey"] = redis.Redis.from_url(self.environment["REDIS_URL"]).info("server")["process_id"]
        return found


@contextmanager
def running(*names: str, extra: Mapping[str, Program] | None = None) -> Iterator[System]:
    """These of web, worker, caller, beat and sandbox (and further programs) on a fresh database, stopped in the end."""
    port, sandbox_port = free_port(), free_port()
    environment = {
        **environments.for_run(),
        **SETTINGS,
        "PORT": str(port),
        "META_GRAPH_URL": f"http://127.0.0.1:{sandbox_port}/graph",
        "PYTHONPATH": str(places.ROOT),
    }
    environment["DATABASE_URL"] = fresh_database(environment["DATABASE_URL"])
    commands.run([sys.executable, "manage.py", "migrate", "--noinput"], environment=environment, directory=places.ROOT)
    place = places.place("bench", accounts.for_engines())
    programs = {program.name: program for program in line.programs(environment, place)}
    programs["sandbox"] = _sandbox(environment, place.notes, port, sandbox_port)
    programs |= extra or {}
    output = Output()
    with ExitStack() as stack:
        started: dict[str, Process] = {}
        for name in (*names, *(extra or {})):
            program = programs[name]
            log = place.notes / f"{name}.log"
            process = Process(replace(program, environment={**environment, **program.environment}, log=log), output)
            process.start()
            stack.callback(process.stop)
            started[name] = process
        if "web" in names:
            wait_for(port, "/healthz")
        if "sandbox" in names:
            wait_for(sandbox_port, "/api/settings")
        yield System(environment, port, sandbox_port, started)


def fresh_database(url: str) -> str:
    """An empty database beside the one that is given; answers its URL."""
    parts = urlsplit(url)
    name = f"{parts.path.strip('/')}_benchmark"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(parts._replace(path=f"/{name}"))


def is_durable(url: str) -> bool:
    """Whether what PostgreSQL confirms is on disk."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')").fetchone()
    return row == ("on", "on")


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, path: str) -> None:
    """Return once a GET on this port is answered with 200; TimeoutError after a minute."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise TimeoutError(f"Nothing answers at 127.0.0.1:{port}{path}; see the logs in .local/bench.")


def wait_for_listener(port: int) -> None:
    """Return once somebody listens on this port; TimeoutError after a minute."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"Nobody listens at 127.0.0.1:{port}; see the logs in .local/bench.")


def _sandbox(environment: Mapping[str, str], notes: Path, port: int, sandbox_port: int) -> Program:
    webhook = f"http://127.0.0.1:{port}/api/v1/whatsapp/webhook"
    return Program(
        name="sandbox",
        command=(
            *(sys.executable, "-m", "apps.sandbox", "--port", str(sandbox_port)),
            *("--webhook", webhook, "--secret", environment["META_APP_SECRET"]),
        ),
        environment=environment,
        directory=places.ROOT,
        pid_file=notes / "sandbox.pid",
        stop_seconds=3,
    )
