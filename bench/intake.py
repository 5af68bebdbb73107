"""Durable acknowledgements: the real intake beside a bare ASGI handler with the same group commit, in turns."""

import asyncio
import sys
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

import psycopg

from bench import load, webhooks
from bench.system import System
from config.launch import places
from config.launch.processes import Program

CONNECTIONS = 48
BODIES = 2_000  # different bodies, sent again and again: the intake never looks for doubles
ROUNDS = 5


@dataclass
class Count:
    """What one handler acknowledged, round by round."""

    per_second: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def rate(self) -> float:
        """Acknowledgements a second, of the middle round."""
        return median(self.per_second)


def bare_program(port: int) -> Program:
    """The yardstick, served as the web is."""
    options = "--log-level warning --no-access-log --lifespan off"
    return Program(
        name="bare",
        command=(
            *(sys.executable, "-m", "uvicorn", "bench.bare:application"),
            *("--host", "127.0.0.1", "--port", str(port), *options.split()),
        ),
        environment={},
        directory=places.ROOT,
        pid_file=places.local() / "bench" / "bare.pid",
        stop_seconds=3,
    )


async def measure(running: System, bare_port: int, *, seconds: float) -> tuple[Count, Count]:
    """The real intake and the bare handler, in turns, so many seconds each in all."""
    requests = [webhooks.request(webhooks.padded("5511999990001"), secret=running.secret) for _ in range(BODIES)]
    real, bare = Count(), Count()
    for port in (running.port, bare_port):  # to warm up
        await _round(Count(), port, requests, 0.5)
    for _ in range(ROUNDS):
        for count, port in [(real, running.port), (bare, bare_port)]:
            _forget(running)
            await _round(count, port, requests, seconds / ROUNDS)
    return real, bare


async def _round(count: Count, port: int, requests: list[bytes], seconds: float) -> None:
    connections = await load.connect(port, CONNECTIONS)
    done = asyncio.get_running_loop().create_future()
    started = perf_counter()
    until = started + seconds
    acknowledged, under_way, place = 0, 0, 0

    def send(connection: load.Connection) -> None:
        nonlocal under_way, place
        place = (place + 1) % len(requests)
        under_way += 1
        connection.send(requests[place], lambda status, took: answered(connection, status, took))

    def answered(connection: load.Connection, status: int, took: float) -> None:
        nonlocal acknowledged, under_way
        under_way -= 1
        if status == 200:
            acknowledged += 1
            count.seconds.append(took)
        else:
            count.refused += 1
        if status and perf_counter() < until:
            send(connection)
        elif not under_way:
            done.set_result(None)

    for connection in connections:
        send(connection)
    await done
    count.per_second.append(acknowledged / (perf_counter() - started))
    for connection in connections:
        connection.close()


def _forget(running: System) -> None:
    with psycopg.connect(running.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("TRUNCATE conversations_webhookevent CASCADE")
        connection.execute("CHECKPOINT")
