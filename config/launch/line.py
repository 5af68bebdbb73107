"""The processes of Recado itself: web, worker, caller and beat."""

import shutil
import sys
from collections.abc import Mapping

from config.launch import places, processes
from config.launch.places import Place
from config.launch.processes import Program

# Stopped in this order, each within its seconds, so that with the engines it takes 15 seconds at most.
COMMANDS = {
    "web": "uvicorn config.asgi:application --host 127.0.0.1 --port {PORT} --workers {WEB_PROCESSES}"
    " --no-access-log --timeout-keep-alive 75 --timeout-graceful-shutdown 5",
    "worker": "celery -A config worker --pool prefork --concurrency {WORKER_PROCESSES} --loglevel info"
    " --without-gossip --without-mingle",
    # what takes long, the requests and scripts of flows, keeps no worker of the line waiting
    "caller": "celery -A config worker --queues calls --pool threads --concurrency {CALLER_THREADS} --loglevel info"
    " --hostname caller@%h --without-gossip --without-mingle",
    "beat": "celery -A config beat -s celerybeat-schedule/state --loglevel info",
}
# glibc would keep a pool of memory for each of the many threads that send
OWN = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
STOP_SECONDS = {"web": 5.5, "worker": 3.0, "caller": 0.7, "beat": 0.7}


def programs(environment: Mapping[str, str], place: Place) -> list[Program]:
    """The programs, in the order in which they start and stop."""
    metrics = place.notes / "metrics"  # of this run only: a counter file belongs to a process that lives
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    return [
        Program(
            name=name,
            command=(sys.executable, "-m", *command.format_map(environment).split()),
            environment={**OWN, **environment, "PROMETHEUS_MULTIPROC_DIR": str(metrics)},
            directory=places.ROOT,
            pid_file=place.notes / f"{name}.pid",
            stop_seconds=STOP_SECONDS[name],
        )
        for name, command in COMMANDS.items()
    ]


def heal(place: Place) -> None:
    """Stop the processes that a killed launcher left running."""
    for name, command in COMMANDS.items():
        processes.heal(place.notes / f"{name}.pid", marker=f"{sys.executable} -m {command.split()[0]}")
