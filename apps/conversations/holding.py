"""Who holds a conversation, a bot or people: the only code that changes it.

Every change happens under the conversation's row lock: holder, epoch, log row and event in one transaction. The rise of
the epoch is the fence: a turn that began under an older one writes nothing, and a bot's messages that still wait under
an older one are cancelled here.
"""

import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.conversations.authors import Author
from apps.conversations.models import Conversation, ConversationParticipant, HandoverLog, Message
from apps.conversations.responders import HandOver
from apps.core import outbox
from apps.core.errors import Conflict, DomainError
from apps.organizations.models import User

BOTS = (Message.Author.BOT, Message.Author.AGENT)


class AlreadyClosed(Conflict):
    """The conversation has ended; what was asked needs an open one."""

    code = "already_closed"

    def __init__(self) -> None:
        super().__init__("This conversation is closed.")


class NotAnAgent(DomainError):
    """The person cannot be given conversations."""

    code = "not_an_agent"


@transaction.atomic
def take(*, conversation: Conversation, by: Author, reason: str = "", assignee: User | None = None) -> Conversation:
    """People hold it from now, `assignee` (else the person who acts) in the first place; bots fall silent at once."""
    conversation = lock(conversation.pk)
    who = assignee or by.user
    if conversation.closed_at:
        raise AlreadyClosed
    if conversation.holder == Conversation.Holder.HUMAN and (who is None or who.pk == conversation.assignee_id):
        return conversation
    return to_people(conversation, by=by, reason=reason, assignee=who)


@transaction.atomic
def replied(*, conversation: Conversation, by: Author) -> Conversation:
    """A person wrote: they take it from a bot, or from the queue; a colleague's conversation stays the colleague's."""
    conversation = lock(conversation.pk)
    if conversation.holder == Conversation.Holder.BOT or (by.user and conversation.assignee_id is None):
        return to_people(conversation, by=by, reason="replied", assignee=by.user)
    return conversation


@transaction.atomic
def assign(*, conversation: Conversation, to: User, by: Author) -> Conversation:
    """Give it to one person of the organization; bots fall silent at once."""
    if to.organization_id != conversation.organization_id:
        raise NotAnAgent("There is no such person in this organization.", code="agent_not_found")
    if not to.is_active or to.role == "viewer":
        raise NotAnAgent(f"{to} cannot be given conversations.")
    return take(conversation=conversation, by=by, reason="assigned", assignee=to)


@transaction.atomic
def give_back(*, conversation: Conversation, by: Author, reason: str = "") -> Conversation:
    """A bot holds it again; what came in the meantime counts as handled, the next message gets an answer."""
    conversation = lock(conversation.pk)
    if conversation.closed_at:
        raise AlreadyClosed
    if conversation.holder == Conversation.Holder.BOT:
        return conversation
    conversation.assignee = conversation.queue = None
    conversation.assigned_at = conversation.queued_at = None
    conversation.handled_seq = conversation.last_seq
    return _change(conversation, Conversation.Holder.BOT, Conversation.Status.OPEN, by=by, reason=reason)


@transaction.atomic
def close(
    *,
    conversation: Conversation,
    by: Author,
    reason: str = "",
    resolved: bool = True,
    status: Conversation.Status = Conversation.Status.CLOSED,
) -> Conversation:
    """End it; the customer's next message begins a new one. A person's close also cancels what a bot had queued."""
    conversation = lock(conversation.pk)
    if conversation.closed_at:
        raise AlreadyClosed
    end(conversation, by=by, reason=reason, resolved=resolved, status=status)
    if by.kind not in BOTS:
        cancel_queued(conversation, older_than=conversation.holder_epoch + 1)
    conversation.save()
    outbox.add(conversation.organization_id, "conversation.updated", conversation.pk)
    return conversation


@transaction.atomic
def mark_read(*, conversation: Conversation, by: User) -> Conversation:
    """People have read all that the customer wrote."""
    conversation = lock(conversation.pk)
    if conversation.read_count != conversation.inbound_count:
        conversation.read_count = conversation.inbound_count
        conversation.save(update_fields=["read_count", "updated_at"])
        outbox.add(conversation.organization_id, "conversation.updated", conversation.pk)
    return conversation


def lock(conversation_id: uuid.UUID) -> Conversation:
    """The conversation as it is now, its row locked until the transaction ends."""
    return (
        Conversation.objects.select_for_update(of=("self",))
        .select_related("account", "contact", "organization", "assignee")
        .get(pk=conversation_id)
    )


def end(
    conversation: Conversation,
    *,
    by: Author,
    reason: str,
    resolved: bool,
    status: Conversation.Status = Conversation.Status.CLOSED,
) -> None:
    """Mark a locked conversation as over; the caller saves it."""
    now = timezone.now()
    conversation.status = status
    conversation.closed_at = now
    conversation.resolved_at = now if resolved else None
    conversation.turn_due_at = None
    conversation.handled_seq = conversation.last_seq
    conversation.active_chatbot_id = None
    conversation.extra_data = {
        **conversation.extra_data,
        "close_reason": reason,
        "closed_by": by.kind.value,
        "closed_by_agent_id": str(by.user.pk) if by.user else None,
    }


def hand_over(conversation: Conversation, *, by: Author, to: HandOver) -> Conversation:
    """A bot gives a locked conversation to people; its last words are stamped with the new epoch by the caller."""
    conversation.queue_id = to.queue_id or conversation.queue_id
    conversation.department_id = to.department_id or conversation.department_id
    conversation.priority = to.priority or conversation.priority
    if to.context:
        conversation.extra_data = {**conversation.extra_data, "handoff_context": to.context}
    people = User.objects.filter(organization=conversation.organization_id, is_active=True)
    assignee = people.filter(pk=to.user_id).first() if to.user_id else None
    return to_people(conversation, by=by, reason=to.reason, assignee=assignee)


def to_people(conversation: Conversation, *, by: Author, reason: str, assignee: User | None) -> Conversation:
    """Put a locked conversation into people's hands, whoever had it before."""
    now = timezone.now()
    conversation.assignee = assignee
    conversation.assigned_at = now if assignee else None
    conversation.queued_at = None if assignee else now
    conversation.handled_seq = conversation.last_seq
    conversation.active_chatbot_id = None
    conversation.turn_due_at = None
    status = Conversation.Status.ACTIVE if assignee else Conversation.Status.QUEUED
    return _change(conversation, Conversation.Holder.HUMAN, status, by=by, reason=reason)


def cancel_queued(conversation: Conversation, *, older_than: int) -> None:
    """Bots' messages that still wait under an older epoch are never sent."""
    waiting = Message.objects.filter(
        conversation=conversation, status=Message.Status.QUEUED, author__in=BOTS, epoch__lt=older_than
    )
    cancelled = list(waiting.values_list("pk", flat=True))
    if cancelled:
        Message.objects.filter(pk__in=cancelled).update(
            status=Message.Status.CANCELLED, error_code="taken_over", error_title="A person took over."
        )
        outbox.add_many((conversation.organization_id, "message.updated", pk) for pk in cancelled)


def took_part(rows: list[tuple[Conversation, str, Any]]) -> None:
    """Note (conversation, kind, id) participants, with the time; one statement."""
    now = timezone.now()
    unique = {(conversation.pk, kind, participant): None for conversation, kind, participant in rows if participant}
    ConversationParticipant.objects.bulk_create(
        [
            ConversationParticipant(conversation_id=pk, kind=kind, participant_id=who, first_at=now, last_at=now)
            for pk, kind, who in sorted(unique, key=str)
        ],
        update_conflicts=True,
        unique_fields=["conversation", "kind", "participant_id"],
        update_fields=["last_at"],
    )


def _change(
    conversation: Conversation, holder: Conversation.Holder, status: Conversation.Status, *, by: Author, reason: str
) -> Conversation:
    before = conversation.holder
    conversation.holder = holder
    conversation.status = status
    conversation.holder_epoch += 1
    conversation.save()
    cancel_queued(conversation, older_than=conversation.holder_epoch)
    HandoverLog.objects.create(
        organization_id=conversation.organization_id,
        conversation=conversation,
        epoch=conversation.holder_epoch,
        from_holder=before,
        to_holder=holder,
        by_user=by.user,
        by=by.kind,
        assignee=conversation.assignee,
        reason=reason[:500],
    )
    if by.user:
        took_part([(conversation, ConversationParticipant.Kind.PERSON, by.user.pk)])
    outbox.add_many(
        [
            (conversation.organization_id, "handover.changed", conversation.pk),
            (conversation.organization_id, "conversation.updated", conversation.pk),
        ]
    )
    return conversation
