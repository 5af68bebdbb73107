"""What is printed: one row a figure, with its target where it has one."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the figure reaches its target, if it has one."""
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def target(self) -> str:
        """The target in words."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}" if self.at_most is not None else ""


class Report:
    """Prints tables and remembers whether every target was reached."""

    def __init__(self, *, has_targets: bool) -> None:
        self._has_targets = has_targets
        self.exit_code = 0

    def warn(self, words: str) -> None:
        """Say what makes the figures worth less."""
        print(f"NOTE: {words}", flush=True)

    def show(self, title: str, rows: Sequence[Row]) -> None:
        """Print a table."""
        print(f"\n{title}")
        width = max(len(row.name) for row in rows)
        for row in rows:
            verdict = ""
            if self._has_targets and row.target:
                verdict = f"{row.target}: {'reached' if row.is_met else 'MISSED'}"
                self.exit_code |= not row.is_met
            print(f"  {row.name:<{width}}  {_shown(row.value):>10} {row.unit:<4} {verdict}".rstrip(), flush=True)


def _shown(value: float) -> str:
    if isinstance(value, int) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
