"""What waits on the straight line, in figures."""

from django.db import connection

from apps.core import backlog
from apps.core.backlog import Figure

# each by its partial index, except the items, of which there are few
_COUNTS = """
SELECT
    (SELECT count(*) FROM conversations_webhookevent WHERE state = 'pending'),
    (SELECT extract(epoch FROM now() - received_at) FROM conversations_webhookevent
     WHERE state = 'pending' ORDER BY id LIMIT 1),
    (SELECT count(*) FROM conversations_conversation WHERE turn_due_at <= now()),
    (SELECT count(*) FROM conversations_conversation WHERE delivery_due_at <= now()),
    (SELECT count(*) FROM conversations_message WHERE status = 'sending'),
    (SELECT count(*) FROM conversations_message WHERE status = 'unknown'),
    (SELECT count(*) FROM conversations_webhookitem WHERE state = 'dead'),
    (SELECT count(*) FROM conversations_webhookitem WHERE state = 'unclaimed'),
    (SELECT count(*) FROM conversations_webhookitem WHERE state = 'parked')
"""


@backlog.sources.register
class StraightLine:
    """Events, turns, deliveries, sends without an outcome, and items that were set aside."""

    key = "straight-line"

    def figures(self) -> list[Figure]:
        """One query."""
        with connection.cursor() as cursor:
            cursor.execute(_COUNTS)
            events, oldest, turns, deliveries, sending, unknown, dead, unclaimed, parked = cursor.fetchone()
        return [
            Figure("recado_events_waiting", "Webhooks acknowledged and not yet processed", {"": events}),
            Figure(backlog.OLDEST_EVENT, "How long the oldest of them has waited", {"": float(oldest or 0)}),
            Figure("recado_turns_due", "Conversations in which a turn is due", {"": turns}),
            Figure("recado_deliveries_due", "Conversations in which a message may be sent now", {"": deliveries}),
            Figure(
                "recado_messages_unsettled",
                "Messages whose sending has no outcome yet",
                {"sending": sending, "unknown": unknown},
                label="status",
            ),
            Figure(
                "recado_items_set_aside",
                "Webhook items that were set aside",
                {"dead": dead, "unclaimed": unclaimed, "parked": parked},
                label="state",
            ),
        ]
