"""What is wrong with a flow before it meets a customer: errors keep it from being published, warnings do not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from apps.conversations.channels import Capabilities
from apps.core.expressions import Expression
from apps.core.templating import Path, Template
from apps.flows import contents, graph
from apps.flows.graph import MAX_PROBLEMS, Graph, InvalidCanvas, Place, Problem
from apps.flows.nodes import base
from apps.flows.nodes.base import Exit, WaitingNode

_WORDS = {
    "flow": "the flow {name!r}, which is not one of its chatbot's",
    "people": "{name!r}, which is no queue, department or person here: the conversation will go to the default queue",
    "secret": "the secret {name!r}, which does not exist: create it at /api/v1/secrets",
    "connection": "the database {name!r}, which no administrator has registered",
}
_ERRORS = frozenset(["flow"])


@dataclass(frozen=True)
class Surroundings:
    """What is there around a flow. A kind of names that is left out is unknown: nothing is said about it."""

    variables: frozenset[str] = frozenset()
    """What it knows without setting it."""
    names: Mapping[str, frozenset[str]] | None = None
    """What nodes may name, by the kind of reference, in lower case."""
    channels: tuple[tuple[str, Capabilities], ...] = ()
    """Where its chatbot answers, and what can be shown there."""


def check(canvas: Mapping[str, Any], around: Surroundings) -> tuple[Problem, ...]:
    """Every problem of a canvas, the errors first."""
    try:
        compiled = graph.compile(canvas)
    except InvalidCanvas as error:
        return error.problems
    found = [
        *_circles(compiled),
        *_references(compiled, around),
        *_unreachable(compiled),
        *_dead_ends(compiled),
        *_unknown_variables(compiled, around),
        *_unfit(compiled, around),
    ]
    return tuple(sorted(found[:MAX_PROBLEMS], key=lambda problem: problem.severity != "error"))


def _warn(place: Place, field: str, code: str, words: str) -> Problem:
    return Problem(place.id, field, code, f"Node {place.id!r} ({place.node.key}): {words}.", "warning")


def _circles(compiled: Graph) -> Iterator[Problem]:
    """Nodes from which every way leads round and round without a wait."""
    stops = {
        place.id
        for place in compiled.places.values()
        if isinstance(place.node, WaitingNode) or not place.exits or _may_leave(place)
    }
    before: dict[str, list[str]] = {}
    for place in compiled.places.values():
        for target in place.exits.values():
            before.setdefault(target, []).append(place.id)
    endless = compiled.places.keys() - _spread(stops, before)
    for node in sorted(endless & _reachable(compiled)):
        words = f"Node {node!r}: from here the flow goes in circles without ever waiting for the customer."
        yield Problem(node, "edges", "loop", words)


def _may_leave(place: Place) -> bool:
    """Whether a flow may end here although there are ways on: by an exit that leads nowhere, or into another flow."""
    return bool(_missing(place)) or any(one.kind == "flow" for one in place.node.refers(place.config))


def _spread(begin: Iterable[str], ways: Mapping[str, Iterable[str]]) -> set[str]:
    """All that is reached from there."""
    reached, waiting = set(begin), list(begin)
    while waiting:
        for target in ways.get(waiting.pop(), ()):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached


def _reachable(compiled: Graph) -> set[str]:
    ways = {place.id: place.exits.values() for place in compiled.places.values()}
    return _spread([compiled.start], ways) if compiled.start else set()


def _unreachable(compiled: Graph) -> Iterator[Problem]:
    reachable = _reachable(compiled)
    for place in compiled.places.values():
        if place.id not in reachable:
            yield _warn(place, "edges", "unreachable", "no way leads here from the start")


def _dead_ends(compiled: Graph) -> Iterator[Problem]:
    """Nodes with several ways out, of which one leads nowhere."""
    for place in compiled.places.values():
        missing = _missing(place)
        if missing and place.exits:
            names = ", ".join(repr(next(filter(None, exit.names), exit.key)) for exit in missing[:5])
            yield _warn(place, "edges", "dead_end", f"the flow ends where it leaves by {names}, for no edge leads on")


def _missing(place: Place) -> list[Exit]:
    """The ways out of a node that lead nowhere, although somebody may go them."""
    ways = [exit for exit in place.node.exits(place.config) if not exit.optional and exit.key not in place.exits]
    return [exit for exit in ways if exit.unless not in place.exits]


def _references(compiled: Graph, around: Surroundings) -> Iterator[Problem]:
    for place in compiled.places.values():
        for one in place.node.refers(place.config):
            known = (around.names or {}).get(one.kind)
            if known is None or "{{" in one.name or one.name.strip().casefold() in known:
                continue
            words = f"Node {place.id!r} ({place.node.key}) names {_WORDS[one.kind].format(name=one.name[:80])}."
            is_error = one.kind in _ERRORS
            yield Problem(place.id, one.field, f"unknown_{one.kind}", words, "error" if is_error else "warning")


def _unknown_variables(compiled: Graph, around: Surroundings) -> Iterator[Problem]:
    written = set(around.variables)
    for place in compiled.places.values():
        written |= place.node.writes(place.config, place.id)
    if written & base.ANY:
        return
    for place in compiled.places.values():
        for field, name in _read(place.config, ""):
            if name.split(".")[0].split("[")[0] not in written:
                words = f"nothing sets {name[:80]!r}, so that it is empty"
                yield _warn(place, field, "unknown_variable", words)


def _read(value: Any, field: str) -> Iterator[tuple[str, str]]:
    """(field, variable) of every variable that a configuration reads."""
    match value:
        case Template() | Expression():
            for name in sorted(value.names()):
                yield field, name
        case Path():
            yield field, value.source
        case BaseModel():
            for name in type(value).model_fields:
                yield from _read(getattr(value, name), name)
        case Mapping():
            for name, inner in value.items():
                yield from _read(inner, f"{field}.{name}")
        case list() | tuple():
            for inner in value:
                yield from _read(inner, field)


def _unfit(compiled: Graph, around: Surroundings) -> Iterator[Problem]:
    """What is shown otherwise than it was drawn, on the channels where the chatbot answers."""
    for place in compiled.places.values():
        for channel, capabilities in around.channels:
            for effect in place.node.shows(place.config):
                if words := contents.loss(effect, capabilities):
                    yield _warn(place, "data", "does_not_fit", f"on {channel}, {words}")
