"""Compiled flows, kept by the process: a flow is compiled once per change."""

import uuid
from collections.abc import Iterable
from datetime import datetime

import structlog

from apps.flows import graph
from apps.flows.graph import Graph, InvalidCanvas
from apps.flows.models import Flow

logger = structlog.get_logger(__name__)

KEPT = 500
_graphs: dict[uuid.UUID, tuple[datetime, Graph | None]] = {}


def graphs(flows: Iterable[Flow]) -> dict[uuid.UUID, Graph]:
    """The graphs of flows whose canvas may be deferred, by flow id, with one query at most; those that cannot run are
    left out."""
    found = {flow.pk: flow for flow in flows}
    changed = [pk for pk, flow in found.items() if _graphs.get(pk, (None,))[0] != flow.updated_at]
    if changed:
        canvases = Flow.objects.filter(pk__in=changed).values_list("pk", "updated_at", "canvas_data")
        for pk, updated_at, canvas in canvases:
            _graphs.pop(pk, None)
            _graphs[pk] = (updated_at, _compile(pk, canvas))
    known = {pk: _graphs[pk][1] for pk in found if pk in _graphs}
    while len(_graphs) > KEPT:
        del _graphs[next(iter(_graphs))]
    return {pk: graph for pk, graph in known.items() if graph is not None}


def _compile(flow_id: uuid.UUID, canvas: object) -> Graph | None:
    try:
        return graph.compile(canvas if isinstance(canvas, dict) else {})
    except InvalidCanvas as error:
        codes = sorted({problem.code for problem in error.problems})
        logger.warning("flow_cannot_run", flow=str(flow_id), problems=len(error.problems), codes=codes)
        return None
