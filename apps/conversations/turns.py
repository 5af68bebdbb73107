"""The turn: what is pending in a conversation is put to the responders, and what they decide commits fenced.

Many conversations a batch, each under its own lease. No lock is held while responders think. The commit begins by
looking, under the row locks, whether lease, epoch and holder are still those of the beginning; where they are not, that
conversation's turn writes nothing.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Prefetch, Q
from django.utils import timezone

from apps.conversations import holding, nudging, outbound, turn_faults, wakeups
from apps.conversations.authors import Author
from apps.conversations.models import (
    ChannelAccount,
    Conversation,
    ConversationParticipant,
    Message,
)
from apps.conversations.responders import Detach, Effects, Later, Responder, Turn, responders
from apps.core import bulk, metrics

logger = structlog.get_logger(__name__)

BATCH = 100
RUN_SECONDS = 5.0
_SECRETS = ("access_token", "app_secret", "verify_token")
_TAKEN = [
    *turn_faults.LEASE_FIELDS, "handled_seq", "last_seq", "last_message", "first_message_at", "last_message_at",
    "last_outbound_at", "delivery_due_at", "chatbot_id", "active_chatbot_id", "agent_id", "status", "closed_at",
    "resolved_at", "tags", "extra_data", "updated_at",
]  # fmt: skip

_CLAIM = """
UPDATE conversations_conversation AS conversation SET turn_lease = %s, turn_lease_until = %s
FROM (
    SELECT id FROM conversations_conversation
    WHERE turn_due_at <= %s AND (turn_lease_until IS NULL OR turn_lease_until < %s)
    ORDER BY turn_due_at LIMIT %s
    FOR UPDATE SKIP LOCKED
) AS claimed
WHERE conversation.id = claimed.id
RETURNING conversation.id
"""


@dataclass(frozen=True)
class Decision:
    """What a responder wants to do in a turn; None: nobody answers, which is an answer too."""

    turn: Turn
    responder: Responder | None
    effects: Effects | None


PutOff = tuple[Turn, Responder, Later | Detach]
"""A turn that is not decided now."""


def take() -> None:
    """Take the turns that are due, until nothing is left."""
    until = monotonic() + RUN_SECONDS
    while turns := _claim():
        _take(turns)
        if monotonic() >= until:
            nudging.turns()
            return


def _claim() -> list[Turn]:
    now = timezone.now()
    lease = uuid.uuid4()
    lease_until = now + timedelta(seconds=settings.LEASE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [lease, lease_until, now, now, BATCH])
        claimed = [row[0] for row in cursor.fetchall()]
    return _load(claimed, lease, now) if claimed else []


def _load(claimed: Sequence[uuid.UUID], lease: uuid.UUID, now: datetime) -> list[Turn]:
    """The turns of conversations whose lease is still this one."""
    conversations = (
        Conversation.objects.filter(pk__in=claimed, turn_lease=lease)
        .select_related("contact")
        .prefetch_related(Prefetch("account", ChannelAccount.objects.defer(*_SECRETS)), "contact__identities")
        .order_by("pk")
    )
    found = {conversation.pk: conversation for conversation in conversations}
    pending: dict[uuid.UUID, list[Message]] = {pk: [] for pk in found}
    inbound = Message.objects.filter(
        conversation_id__in=found, direction=Message.Direction.INBOUND, seq__gt=F("conversation__handled_seq")
    )
    for message in inbound.order_by("conversation_id", "seq"):
        message.conversation = found[message.conversation_id]
        pending[message.conversation_id].append(message)
    due = wakeups.due(found, now)
    return [Turn(found[pk], tuple(pending[pk]), tuple(due.get(pk, ()))) for pk in found]


def _take(turns: Sequence[Turn]) -> None:
    """Decide and commit a batch; if that breaks, again one by one, so that each fault finds its own turn."""
    try:
        decisions, put = _decide(turns)
        _commit(decisions)
        for turn, responder, what in put:
            _put(turn, responder, what)
    except Exception as error:  # noqa: BLE001 (the batch's edge: the fault is noted by `turn_faults.broke`)
        if len(turns) == 1:
            turn_faults.broke(turns[0], error)
            return
        logger.warning("turns_broke", turns=len(turns), reason=type(error).__name__)
        for turn in turns:
            _take([turn])


def resume(conversation_id: uuid.UUID, lease: uuid.UUID) -> Turn | None:
    """The turn that was detached under this lease, which begins anew; None if somebody else has it by now."""
    now = timezone.now()
    mine = Conversation.objects.filter(pk=conversation_id, turn_lease=lease)
    mine.update(turn_lease_until=now + timedelta(seconds=settings.LEASE_SECONDS))
    return next(iter(_load([conversation_id], lease, now)), None)


def conclude(turn: Turn, responder: Responder, answer: Effects | Later | None) -> None:
    """Commit what was decided about a detached turn."""
    if isinstance(answer, Later):
        _put(turn, responder, answer)
    else:
        _commit([Decision(turn, responder, answer)])


def _decide(turns: Sequence[Turn]) -> tuple[list[Decision], list[PutOff]]:
    """Ask the responders in their order; each hears only of turns that those before it left."""
    decisions: list[Decision] = []
    put: list[PutOff] = []
    left = {turn.conversation.pk: turn for turn in turns if _may_answer(turn.conversation)}
    decisions += [Decision(turn, None, None) for turn in turns if turn.conversation.pk not in left]
    for key in settings.RESPONDERS:
        if key in responders and left:
            responder = responders.get(key)
            for pk, answer in responder.decide(list(left.values())).items():
                if isinstance(answer, Effects):
                    decisions.append(Decision(left.pop(pk), responder, answer))
                else:
                    put.append((left.pop(pk), responder, answer))
    return decisions + [Decision(turn, None, None) for turn in left.values()], put


def _put(turn: Turn, responder: Responder, what: Later | Detach) -> None:
    """Put a turn off, or hand it to other workers, who work under its lease; if they never do, it expires."""
    conversation = turn.conversation
    if isinstance(what, Later):
        mine = Conversation.objects.filter(pk=conversation.pk, turn_lease=conversation.turn_lease)
        mine.update(turn_due_at=what.at, turn_lease=None, turn_lease_until=None)
    else:
        nudging.think(what.queue, conversation=conversation, responder=responder.key)


def _may_answer(conversation: Conversation) -> bool:
    """Whether anything automatic may speak here at all; the commit asks `_muted` again."""
    return (
        conversation.holder == Conversation.Holder.BOT
        and conversation.closed_at is None
        and conversation.kind == Conversation.Kind.DIRECT
        and conversation.account.is_active
        and conversation.account.auto_response_enabled
        and not conversation.contact.is_blocked
    )


def _muted(conversations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """The conversations in which nothing automatic may speak, as their accounts and contacts are now."""
    silent = Q(account__is_active=False) | Q(account__auto_response_enabled=False) | Q(contact__is_blocked=True)
    return set(Conversation.objects.filter(silent, pk__in=conversations).values_list("pk", flat=True))


@transaction.atomic
def _commit(decisions: Sequence[Decision]) -> None:
    now = timezone.now()
    locked = {
        row.pk: row
        for row in Conversation.objects.select_for_update(of=("self",))
        .filter(pk__in=[decision.turn.conversation.pk for decision in decisions])
        .order_by("pk")
    }
    muted = _muted(locked)
    standing = []
    for decision in decisions:
        before, row = decision.turn.conversation, locked.get(decision.turn.conversation.pk)
        if row is None or row.turn_lease != before.turn_lease:
            metrics.TURNS.labels("fenced").inc()
        elif row.holder_epoch != before.holder_epoch or row.closed_at:
            metrics.TURNS.labels("fenced").inc()
            turn_faults.release(row, row.turn_due_at)
            bulk.update(Conversation, [row], turn_faults.LEASE_FIELDS)
        else:
            row.account, row.contact = before.account, before.contact
            standing.append((decision, row))
    allowed: set[uuid.UUID] = set()
    for key in settings.RESPONDERS:
        if key in responders:
            responder = responders.get(key)
            mine = [(one.turn, one.effects) for one, _ in standing if one.responder is responder and one.effects]
            allowed |= responder.save(mine) if mine else set()
    acted = [(one, row) for one, row in standing if one.effects and row.pk in allowed - muted]
    drafts = [draft for one, row in acted for draft in _apply(one, row)]
    spoken = [one for one, _ in acted if one.effects and (one.effects.chatbot_id or one.effects.agent_id)]
    handled = [message.pk for one in spoken for message in one.turn.messages]
    Message.objects.filter(pk__in=handled).update(processed_by_agent=True)
    outbound.queue(drafts)
    wakeups.change({row.pk: one.effects.wakeups for one, row in acted if one.effects and one.effects.wakeups})
    wakeups.drop_due([row.pk for one, row in standing if one.turn.wakeups], now)
    next_wakeups = wakeups.next_due([row.pk for _, row in standing])
    for decision, row in standing:
        _finish(decision.turn, row, next_wakeups.get(row.pk), now)
    bulk.update(Conversation, [row for _, row in standing], _TAKEN)
    holding.took_part(
        [
            (row, kind, who)
            for one, row in acted
            if one.effects
            for kind, who in (
                (ConversationParticipant.Kind.CHATBOT, one.effects.chatbot_id),
                (ConversationParticipant.Kind.AGENT, one.effects.agent_id),
            )
        ]
    )
    metrics.TURNS.labels("answered").inc(len(acted))
    metrics.TURNS.labels("silent").inc(len(standing) - len(acted))


def _apply(decision: Decision, row: Conversation) -> list[outbound.Draft]:
    """Change a locked conversation as its turn decided, and answer what is to be said in it."""
    effects, turn = decision.effects, decision.turn
    assert effects is not None
    if effects.chatbot_id:
        row.chatbot_id = effects.chatbot_id
        row.active_chatbot_id = effects.chatbot_id if effects.session_lives else None
    row.agent_id = effects.agent_id or row.agent_id
    row.tags = [tag for tag in dict.fromkeys([*row.tags, *effects.add_tags]) if tag not in effects.remove_tags]
    author = Author.bot(effects.chatbot_id) if effects.chatbot_id else Author.system()
    if effects.agent_id:
        author = Author.agent(effects.agent_id)
    if effects.hand_over:
        holding.hand_over(row, by=author, to=effects.hand_over)
    cause = turn.messages[-1] if turn.messages else None
    drafts = [
        outbound.Draft(row, content, author, correlation_id=cause.correlation_id if cause else None)
        for content in effects.say
    ]
    if effects.close:
        holding.end(row, by=author, reason="ended by the flow", resolved=True)
    logger.info(
        "turn_taken",
        correlation_id=str(cause.correlation_id) if cause else None,
        conversation=str(row.pk),
        said=len(drafts),
    )
    if cause and cause.received_at:
        metrics.TURN_SECONDS.observe((timezone.now() - cause.received_at).total_seconds())
    return drafts


def _finish(turn: Turn, row: Conversation, next_wakeup: datetime | None, now: datetime) -> None:
    """Nothing that this turn saw is owed any more; what came in the meantime is due at once."""
    if turn.messages:
        row.handled_seq = max(row.handled_seq, turn.messages[-1].seq)
    owed = row.last_inbound_seq > row.handled_seq and row.holder == Conversation.Holder.BOT and not row.closed_at
    row.turn_failures, row.updated_at = 0, now
    turn_faults.release(row, now if owed else None if row.closed_at else next_wakeup)
