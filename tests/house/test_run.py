"""`make run`, as a newcomer would start it: from a clone below a closed home, with nothing installed."""

import os
import shutil
import signal
import socket
import urllib.request
from collections.abc import Iterator

import psutil
import pytest

from config.launch import places
from tests.house.conftest import Checkout, Launcher

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
NOT_CLONED = shutil.ignore_patterns(".git", ".venv", ".local", ".env", "__pycache__", ".*_cache", ".hypothesis")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone of the whole of Recado."""
    home = tmp_path_factory.mktemp("home")
    root = home / "recado"
    shutil.copytree(places.ROOT, root, ignore=NOT_CLONED)
    home.chmod(0o700)
    own = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV", *_secrets_of_tests())
    given = {name: value for name, value in os.environ.items() if name not in own}
    checkout = Checkout(root, {**given, "PWD": str(root), "PYTHONUNBUFFERED": "1"})
    yield checkout
    checkout.clear()


def _secrets_of_tests() -> list[str]:
    """What config.settings_test put into this process's environment."""
    text = (places.ROOT / "config" / "settings_test.py").read_text()
    return [line.split('"')[1] for line in text.splitlines() if line.startswith("os.environ.setdefault")]


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _make_run(clone: Checkout, **variables: str) -> tuple[Launcher, str]:
    """Start it; returns once it has said where it runs."""
    launcher = clone.start(["make", "run"], PORT=_free_port(), **variables)
    return launcher, launcher.says("Recado runs at", 180).split()[-1]


def _running(clone: Checkout) -> dict[str, psutil.Process]:
    """The processes that the launcher has noted down, by name."""
    return {path.stem: psutil.Process(int(path.read_text())) for path in (clone.root / ".local" / "run").glob("*.pid")}


def test_a_clone_runs_restarts_what_dies_and_ends_within_15_seconds(clone: Checkout) -> None:
    launcher, address = _make_run(clone)
    with urllib.request.urlopen(f"{address}/healthz") as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"{address}/sandbox/") as answer:
        assert answer.status == 200
    sign_in = launcher.says("demo@")
    launcher.says("ready.")
    _running(clone)["worker"].kill()
    launcher.says("ended with code -9")
    launcher.says("ready.", times=2)

    seconds = launcher.signal_group(signal.SIGTERM)

    assert "demo@recado.example" in sign_in
    assert clone.processes() == []
    assert seconds < 15


def test_a_start_after_kill_9_ends_what_was_left_and_finds_its_data(clone: Checkout) -> None:
    killed, _ = _make_run(clone, DEMO="0")
    secrets = (clone.root / ".local" / "env").read_text()
    left = _running(clone)
    killed.signal_group(signal.SIGKILL)

    healed, address = _make_run(clone, DEMO="0")

    with urllib.request.urlopen(f"{address}/healthz") as answer:
        assert answer.status == 200
    assert set(left) == {"web", "worker", "caller", "beat", "postgres", "valkey"}
    assert [name for name, process in left.items() if process.is_running()] == []
    assert (clone.root / ".local" / "env").read_text() == secrets
    assert (clone.root / ".local" / "env").stat().st_mode & 0o777 == 0o600
    healed.process.send_signal(signal.SIGTERM)
    healed.process.wait(15)
    assert clone.processes() == []


def test_a_taken_port_is_named_in_one_line_and_nothing_starts(clone: Checkout) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = str(stranger.getsockname()[1])
        launcher = clone.start(["make", "run"], PORT=port)
        launcher.process.wait(180)

    assert f"recado: Port {port} is taken; choose another: PORT=8001 make run" in launcher.lines
    assert clone.processes() == []
