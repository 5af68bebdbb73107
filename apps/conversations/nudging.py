"""The nudges of the straight line, by what they ask for."""

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from apps.conversations.models import Conversation
from apps.core import nudges

logger = structlog.get_logger(__name__)

DRAIN = "apps.conversations.tasks.drain_events"
TURNS = "apps.conversations.tasks.take_turns"
THINK = "apps.conversations.tasks.think"
DELIVER = "apps.conversations.tasks.deliver_messages"


def drain() -> None:
    """Events wait."""
    nudges.nudge(DRAIN)


def turns() -> None:
    """Once the transaction commits: customers wait for an answer."""
    nudges.on_commit(TURNS)


def deliver() -> None:
    """Once the transaction commits: messages wait to be sent."""
    nudges.on_commit(DELIVER)


def think(queue: str, *, conversation: Conversation, responder: str) -> None:
    """A turn is detached to the workers of a queue; if the broker is away, its lease expires and it is taken again."""
    names = {"conversation_id": str(conversation.pk), "lease": str(conversation.turn_lease), "responder": responder}
    try:
        current_app.send_task(THINK, kwargs=names, queue=queue, retry=False)
    except OperationalError as error:
        logger.warning("nudge_lost", task=THINK, reason=type(error).__name__)
