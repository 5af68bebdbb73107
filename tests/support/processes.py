"""Recado as `make run` starts it, in processes and on engines of its own, for tests that kill them."""

import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import requests

from config.launch import accounts, instances, line, places
from config.launch.engines import Engine
from config.launch.processes import Process

START_SECONDS = 40.0  # on a busy machine
WORKERS = 3


class Words:
    """The last lines that the processes said."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=2_000)

    def __call__(self, name: str, said: bytes | str) -> None:
        text = said.decode(errors="replace") if isinstance(said, bytes) else said
        self._lines.append(f"{name}: {text.rstrip()}")

    def last(self, count: int = 60) -> str:
        """The last lines, oldest first."""
        return "\n".join(list(self._lines)[-count:])


@dataclasses.dataclass(frozen=True)
class Recado:
    """A running Recado."""

    url: str
    environment: Mapping[str, str]
    postgres: Engine
    valkey: Engine
    web: Process
    worker: Process
    caller: Process
    beat: Process
    words: Words

    def wait(self) -> None:
        """Return once everything is up."""
        until(lambda: _answers(f"{self.url}/healthz"), "web does not answer", self.words)
        until(lambda: len(family(self.worker)) > WORKERS, "the worker does not start", self.words)
        assert self.beat.is_alive, self.words.last()


@contextmanager
def running(folder: Path, *, prepare: str, **environment: str) -> Iterator[Recado]:
    """Recado with these settings and a new database, prepared by some Python, for as long as the context lasts."""
    words = Words()
    with ExitStack() as stack:
        place = places.place("kills", accounts.for_engines(), folder)
        stack.callback(places.forget, place)
        instance = instances.prepare(place, {}, words)
        valkey, postgres = instance.engines
        for engine in (postgres, valkey):
            stack.callback(kill, engine.process)
            engine.start()
        port = random.choice([port for port in random.sample(places.PORTS, 50) if places.is_free(port)])
        everything = {
            **os.environ,
            **instance.urls,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PORT": str(port),
            "PYTHONPATH": str(places.ROOT),
            "WEB_PROCESSES": "1",
            "WORKER_PROCESSES": str(WORKERS),
            "CALLER_THREADS": "4",
            **environment,
        }
        _migrate(everything, prepare)
        (folder / "celerybeat-schedule").mkdir()
        members = {
            program.name: Process(dataclasses.replace(program, directory=folder), words)
            for program in line.programs(everything, place)
        }
        for process in members.values():
            stack.callback(kill, process)
            process.start()
        recado = Recado(
            url=f"http://127.0.0.1:{port}",
            environment=everything,
            postgres=postgres,
            valkey=valkey,
            words=words,
            **members,
        )
        recado.wait()
        yield recado


def _migrate(environment: Mapping[str, str], prepare: str) -> None:
    code = f"from django.core.management import call_command; call_command('migrate', verbosity=0)\n{prepare}"
    subprocess.run([sys.executable, "manage.py", "shell", "-c", code], cwd=places.ROOT, env=environment, check=True)


def family(process: Process) -> list[psutil.Process]:
    """A running process and all that it started, itself first."""
    try:
        parent = psutil.Process(int(process.program.pid_file.read_text()))
        return [parent, *parent.children(recursive=True)]
    except (psutil.NoSuchProcess, FileNotFoundError):
        return []


def kill(process: Process) -> None:
    """`kill -9` for a process, if it runs, and for all that it started."""
    for member in family(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    if process.program.pid_file.exists():
        process.clear()


def restart(process: Process, **environment: str) -> None:
    """Stop a process and start it again with these settings changed."""
    process.stop()
    process.program = dataclasses.replace(process.program, environment={**process.program.environment, **environment})
    process.start()


def kill_parent(process: Process) -> list[psutil.Process]:
    """`kill -9` for a process alone; answers its children, which nobody has told."""
    parent, *children = family(process)
    parent.kill()
    until(lambda: not process.is_alive, "the parent does not die")
    return children


@contextmanager
def frozen(process: Process) -> Iterator[None]:
    """A process that neither works nor ends, as on a machine whose network is gone."""
    members = family(process)
    for member in members:
        member.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for member in members:
            member.send_signal(signal.SIGCONT)


def until(condition: Callable[[], bool], otherwise: str, words: Words | None = None) -> None:
    """Wait for a condition, `START_SECONDS` at most."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{otherwise}\n{words.last() if words else ''}"
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
