"""A batch of what customers wrote becomes contacts, conversations and messages; and what they did to earlier ones."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from apps.contacts import services as contacts
from apps.contacts.models import Contact
from apps.conversations import holding, nudging, statuses
from apps.conversations.accounts import Named
from apps.conversations.authors import Author
from apps.conversations.items import EditItem, MessageItem, ReactionItem, RevokeItem
from apps.conversations.models import Attachment, Conversation, ConversationParticipant, Message, WebhookItem
from apps.core import bulk, outbox

SYSTEM = "system"
Mark = ReactionItem | EditItem | RevokeItem

_ARRIVED = [
    "last_seq", "last_inbound_seq", "inbound_count", "handled_seq", "last_message", "first_message_at",
    "last_message_at", "last_inbound_at", "last_outbound_at", "turn_due_at", "updated_at",
]  # fmt: skip


@dataclass(frozen=True)
class Incoming:
    """A message item whose account is known."""

    item: MessageItem
    account: Named
    correlation_id: uuid.UUID
    received_at: datetime


def receive(incoming: Sequence[Incoming]) -> dict[int, str]:
    """Store messages, each once, in order; their conversations have pending work then.

    Answers, by place, the targets for which echoes must wait: whether they are ours is not known yet.
    """
    known = set(
        Message.objects.filter(
            account_id__in={one.account.id for one in incoming},
            external_id__in={one.item.external_id for one in incoming},
        ).values_list("account_id", "external_id")
    )
    fresh: dict[tuple[uuid.UUID, str], tuple[int, Incoming]] = {}
    for place, one in enumerate(incoming):
        key = (one.account.id, one.item.external_id)
        if key not in known:
            fresh.setdefault(key, (place, one))
    if not fresh:
        return {}
    new = list(fresh.values())
    people = contacts.resolve([(one.account.organization_id, one.item.person) for _, one in new])
    found = _conversations([one for _, one in new], people)
    waiting = _waiting_echoes(new, found)
    now = timezone.now()
    messages: list[Message] = []
    attachments: list[Attachment] = []
    taken: dict[uuid.UUID, Conversation] = {}
    for (place, one), conversation in zip(new, found, strict=True):
        if place in waiting:
            continue
        message = _message(one, conversation)
        messages.append(message)
        attachments += [
            Attachment(
                message=message,
                type=media.type[:20],
                external_id=media.external_id[:255],
                url=media.url[:2000],
                mime_type=media.mime_type[:255],
                filename=media.filename[:255],
                sha256=media.sha256[:100],
            )
            for media in one.item.media
        ]
        if one.item.is_echo:
            conversation.last_outbound_at = now
            taken[conversation.pk] = conversation
        else:
            _pend(conversation, message, one, now)
        conversation.updated_at = now
    touched = {conversation.pk: conversation for conversation in found}
    Message.objects.bulk_create(messages)
    Attachment.objects.bulk_create(attachments)
    bulk.update(Conversation, [touched[pk] for pk in sorted(touched)], _ARRIVED)
    holding.took_part(
        [
            (message.conversation, ConversationParticipant.Kind.CONTACT, message.conversation.contact_id)
            for message in messages
            if message.direction == Message.Direction.INBOUND
        ]
    )
    outbox.add_many((message.organization_id, "message.created", message.pk) for message in messages)
    outbox.add_many((one.organization_id, "conversation.updated", one.pk) for one in touched.values())
    for conversation in taken.values():  # somebody answered on the phone app or in the platform's inbox
        holding.replied(conversation=conversation, by=Author.person(None))
    statuses.arrived(messages)
    nudging.turns()
    return waiting


def _conversations(new: Sequence[Incoming], people: Sequence[Contact]) -> list[Conversation]:
    """The open conversation of each message, locked in order of ids; missing ones are created."""
    keys = [
        (one.account.id, contact.pk, one.item.kind, one.item.thread[:255])
        for one, contact in zip(new, people, strict=True)
    ]
    wanted = dict(zip(keys, new, strict=True))
    existing = _open(wanted)
    missing = [
        Conversation(
            organization_id=one.account.organization_id,
            account_id=key[0],
            contact_id=key[1],
            kind=key[2],
            thread=key[3],
            last_message_at=one.received_at,
        )
        for key, one in wanted.items()
        if key not in existing
    ]
    if missing:
        Conversation.objects.bulk_create(missing, ignore_conflicts=True)
        existing = _open(wanted)
        outbox.add_many(
            (row.organization_id, "conversation.created", row.pk)
            for row in existing.values()
            if row.pk in {one.pk for one in missing}
        )
    return [existing[key] for key in keys]


def _open(
    keys: Mapping[tuple[uuid.UUID, uuid.UUID, str, str], Incoming],
) -> dict[tuple[uuid.UUID, uuid.UUID, str, str], Conversation]:
    rows = (
        Conversation.objects.select_for_update(of=("self",))
        .filter(closed_at=None, account_id__in={key[0] for key in keys}, contact_id__in={key[1] for key in keys})
        .order_by("pk")
    )
    return {(row.account_id, row.contact_id, row.kind, row.thread): row for row in rows}


def _waiting_echoes(new: Sequence[tuple[int, Incoming]], found: Sequence[Conversation]) -> dict[int, str]:
    """Echoes into conversations where a send of ours is unsettled: they may be that send."""
    echoes = {place: conversation.pk for (place, one), conversation in zip(new, found, strict=True) if one.item.is_echo}
    if not echoes:
        return {}
    unsettled = set(
        Message.objects.filter(
            conversation_id__in=set(echoes.values()), status__in=[Message.Status.SENDING, Message.Status.UNKNOWN]
        ).values_list("conversation_id", flat=True)
    )
    return {place: statuses.waiting_for(pk) for place, pk in echoes.items() if pk in unsettled}


def _message(one: Incoming, conversation: Conversation) -> Message:
    item = one.item
    conversation.last_seq += 1
    message = Message(
        organization_id=conversation.organization_id,
        conversation=conversation,
        account_id=conversation.account_id,
        seq=conversation.last_seq,
        direction=Message.Direction.OUTBOUND if item.is_echo else Message.Direction.INBOUND,
        author=Message.Author.PERSON if item.is_echo else Message.Author.CONTACT,
        type=item.type[:20],
        text=item.text,
        content=item.content,
        external_id=item.external_id,
        reply_to=item.reply_to[:512],
        status=Message.Status.SENT if item.is_echo else Message.Status.RECEIVED,
        epoch=conversation.holder_epoch,
        sent_at=item.sent_at or one.received_at,
        received_at=one.received_at,
        correlation_id=one.correlation_id,
    )
    conversation.last_message = message
    conversation.first_message_at = conversation.first_message_at or one.received_at
    conversation.last_message_at = max(conversation.last_message_at or one.received_at, one.received_at)
    return message


def _pend(conversation: Conversation, message: Message, one: Incoming, now: datetime) -> None:
    """The customer wrote: the window opens, and a turn is due unless nobody automatic may answer.

    What the platform itself says in the thread ("changed their number") does neither.
    """
    if message.type == SYSTEM:
        return
    sent_at = message.sent_at or one.received_at
    conversation.last_inbound_seq = message.seq
    conversation.inbound_count += 1
    conversation.last_inbound_at = max(conversation.last_inbound_at or sent_at, min(sent_at, now))
    answers = (
        conversation.holder == Conversation.Holder.BOT
        and conversation.kind == Conversation.Kind.DIRECT
        and one.account.is_active
        and one.account.auto_response_enabled
    )
    if answers:
        conversation.turn_due_at = min(conversation.turn_due_at or now, now)
    else:
        conversation.handled_seq = message.seq


def mark(marks: Sequence[tuple[Named, Mark]], now: datetime) -> list[int]:
    """Apply reactions, edits and revokes, in order; answers the places of those whose message is not known yet."""
    rows = Message.objects.select_for_update().filter(
        account_id__in={account.id for account, _ in marks}, external_id__in={item.target for _, item in marks}
    )
    messages = {(row.account_id, row.external_id): row for row in rows.order_by("pk")} if marks else {}
    early: list[int] = []
    changed: dict[uuid.UUID, Message] = {}
    for place, (account, item) in enumerate(marks):
        message = messages.get((account.id, item.target))
        if message is None:
            early.append(place)
            continue
        changed[message.pk] = message
        message.updated_at = now
        match item:
            case ReactionItem(emoji=emoji, by=by):
                message.reactions = {key: value for key, value in message.reactions.items() if key != by}
                if emoji:
                    message.reactions[by] = emoji
            case EditItem():
                message.content = {**item.content, "before": message.content.get("before", message.content)}
                message.text, message.edited_at = item.text, item.at or now
            case RevokeItem():
                message.revoked_at = item.at or now
    bulk.update(
        Message,
        [changed[pk] for pk in sorted(changed)],
        ["reactions", "content", "text", "edited_at", "revoked_at", "updated_at"],
    )
    outbox.add_many((row.organization_id, "message.updated", row.pk) for row in changed.values())
    return early


def may_join(parked: WebhookItem) -> bool:
    """Whether what a parked item waits for has come."""
    prefix, _, conversation = parked.target.partition("conversation:")
    if conversation and not prefix:
        unsettled = Q(conversation_id=conversation, status__in=[Message.Status.SENDING, Message.Status.UNKNOWN])
        return not Message.objects.filter(unsettled).exists()
    return Message.objects.filter(account_id=parked.account_id, external_id=parked.target).exists()
