"""Drafts become versions: what is wrong with a draft, publishing it, going back to an earlier version."""

import dataclasses
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from apps.core.errors import DomainError, NotFound
from apps.flows import locking, surroundings, validation
from apps.flows.graph import Problem
from apps.flows.models import Flow, FlowVersion
from apps.organizations.models import User


class FlowCannotRun(DomainError):
    """A canvas that the engine cannot run; `details` names every node and field."""

    code = "flow_cannot_run"


def validate(flow: Flow) -> tuple[Problem, ...]:
    """Everything that is wrong with a draft where it is to run, the errors first."""
    return validation.check(flow.canvas_data, surroundings.of(flow))


def errors(flow: Flow) -> tuple[Problem, ...]:
    """What keeps a draft from being published."""
    return tuple(problem for problem in validate(flow) if problem.severity == "error")


def is_published(flow: Flow) -> bool:
    """Whether the draft is what customers meet."""
    version = flow.version
    return version is not None and (version.canvas_data, version.variables) == (flow.canvas_data, flow.variables)


@transaction.atomic
def publish(*, flow: Flow, by: User | None) -> Flow:
    """Make the draft the version that customers meet from now on; FlowCannotRun if it cannot run.

    A draft that is already published stays the version that it is.
    """
    flow = locking.flow(flow)
    require_runnable(flow)
    return cut(flow, by=by)


def cut(flow: Flow, *, by: User | None) -> Flow:
    """Make a version of a draft that is locked and can run."""
    if is_published(flow):
        return flow
    flow.version = FlowVersion.objects.create(
        organization_id=flow.organization_id,
        flow=flow,
        number=(flow.versions.aggregate(last=Max("number"))["last"] or 0) + 1,
        canvas_data=flow.canvas_data,
        variables=flow.variables,
        published_by=by,
    )
    flow.save(update_fields=["version", "updated_at"])
    return flow


@transaction.atomic
def restore(*, flow: Flow, number: int, by: User | None) -> Flow:
    """Make an earlier version the draft again and publish it, as a version of its own; what ran before is kept."""
    flow = locking.flow(flow)
    version = flow.versions.filter(number=number).first()
    if version is None:
        raise NotFound(f"This flow has no version {number}.")
    flow.canvas_data, flow.variables = version.canvas_data, version.variables
    require_runnable(flow)
    flow.save()
    return cut(flow, by=by)


def require_runnable(flow: Flow) -> None:
    """FlowCannotRun, with every error, if the draft cannot run."""
    refuse(flow.name, errors(flow))


def refuse(name: str, found: Sequence[Problem]) -> None:
    """FlowCannotRun if there is something that keeps the flow from running."""
    if found:
        words = " ".join(problem.message for problem in found[:3])
        details = [dataclasses.asdict(problem) for problem in found]
        raise FlowCannotRun(f"The flow {name!r} cannot run. {words}", details=details)
