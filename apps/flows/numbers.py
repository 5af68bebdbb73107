"""The numbers of a flow: who came to its nodes, how they left, and where they stayed away; counted by the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.flows import diagram, graph
from apps.flows.graph import Graph, InvalidCanvas
from apps.flows.models import Flow, FlowSession, FlowVersion, FlowVisit

USUAL = timedelta(days=30)
"""The span of time that is looked at where none is asked for."""
MAX_PATH = 1000
"""Nodes of one session's path; of a longer one, the last."""

_SESSIONS = """
SELECT count(*),
    count(*) FILTER (WHERE ended_at IS NOT NULL AND problem = ''),
    count(*) FILTER (WHERE ended_at IS NOT NULL AND problem <> ''),
    count(*) FILTER (WHERE ended_at IS NULL)
FROM flows_flowsession WHERE flow_id = %(flow)s AND created_at >= %(since)s AND created_at < %(until)s
"""
_NODES = """
SELECT node, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), count(*) FILTER (WHERE error <> '')
FROM flows_flowvisit WHERE flow_id = %(flow)s AND entered_at >= %(since)s AND entered_at < %(until)s GROUP BY node
"""
_LAST_ERRORS = """
SELECT DISTINCT ON (node) node, error FROM flows_flowvisit
WHERE flow_id = %(flow)s AND entered_at >= %(since)s AND entered_at < %(until)s AND error <> ''
ORDER BY node, entered_at DESC, place DESC
"""
_EXITS = """
SELECT node, exit, count(*) FROM flows_flowvisit
WHERE flow_id = %(flow)s AND entered_at >= %(since)s AND entered_at < %(until)s AND exit <> '' GROUP BY node, exit
"""
# a session is in this flow if it began here and is in no other, or has jumped here
_STANDING = """
SELECT state ->> 'node', count(*) FILTER (WHERE ended_at IS NULL),
    count(*) FILTER (WHERE ended_at IS NOT NULL AND problem = '')
FROM flows_flowsession
WHERE (flow_id = %(flow)s OR (organization_id = %(organization)s AND versions ? %(key)s))
    AND coalesce(nullif(state ->> 'flow', ''), flow_id::text) = %(key)s AND state ->> 'node' <> ''
    AND (ended_at IS NULL OR created_at >= %(since)s AND created_at < %(until)s)
GROUP BY 1
"""
# the sides of a test are flows of one chatbot: they are told together
_VARIANTS = """
SELECT variant, count(*), count(*) FILTER (WHERE ended_at IS NOT NULL AND problem = ''),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(extract(epoch FROM ended_at - session.created_at), 0))
    FILTER (WHERE ended_at IS NOT NULL AND problem = '')
FROM flows_flowsession AS session JOIN flows_flow AS flow ON flow.id = session.flow_id
WHERE flow.chatbot_id = %(chatbot)s AND variant <> ''
    AND session.created_at >= %(since)s AND session.created_at < %(until)s
GROUP BY variant ORDER BY variant
"""


@dataclass(frozen=True)
class Sessions:
    """How many sessions began, and what became of them."""

    begun: int
    ended: int
    broken: int
    live: int


@dataclass(frozen=True)
class NodeNumbers:
    """What happened at a node."""

    node: str
    type: str
    """Empty: it is no longer drawn."""
    label: str
    visits: int
    """How often it was left."""
    waiting_now: int
    drop_off: int
    """Sessions that are over and never left it."""
    drop_off_share: float
    """Of all that are not there any more."""
    median_seconds: float | None
    errors: int
    last_error: str


@dataclass(frozen=True)
class EdgeNumbers:
    """How often a node was left by one of its exits, and where that leads (None: nowhere)."""

    source: str
    exit: str
    target: str | None
    count: int
    share: float
    """Of all that left the node."""


@dataclass(frozen=True)
class VariantNumbers:
    """What became of the sessions on one side of an A/B test."""

    variant: str
    sessions: int
    ended: int
    median_seconds: float | None
    """From beginning to end."""


@dataclass(frozen=True)
class Stats:
    """The numbers of a flow in a span of time."""

    since: datetime
    until: datetime
    sessions: Sessions
    nodes: Sequence[NodeNumbers]
    edges: Sequence[EdgeNumbers]
    variants: Sequence[VariantNumbers]


@dataclass(frozen=True)
class Stop:
    """A node on a session's path."""

    node: str
    label: str
    exit: str
    entered_at: datetime
    seconds: float
    error: str


def stats(flow: Flow, *, since: datetime, until: datetime) -> Stats:
    """What happened in a flow, by the canvas that is published, else by the draft: six queries, however large."""
    span: dict[str, Any] = {
        "flow": flow.pk,
        "key": str(flow.pk),
        "organization": flow.organization_id,
        "chatbot": flow.chatbot_id,
        "since": since,
        "until": until,
    }
    canvas = _canvas(flow)
    left = {node: tuple(rest) for node, *rest in _ask(_NODES, span)}
    counts = {(node, exit): count for node, exit, count in _ask(_EXITS, span)}
    [sessions] = _ask(_SESSIONS, span)
    return Stats(
        since,
        until,
        Sessions(*sessions),
        _nodes(canvas, left, {node: tuple(rest) for node, *rest in _ask(_STANDING, span)}, _ask(_LAST_ERRORS, span)),
        _edges(_compile(canvas), counts),
        [VariantNumbers(*row) for row in _ask(_VARIANTS, span)],
    )


def drawn(flow: Flow, *, since: datetime, until: datetime) -> str:
    """A flow as SVG, with these numbers; without the nodes that are no longer there."""
    told = stats(flow, since=since, until=until)
    positions = {node["id"]: node["position"] for node in graph.nodes_of(_canvas(flow))}
    return diagram.draw(
        [
            diagram.Box(one.node, one.label, one.visits, one.drop_off_share)
            for one in told.nodes
            if one.node in positions
        ],
        [diagram.Arrow(one.source, one.target, one.exit, one.count) for one in told.edges if one.target],
        positions,
    )


def path(session: FlowSession) -> list[Stop]:
    """The nodes that a session has left, in their order, named as they were on the versions that it met."""
    rows = list(FlowVisit.objects.filter(session=session).order_by("-entered_at", "-place")[:MAX_PATH])
    labels = {
        version.pk: {node["id"]: node["label"] for node in graph.nodes_of(version.canvas_data)}
        for version in FlowVersion.objects.filter(pk__in={row.version_id for row in rows})
    }
    return [
        Stop(
            row.node, labels.get(row.version_id, {}).get(row.node, ""), row.exit, row.entered_at, row.seconds, row.error
        )
        for row in sorted(rows, key=_left)
    ]


def _left(row: FlowVisit) -> tuple[datetime, int]:
    """When a node was left: one that waited was entered at the very time at which the turn before left the others."""
    return row.entered_at + timedelta(seconds=row.seconds), row.place


def variables(session: FlowSession) -> dict[str, Any]:
    """What a session knows, without what the engine keeps for itself."""
    known = session.state.get("variables", {})
    return {name: value for name, value in known.items() if not name.startswith("_")}


def _canvas(flow: Flow) -> dict[str, Any]:
    canvas: dict[str, Any] = flow.version.canvas_data if flow.version else flow.canvas_data
    return canvas


def _nodes(
    canvas: Mapping[str, Any],
    left: Mapping[str, tuple[Any, ...]],
    standing: Mapping[str, tuple[Any, ...]],
    last_errors: Sequence[tuple[Any, ...]],
) -> list[NodeNumbers]:
    """The nodes as they are drawn, and after them those that no longer are."""
    drawn = {node["id"]: (node["node_type"], node["label"]) for node in graph.nodes_of(canvas)}
    gone = dict.fromkeys(sorted((left.keys() | standing.keys()) - drawn.keys()), ("", ""))
    errors = dict(last_errors)
    found = []
    for node, (type, label) in {**drawn, **gone}.items():
        visits, median, failed = left.get(node, (0, None, 0))
        waiting, dropped = standing.get(node, (0, 0))
        share = _share(dropped, visits + dropped)
        found.append(
            NodeNumbers(node, type, label, visits, waiting, dropped, share, median, failed, errors.get(node, ""))
        )
    return found


def _edges(drawn: Graph, counts: Mapping[tuple[str, str], int]) -> list[EdgeNumbers]:
    """The exits that lead somewhere, and after them the others that were taken."""
    targets = {(place.id, exit): target for place in drawn.places.values() for exit, target in place.exits.items()}
    totals: dict[str, int] = {}
    for (node, _), count in counts.items():
        totals[node] = totals.get(node, 0) + count
    return [
        EdgeNumbers(
            node,
            exit,
            targets.get((node, exit)),
            count := counts.get((node, exit), 0),
            _share(count, totals.get(node, 0)),
        )
        for node, exit in [*targets, *sorted(counts.keys() - targets.keys())]
    ]


def _compile(canvas: Mapping[str, Any]) -> Graph:
    """The graph of a canvas; an empty one of a draft that cannot run."""
    try:
        return graph.compile(canvas)
    except InvalidCanvas:
        return Graph({})


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _ask(sql: str, span: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, span)
        return cursor.fetchall()
