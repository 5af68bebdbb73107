"""PostgreSQL and Valkey of the checkout's own, for whoever brings none (docs/decisions/0002)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from config.launch import signals
from config.launch.errors import LaunchError
from config.launch.processes import Process

START_SECONDS = 60.0  # recovery after a crash included
# Nothing of the caller's environment reaches the engines: no PG* variable, no library path.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Engine:
    """A prepared server: its process, the URL under which it is reached, and whether it answers now."""

    process: Process
    url: str
    answers: Callable[[], bool]

    def start(self) -> None:
        """Start it; returns once it answers."""
        self.process.start()
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if not self.process.is_alive or time.monotonic() > deadline:
                raise LaunchError(f"{self.process.program.name} does not start:\n{self._last_words()}")
            signals.pause(0.02)

    def _last_words(self) -> str:
        log = self.process.program.log
        return "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log else ""
