"""One instance of a checkout (`run`, `test`, `bench`): its place, held by one launcher at a time, and its engines."""

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from config.launch import accounts, places, postgres, valkey
from config.launch.engines import Engine
from config.launch.errors import LaunchError
from config.launch.output import say
from config.launch.places import Place
from config.launch.processes import Output


@dataclass(frozen=True)
class Instance:
    """Prepared and held: what is needed to start the engines that nobody brought."""

    place: Place
    engines: tuple[Engine, ...]
    urls: Mapping[str, str]


@contextmanager
def hold(name: str) -> Iterator[Place]:
    """The instance's place, refused to a second launcher; the kernel frees it when the first one dies."""
    place = places.place(name, accounts.for_engines())
    with (place.notes / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaunchError(f"`make {name}` already runs in this checkout.") from None
        yield place


def heal(place: Place) -> None:
    """Stop the engines that a killed launcher left running."""
    postgres.heal(place)
    valkey.heal(place)


def prepare(place: Place, given: Mapping[str, str], output: Output, *, durable: bool = True) -> Instance:
    """Prepare an engine for each URL that is not given."""
    heal(place)
    account = accounts.for_engines()
    makers: dict[str, Callable[[], Engine]] = {
        "REDIS_URL": lambda: valkey.prepare(place, account, output),
        "DATABASE_URL": lambda: postgres.prepare(place, account, output, durable=durable),
    }
    engines = {variable: make() for variable, make in makers.items() if not given.get(variable)}
    return Instance(place, tuple(engines.values()), {variable: engine.url for variable, engine in engines.items()})


@contextmanager
def running(instance: Instance) -> Iterator[None]:
    """The instance's engines, started, and stopped in the end in the reverse order."""
    with ExitStack() as stack:
        for engine in instance.engines:
            say(f"starting {engine.process.program.name}")
            stack.callback(engine.process.stop)
            engine.start()
        yield
