"""To whom a flow hands over: the queue, department or person that it names."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from apps.conversations import responders
from apps.flows.effects import HandOver
from apps.organizations.models import Department, Queue, Role, User


class _Row(Protocol):
    pk: uuid.UUID
    organization_id: uuid.UUID


_Found = TypeVar("_Found", bound=_Row)


class Directory:
    """The queues, departments and people of some organizations: three queries, or none if nobody is handed over."""

    def __init__(self, organizations: Iterable[uuid.UUID]) -> None:
        ids = set(organizations)
        self._queues = list(Queue.objects.filter(organization__in=ids, is_active=True).order_by("created_at", "pk"))
        departments = Department.objects.filter(organization__in=ids, is_active=True)
        self._departments = list(departments.order_by("created_at", "pk"))
        people = User.objects.filter(organization__in=ids, is_active=True).exclude(role=Role.VIEWER)
        self._people = list(people.order_by("created_at", "pk"))

    def find(self, organization_id: uuid.UUID, wanted: HandOver) -> responders.HandOver:
        """Whom the names mean; of a department its first queue. Nobody: the default queue, which is the oldest."""
        queues = [queue for queue in self._queues if queue.organization_id == organization_id]
        departments = [row for row in self._departments if row.organization_id == organization_id]
        people = [person for person in self._people if person.organization_id == organization_id]
        person = _named(people, wanted.agent, ("email", "full_name"))
        queue = _named(queues, wanted.queue, ("slug", "name"))
        department = _named(departments, wanted.department, ("slug", "name"))
        if queue is None and department is not None:
            queue = next((one for one in queues if one.department_id == department.pk), None)
        if not (person or queue or department):
            queue = next(iter(queues), None)
        return responders.HandOver(
            reason=wanted.reason,
            queue_id=queue.pk if queue else None,
            department_id=department.pk if department else queue.department_id if queue else None,
            user_id=person.pk if person else None,
            priority=wanted.priority,
            context=wanted.context,
        )


def _named(rows: Sequence[_Found], name: str, fields: tuple[str, ...]) -> _Found | None:
    """The row of this id, else the first of which a field is the name, in any case."""
    said = name.strip().casefold()
    if not said:
        return None
    by_id = next((row for row in rows if str(row.pk) == said), None)
    return by_id or next(
        (row for row in rows if said in {str(getattr(row, field)).casefold() for field in fields}), None
    )
