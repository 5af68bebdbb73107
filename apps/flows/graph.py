"""The compiler: from a canvas, in any dialect in which builders draw, to a graph of typed nodes and named exits."""

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from apps.flows.nodes import nodes
from apps.flows.nodes.base import Config, Node

MAX_TEXT = 2_000_000
"""Characters in all nodes together: what compiles in a few seconds, however hostile."""
MAX_PROBLEMS = 100
MAX_ID = 255

_words = reprlib.Repr()
_words.maxstring = 80


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a flow, and where: the node's id (empty: the canvas) and the field.

    An error keeps it from running, a warning does not.
    """

    node: str
    field: str
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"


class InvalidCanvas(Exception):
    """A canvas that cannot run, with every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems[:3]))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Place:
    """A node in its place: its type, its configuration, and the node to which each of its exits leads."""

    id: str
    node: Node
    config: Config
    exits: Mapping[str, str]


@dataclass(frozen=True)
class Graph:
    """A flow that can run. Without a start it is empty, and says nothing."""

    places: Mapping[str, Place]
    start: str | None = None


@dataclass(frozen=True)
class _Edge:
    source: str
    target: str
    handle: str
    label: str


@dataclass(frozen=True)
class _Draft:
    id: str
    node: Node
    config: Config


_HANDOFF = frozenset(["agentId", "queueId", "departmentId"])
_TYPES = {name: node for node in map(nodes.get, nodes.keys()) for name in (node.key, *node.aliases)}


def compile(canvas: Mapping[str, Any]) -> Graph:
    """The graph that a canvas draws; InvalidCanvas with every problem in it."""
    problems: list[Problem] = []
    raw_nodes = _items(canvas, "nodes", problems)
    if _size(raw_nodes) > MAX_TEXT:
        raise InvalidCanvas([Problem("", "nodes", "too_large", f"The nodes hold more than {MAX_TEXT:,} characters.")])
    drafts, known = _read_nodes(raw_nodes, problems)
    edges = _read_edges(_items(canvas, "edges", problems), known, problems)
    places = {draft.id: _place(draft, edges.get(draft.id, []), known, problems) for draft in drafts}
    start = _find_start(drafts, edges.values(), problems) if raw_nodes and not problems else None
    if problems:
        raise InvalidCanvas(problems[:MAX_PROBLEMS])
    return Graph(places, start)


def nodes_of(canvas: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes that can be told of any canvas: id, type by its usual name, label, position and data."""
    told = []
    for raw in _items(canvas, "nodes", []):
        data = raw["data"] if isinstance(raw.get("data"), dict) else {}
        type = _type(raw, data)
        node = _TYPES.get(type) if isinstance(type, str) else None
        told.append(
            {
                "id": _identifier(raw.get("id")),
                "node_type": node.key if node else str(type or ""),
                "label": str(data.get("label") or ""),
                "position": raw.get("position"),
                "data": data,
            }
        )
    return told


def _type(raw: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """What a node says that it is, in any of the dialects."""
    type = data.get("nodeType") or raw.get("type") or raw.get("node_type")
    return "handoff" if type == "assignment" and _HANDOFF & data.keys() else type  # one name for two things


def _items(canvas: Mapping[str, Any], key: str, problems: list[Problem]) -> list[dict[str, Any]]:
    raw = canvas.get(key)
    items = raw if isinstance(raw, list) else []
    if raw is not None and (items is not raw or not all(isinstance(item, dict) for item in items)):
        problems.append(Problem("", key, "malformed", f"`{key}` must be a list of objects."))
    return [item for item in items if isinstance(item, dict)]


def _read_nodes(raw_nodes: Iterable[dict[str, Any]], problems: list[Problem]) -> tuple[list[_Draft], set[str]]:
    """The nodes that can be read, and the ids of all that are there."""
    drafts: list[_Draft] = []
    known: set[str] = set()
    for raw in raw_nodes:
        identifier = _identifier(raw.get("id"))
        if not identifier:
            problems.append(Problem("", "nodes", "malformed", "A node has no id, or an endless one."))
        elif identifier in known:
            problems.append(Problem(identifier, "id", "duplicate", f"Two nodes have the id {identifier!r}."))
        else:
            known.add(identifier)
            if draft := _read_node(identifier, raw, problems):
                drafts.append(draft)
    return drafts, known


def _read_node(identifier: str, raw: dict[str, Any], problems: list[Problem]) -> _Draft | None:
    data = raw.get("data") or {}
    if not isinstance(data, dict):
        problems.append(Problem(identifier, "data", "malformed", f"The data of node {identifier!r} is not an object."))
        return None
    type = _type(raw, data)
    node = _TYPES.get(type) if isinstance(type, str) else None
    if node is None:
        words = f"Node {identifier!r} is of the type {_words.repr(type)}, which cannot run here."
        problems.append(Problem(identifier, "type", "unsupported_node", words))
        return None
    try:
        return _Draft(identifier, node, node.Config.model_validate(data))
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            field = ".".join(map(str, detail["loc"]))
            reason = detail["msg"].removeprefix("Value error, ").rstrip(".")[:200]
            words = f"Node {identifier!r} ({type}), {field or 'data'}: {reason}."
            problems.append(Problem(identifier, field, detail["type"], words))
        return None


def _read_edges(
    raw_edges: Iterable[dict[str, Any]], known: set[str], problems: list[Problem]
) -> dict[str, list[_Edge]]:
    """The edges out of each node, in the order in which they were drawn."""
    edges: dict[str, list[_Edge]] = {}
    for raw in raw_edges:
        source, target = _identifier(raw.get("source")), _identifier(raw.get("target"))
        if source in known and target in known:
            data = raw.get("data")
            label = raw.get("label") or (data.get("label") if isinstance(data, dict) else None)
            edge = _Edge(source, target, _name(raw.get("sourceHandle")), _name(label))
            edges.setdefault(source, []).append(edge)
        else:
            words = f"An edge leads from {source or 'nowhere'!r} to {target or 'nowhere'!r}: one of them is missing."
            problems.append(Problem(source if source in known else "", "edges", "unknown_target", words))
    return edges


def _place(draft: _Draft, edges: Sequence[_Edge], known: set[str], problems: list[Problem]) -> Place:
    """Join a node's exits with the edges that name them."""
    exits = [(exit, {_name(name) for name in exit.names} - {""}) for exit in draft.node.exits(draft.config)]
    by_handle, by_label = _first(edge.handle for edge in edges), _first(edge.label for edge in edges)
    targets: dict[str, str] = {}
    for exit, names in exits:
        named = [by_handle[name] for name in names & by_handle.keys()] or [
            by_label[name] for name in names & by_label.keys()
        ]
        if named:
            targets[exit.key] = edges[min(named)].target
    taken = set[str]().union(*(names for _, names in exits))
    rest = [edge for edge in edges if edge.handle not in taken and edge.label not in taken]
    for exit, _ in exits:
        left = [edge for edge in rest if exit.takes_rest or (exit.takes_unnamed and not edge.handle and not edge.label)]
        if left:
            rest = [] if exit.takes_rest else [edge for edge in rest if edge.handle or edge.label]
            targets.setdefault(exit.key, left[0].target)
        elif exit.target:
            targets.setdefault(exit.key, exit.target)
    for edge in rest:
        name = _words.repr(edge.handle or edge.label or "its side")
        words = f"An edge leaves node {draft.id!r} by {name}, which is no exit of it."
        problems.append(Problem(draft.id, "edges", "unknown_exit", words))
    for key, target in targets.items():
        if target not in known:
            words = f"Exit {key!r} of node {draft.id!r} leads to {_words.repr(target)}, which is missing."
            problems.append(Problem(draft.id, key, "unknown_target", words))
    return Place(draft.id, draft.node, draft.config, targets)


def _first(names: Iterable[str]) -> dict[str, int]:
    """Where each name first stands."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name, place)
    return places


def _find_start(drafts: Sequence[_Draft], edges: Iterable[Sequence[_Edge]], problems: list[Problem]) -> str | None:
    """The start node; in a canvas without one, the only node to which nothing leads."""
    starts = [draft.id for draft in drafts if draft.node.key == "start"]
    if not starts:
        targets = {edge.target for group in edges for edge in group}
        starts = [draft.id for draft in drafts if draft.id not in targets]
    if len(starts) != 1:
        problems.append(Problem("", "nodes", "no_start", f"A flow starts in one node; this one in {len(starts)}."))
        return None
    return starts[0]


def _identifier(value: Any) -> str:
    identifier = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return identifier if len(identifier) <= MAX_ID else ""


def _size(value: Any) -> int:
    """How many characters there are in all texts within."""
    size, waiting = 0, [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return size


def _name(value: Any) -> str:
    return str(value).strip().casefold() if isinstance(value, str | int) else ""
