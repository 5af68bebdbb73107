"""What stands in for the world where a flow is tried: answers that its author gives, by node. Scripts run for real."""

import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from apps.flows import graph
from apps.flows.calling import plain, script
from apps.flows.calls import Call, Request, Result, Script

SECONDS = 30.0
"""What all scripts of one turn may take together."""
MISSING = Result(ok=False, error="No sample was given for this node.")


class Sample(BaseModel):
    """What a call is to have answered; it went well unless there is an error, or a status of 400 and above."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Any = None
    status: int | None = Field(None, ge=100, le=599)
    ok: bool | None = None
    error: str = Field("", max_length=1000)

    def result(self, call: Call) -> Result:
        """The same as what comes of a call."""
        ok = self.ok if self.ok is not None else not self.error and (self.status or 200) < 400
        status = self.status or (200 if ok and isinstance(call, Request) else None)
        try:
            return Result(ok, plain.value(self.value), status, error=self.error or ("" if ok else "The call failed."))
        except plain.NotPlain as error:
            return Result(ok=False, error=str(error))


@dataclass(frozen=True)
class Called:
    """A call that a node would have made, with its secrets by their names, and what it got."""

    node: str
    type: str
    request: Mapping[str, Any]
    result: Result


class StandIn:
    """Performs the calls of one turn."""

    def __init__(self, samples: Mapping[str, Sample]) -> None:
        self.samples = samples
        self.called: list[Called] = []
        self._ends_at = time.monotonic() + SECONDS

    def perform(self, call: Call, node: str, visit: str) -> Result:
        """What the node gets: the script's own result, else the sample."""
        result = self._run(call) if isinstance(call, Script) else self._answer(call, node)
        self.called.append(Called(node, type(call).__name__.lower(), _told(call), result))
        return result

    def _run(self, call: Script) -> Result:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            return Result(ok=False, error=f"The scripts of one turn may take {SECONDS:g} seconds together.")
        return script.perform(replace(call, timeout=min(call.timeout, left)))

    def _answer(self, call: Call, node: str) -> Result:
        sample = self.samples.get(node)
        return sample.result(call) if sample else MISSING


def drawn(canvas: Mapping[str, Any]) -> dict[str, Sample]:
    """The samples that builders keep in the nodes themselves, by node."""
    found = {}
    for node in graph.nodes_of(canvas):
        value = next((node["data"][name] for name in ("sample", "mockResponse") if node["data"].get(name)), None)
        if value is not None:
            found[node["id"]] = Sample(value=_parsed(value))
    return found


def _parsed(value: Any) -> Any:
    """The JSON that a text writes, if it writes any."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _told(call: Call) -> dict[str, Any]:
    """The call in words, with the names of secrets in place of their marks; without what a script could see."""
    fields = dataclasses.asdict(call)
    marks = fields.pop("secrets", {})
    for name in ("variables", "idempotency_key"):
        fields.pop(name, None)
    return {name: _unmarked(value, marks) for name, value in fields.items()}


def _unmarked(value: Any, marks: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for mark, name in marks.items():
            value = value.replace(mark, f"{{{{secrets.{name}}}}}")
        return value
    if isinstance(value, dict):
        return {key: _unmarked(inner, marks) for key, inner in value.items()}
    return [_unmarked(inner, marks) for inner in value] if isinstance(value, list | tuple) else value
