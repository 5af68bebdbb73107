"""What waits to be done, in figures: upper apps say what they know, /metrics and /readyz show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from apps.core.registry import Registry

OLDEST_EVENT = "recado_oldest_event_seconds"


@dataclass(frozen=True)
class Figure:
    """A figure that is counted when it is asked for; with labels, one value for each."""

    name: str
    description: str
    values: Mapping[str, float]
    label: str = ""


class Source(Protocol):
    """Counts some of what waits, with a constant number of queries."""

    key: str

    def figures(self) -> list[Figure]:
        """The figures as they are now."""


sources: Registry[Source] = Registry("backlog sources")


def figures() -> list[Figure]:
    """All figures of all sources."""
    return [figure for key in sources.keys() for figure in sources.get(key).figures()]  # noqa: SIM118 (no mapping)
