"""People as the last responder: whom no bot answers, a queue takes."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.conversations.models import Conversation
from apps.conversations.responders import Effects, HandOver, Turn, responders
from apps.organizations.models import Queue


@responders.register
class Handover:
    """Puts conversations that nobody else answers into the organization's first queue, if it has one."""

    key = "handover"

    def decide(self, turns: Sequence[Turn]) -> Mapping[uuid.UUID, Effects]:
        """The queue with the highest priority, the oldest of several; without a queue, silence."""
        organizations = {turn.conversation.organization_id for turn in turns if turn.messages}
        queues = Queue.objects.filter(organization_id__in=organizations, is_active=True).order_by(
            "priority", "-created_at"
        )
        first = {queue.organization_id: queue for queue in queues}  # the last one of each stays
        return {
            turn.conversation.pk: Effects(
                hand_over=HandOver(reason="no bot answers", queue_id=queue.pk, department_id=queue.department_id)
            )
            for turn in turns
            if turn.messages and (queue := first.get(turn.conversation.organization_id))
        }

    def save(self, decided: Sequence[tuple[Turn, Effects]]) -> set[uuid.UUID]:
        """Nothing of its own; a queue may always take what comes."""
        return {turn.conversation.pk for turn, _ in decided}

    def describe(self, conversations: Iterable[Conversation]) -> dict[uuid.UUID, dict[str, Any]]:
        """The conversation itself says all."""
        return {}
