"""The launcher's commands: run, engines, test, bench, manage, reset."""

import os
import sys
import time

from config.launch import checks, environments, instances, line, places, signals, supervise
from config.launch.errors import LaunchError, Stopped
from config.launch.output import Output, say, show


def main(command: str, arguments: list[str]) -> None:
    """Carry out one command of the Makefile."""
    match command:
        case "run":
            supervise.run()
        case "engines":
            _engines()
        case "test":
            checks.test(arguments)
        case "bench":
            checks.bench(arguments)
        case "manage":
            os.execve(sys.executable, [sys.executable, "manage.py", *arguments], environments.for_manage())
        case "reset":
            _reset()
        case _:
            raise LaunchError(f"Unknown command {command!r}; see the Makefile.")


def _engines() -> None:
    """The engines alone, for work on Recado: tests and commands by hand find them by the printed variables."""
    signals.watch()
    with instances.hold("engines") as place:
        instance = instances.prepare(place, {}, Output(), durable=False)
        with instances.running(instance):
            for variable, url in instance.urls.items():
                show(f"export {variable}={url}")
            while not signals.received():
                time.sleep(0.1)


def _reset() -> None:
    """Forget the data of `make run`; refused while it runs."""
    with instances.hold("run") as place:
        line.heal(place)
        instances.heal(place)
        places.forget(place)
    say("the embedded engines' data is gone")


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2:])
    except Stopped:
        sys.exit(130)
    except LaunchError as error:
        sys.exit(f"recado: {error}")
