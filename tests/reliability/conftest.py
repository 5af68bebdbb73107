"""A Recado of its own for the tests that kill it, and the Meta at its other end."""

import random
from collections.abc import Callable, Iterator

import pytest

from tests.reliability.crowd import Crowd, customers
from tests.reliability.ledger import Ledger
from tests.support import processes
from tests.support.meta import SandboxServer
from tests.support.processes import Recado

SECRET = "test-app-secret"
# Times that are minutes in earnest. Evidence comes late, so that every status which is on its way settles its message.
SHORT = {"LEASE_SECONDS": "2", "UNKNOWN_HOLD_SECONDS": "1", "SWEEP_SECONDS": "0.25", "LOG_LEVEL": "WARNING"}

MakeCrowd = Callable[..., Crowd]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[SandboxServer]:
    """Meta, which keeps trying to deliver for as long as a test may take."""
    server = SandboxServer(app_secret=SECRET).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, stand_in: SandboxServer) -> Iterator[Recado]:
    """The processes, with a company in their database."""
    folder = tmp_path_factory.mktemp("recado")
    given = {"META_GRAPH_URL": stand_in.graph_url, "META_APP_SECRET": SECRET, **SHORT}
    with processes.running(folder, prepare="from tests.reliability import company; company.make()", **given) as recado:
        yield recado


@pytest.fixture
def recado(system: Recado, stand_in: SandboxServer) -> Recado:
    """All processes up, and a Meta without memories."""
    stand_in.reset()
    [number] = stand_in.settings.as_json()["numbers"]
    stand_in.configure(
        webhook_url=f"{system.url}/api/v1/whatsapp/webhook",
        numbers=[{**number, "throughput": 0}],
        window="open",
        retry_pause=0.1,
        retry_period=60.0,
    )
    system.wait()
    return system


@pytest.fixture
def ledger(recado: Recado, stand_in: SandboxServer) -> Ledger:
    return Ledger(recado, stand_in)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Random moments, the same again with the seed that the run prints: `-p randomly_seed=...`."""
    return random.Random(request.config.getoption("randomly_seed"))


@pytest.fixture
def make_crowd(recado: Recado, chance: random.Random) -> MakeCrowd:
    """Customers who write to this Recado: `make_crowd(people=40, messages=5, seconds=6)`."""

    def make(*, people: int, messages: int, seconds: float) -> Crowd:
        url = f"{recado.url}/api/v1/whatsapp/webhook"
        return Crowd(url, SECRET, customers(people, messages), seconds, chance.random())

    return make
