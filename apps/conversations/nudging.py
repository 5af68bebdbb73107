"""The nudges of the straight line, by what they ask for."""

from apps.core import nudges

DRAIN = "apps.conversations.tasks.drain_events"
TURNS = "apps.conversations.tasks.take_turns"
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
