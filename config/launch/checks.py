"""`make test` and `make bench`: commands in front of the user, on engines started for them."""

import sys
from collections.abc import Mapping, Sequence

from config.launch import commands, environments, instances, places, signals
from config.launch.errors import LaunchError
from config.launch.output import Output, say

LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CHECKS = {
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "mypy"],
    "imports": ["-c", LINT_IMPORTS],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "schema": ["manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null"],
}


def test(arguments: Sequence[str]) -> None:
    """Every check, then the tests; with arguments, only the tests that they name."""
    signals.watch()
    checks = {} if arguments else CHECKS
    with instances.hold("test") as place:
        given = environments.given()
        instance = instances.prepare(place, given, Output(), durable=False)
        environment = {**given, **instance.urls, "DJANGO_SETTINGS_MODULE": "config.settings_test"}
        with instances.running(instance):
            failed = [name for name, check in checks.items() if _attend(name, check, environment)]
            failed += ["tests"] if _attend("tests", ["-m", "pytest", *arguments], environment) else []
    if failed:
        raise LaunchError(f"failed: {', '.join(failed)}")


def bench(arguments: Sequence[str]) -> None:
    """The benchmarks, on engines that keep what they confirm."""
    signals.watch()
    with instances.hold("bench") as place:
        environment = environments.for_run()
        instance = instances.prepare(place, environment, Output())
        with instances.running(instance):
            if _attend("bench", ["-m", "bench", *arguments], {**environment, **instance.urls}):
                raise LaunchError("the benchmarks failed")


def _attend(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    say(name)
    return commands.attend([sys.executable, *arguments], environment=environment, directory=places.ROOT)
