"""Compiled versions, kept by the process: a version is compiled once, for it never changes."""

import uuid
from collections.abc import Iterable

import structlog

from apps.flows import graph
from apps.flows.engine import Destination
from apps.flows.graph import InvalidCanvas
from apps.flows.models import FlowVersion

logger = structlog.get_logger(__name__)

KEPT = 500
_versions: dict[uuid.UUID, Destination | None] = {}


def versions(wanted: Iterable[uuid.UUID]) -> dict[uuid.UUID, Destination]:
    """The graphs and variables of versions by their ids, with one query at most; those that cannot run are left out."""
    wanted = set(wanted)
    new = wanted - _versions.keys()
    if new:
        for version in FlowVersion.objects.filter(pk__in=new):
            _versions[version.pk] = _compile(version)
    found = {pk: known for pk in wanted if (known := _versions.get(pk)) is not None}
    while len(_versions) > KEPT:
        del _versions[next(iter(_versions))]
    return found


def _compile(version: FlowVersion) -> Destination | None:
    try:
        return Destination(graph.compile(version.canvas_data), version.variables)
    except InvalidCanvas as error:
        codes = sorted({problem.code for problem in error.problems})
        logger.warning("flow_cannot_run", version=str(version.pk), problems=len(error.problems), codes=codes)
        return None
