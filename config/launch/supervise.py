"""`make run`: engines, migrations, demo data, then web, worker and beat until somebody says stop."""

import http.client
import sys
import time
from collections.abc import Mapping, Sequence

from config.launch import commands, environments, instances, line, places, signals
from config.launch.errors import LaunchError
from config.launch.output import Output, say, show
from config.launch.processes import Process

STEADY_SECONDS = 60.0  # who lived this long is restarted at once when it ends
RESTARTS = 6  # in a row, each after a longer pause; then Recado ends


def run() -> None:
    """Run Recado in the foreground."""
    signals.watch()
    output = Output()
    environment = environments.for_run()
    with instances.hold("run") as place:
        line.heal(place)
        if not places.is_free(int(environment["PORT"])):
            raise LaunchError(f"Port {environment['PORT']} is taken; choose another: PORT=8001 make run")
        instance = instances.prepare(place, environment, output)
        environment.update(instance.urls)
        environments.remember(environment)
        with instances.running(instance):
            notice = _make_ready(environment)
            members = [Process(program, output) for program in line.programs(environment, place)]
            engines = [engine.process for engine in instance.engines]
            try:
                for process in members:
                    process.start()
                keepers = [Keeper(process, output) for process in (*members, *engines)]
                _watch(keepers, int(environment["PORT"]), notice)
            finally:
                say("stopping")
                for process in members:
                    process.stop()


class Keeper:
    """Restarts a process that ended by itself, after a pause that grows while it keeps ending."""

    def __init__(self, process: Process, output: Output) -> None:
        self._process = process
        self._output = output
        self._started = time.monotonic()
        self._restart_at: float | None = None
        self._failures = 0

    def look(self) -> None:
        """Notice that it ended, or start it again once its pause is over."""
        if self._process.is_alive:
            return
        now = time.monotonic()
        if self._restart_at is None:
            self._restart_at = now + self._pause(now)
        elif now >= self._restart_at:
            self._process.start()
            self._started, self._restart_at = now, None

    def _pause(self, now: float) -> float:
        name, code = self._process.program.name, self._process.clear()
        self._failures = 0 if now - self._started > STEADY_SECONDS else self._failures + 1
        if self._failures > RESTARTS:
            raise LaunchError(f"{name} keeps ending; its own words are above.")
        pause = float(2**self._failures - 1) / 2
        self._output(name, f"ended with code {code}, starts again in {pause:.1f} s")
        return pause


def _make_ready(environment: Mapping[str, str]) -> str:
    """Migrate, and load the demo data; returns what the demo has to say to the user."""
    say("preparing the database")
    _manage(environment, "migrate", "--noinput")
    if environment["DEMO"] in ("", "0"):
        return ""
    say("loading the demo data")
    return _manage(environment, "demo")


def _manage(environment: Mapping[str, str], *arguments: str) -> str:
    command: Sequence[str] = [sys.executable, "manage.py", *arguments]
    return commands.run(command, environment=environment, directory=places.ROOT)


def _watch(keepers: Sequence[Keeper], port: int, notice: str) -> None:
    """Keep everything running until a signal comes; say so once the first request is answered."""
    is_announced = False
    while not signals.received():
        for keeper in keepers:
            keeper.look()
        if not is_announced and _answers(port):
            is_announced = True
            show(_announcement(port, notice))
        time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _announcement(port: int, notice: str) -> str:
    address = f"http://127.0.0.1:{port}"
    return "\n".join(
        [
            "",
            f"  Recado runs at   {address}",
            f"  sandbox phone    {address}/sandbox/",
            f"  inbox socket     ws://127.0.0.1:{port}/ws/inbox/",
            f"  API              {address}/api/docs/",
            f"  admin            {address}/admin/",
            *(f"  {line}" for line in notice.strip().splitlines()),
            "  Ctrl-C ends it all.",
            "",
        ]
    )
