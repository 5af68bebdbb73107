"""Sending: many conversations at once, one message of each at a time, in order.

A round claims conversations whose delivery is due, marks the head of each line SENDING and commits before any network
call; answers are written as they come, as many at a time as came while the last ones were written. A lost answer is
`unknown`, never a second send (law 7).
"""

import functools
import uuid
from collections.abc import Iterable, Sized
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from time import monotonic, sleep

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Prefetch
from django.utils import timezone

from apps.contacts.models import Contact
from apps.conversations import holding, nudging, outbound, rates, settling
from apps.conversations.channels import Content, Remedy, SendError, channels
from apps.conversations.models import ChannelAccount, Conversation, Message
from apps.core import bulk, databases, metrics, outbox

logger = structlog.get_logger(__name__)

ON_THE_WAY = (Message.Status.QUEUED, Message.Status.SENDING, Message.Status.UNKNOWN)
_LINES = 2_000
RUN_SECONDS = 5.0  # a task that has run this long makes room for a fresh one
GATHER_SECONDS = 0.02  # how long others may take to be written down together with the first answer
AWAY_SECONDS = 0.5  # between two attempts to write answers down

_NEEDED = [
    "organization", "account", "contact", "kind", "thread", "holder_epoch", "last_inbound_at", "delivery_due_at",
    "delivery_lease", "delivery_lease_until",
]  # fmt: skip

_CLAIM = """
UPDATE conversations_conversation AS conversation SET delivery_lease = %s, delivery_lease_until = %s
FROM (
    SELECT due.id FROM conversations_conversation AS due
    JOIN conversations_channelaccount AS account ON account.id = due.account_id
    WHERE due.delivery_due_at <= %s
      AND (due.delivery_lease_until IS NULL OR due.delivery_lease_until < %s)
      AND account.is_active AND (account.paused_until IS NULL OR account.paused_until <= %s)
    ORDER BY due.delivery_due_at LIMIT %s
    FOR UPDATE OF due SKIP LOCKED
) AS claimed
WHERE conversation.id = claimed.id
RETURNING conversation.id
"""


def deliver() -> None:
    """Send what is due, until nothing is left."""
    until = monotonic() + RUN_SECONDS
    flying: dict[Future[settling.Answer], Message] = {}
    answers: list[settling.Answer] = []
    while True:
        try:
            if answers:
                settling.settle(answers)
                answers = []
            _renew(flying.values())
            room = settings.DELIVERY_CONCURRENCY - len(flying)
            if room and monotonic() < until:
                for message in _claim(room):
                    flying[_senders().submit(_send, message)] = message
        except DatabaseError as error:
            _bear(error, flying or answers, until)
        if not flying and not answers:
            break
        wait(flying, timeout=1.0, return_when=FIRST_COMPLETED)
        done, _ = wait(flying, timeout=GATHER_SECONDS)
        for future in done:
            del flying[future]
            answers.append(future.result())
    if monotonic() >= until:
        nudging.deliver()


@functools.cache
def _senders() -> ThreadPoolExecutor:
    """The process's threads for sends; they are kept, as are their connections to the platforms."""
    return ThreadPoolExecutor(settings.DELIVERY_CONCURRENCY, thread_name_prefix="send")


def _bear(error: DatabaseError, kept: Sized, until: float) -> None:
    """PostgreSQL is away: what platforms have answered is kept for a while, since nobody else knows it."""
    if not kept or not databases.is_passing(error) or monotonic() > until + settings.LEASE_SECONDS:
        raise error
    logger.warning("answers_kept", sends=len(kept), reason=type(error).__name__)
    connection.close_if_unusable_or_obsolete()
    sleep(AWAY_SECONDS)


def _claim(limit: int) -> list[Message]:
    """Lease up to `limit` due conversations and mark their next message SENDING; those messages, ready to send."""
    now = timezone.now()
    lease = uuid.uuid4()
    with connection.cursor() as cursor:
        lease_until = now + timedelta(seconds=settings.LEASE_SECONDS)
        cursor.execute(_CLAIM, [lease, lease_until, now, now, now, limit])
        claimed = [row[0] for row in cursor.fetchall()]
    if not claimed:
        return []
    with transaction.atomic():
        conversations = _locked(claimed, lease)
        accounts = _accounts(conversations.values())
        heads: list[Message] = []
        changed: list[Message] = []
        freed: list[Conversation] = []
        for conversation in conversations.values():
            conversation.account = accounts[conversation.account_id]
        lines = _lines(conversations)
        for pk, conversation in conversations.items():
            head, look_again_at = _head(lines[pk], now, changed) if pk in lines else (None, now)
            if head is None:
                settling.release(conversation, look_again_at)
                freed.append(conversation)
            else:
                heads.append(head)
        waits = rates.take([_buckets(head.conversation) for head in heads])
        going = []
        for head, seconds in zip(heads, waits, strict=True):
            if seconds > 0:
                settling.release(head.conversation, now + timedelta(seconds=seconds))
                freed.append(head.conversation)
                continue
            head.status = Message.Status.SENDING
            head.first_attempt_at = head.first_attempt_at or now
            head.sending_at = head.updated_at = now
            head.attempts += 1
            going.append(head)
        bulk.update(Message, going, ["status", "first_attempt_at", "sending_at", "attempts", "updated_at"])
        bulk.update(Message, changed, settling.FIELDS)
        settling.save(freed)
        outbox.add_many((message.organization_id, "message.updated", message.pk) for message in changed)
    return going


def _locked(ids: Iterable[uuid.UUID], lease: uuid.UUID) -> dict[uuid.UUID, Conversation]:
    """The conversations whose lease is still this one, locked in order of their ids, with what a send needs."""
    rows = (
        Conversation.objects.select_for_update(of=("self",))
        .filter(pk__in=ids, delivery_lease=lease)
        .only(*_NEEDED)
        .prefetch_related(Prefetch("contact", Contact.objects.only("id")), "contact__identities")
        .order_by("pk")
    )
    return {row.pk: row for row in rows}


def _accounts(conversations: Iterable[Conversation]) -> dict[uuid.UUID, ChannelAccount]:
    found: dict[uuid.UUID, ChannelAccount] = {}
    by_channel: dict[str, set[uuid.UUID]] = {}
    ids = {conversation.account_id for conversation in conversations}
    for pk, channel in ChannelAccount.objects.filter(pk__in=ids).values_list("pk", "channel"):
        by_channel.setdefault(channel, set()).add(pk)
    for channel, pks in by_channel.items():
        found.update(channels.get(channel).accounts(pks))
    return found


def _lines(conversations: dict[uuid.UUID, Conversation]) -> dict[uuid.UUID, list[Message]]:
    """What is on its way out, by conversation, in order; one query, of which a very long line gets only a part."""
    lines: dict[uuid.UUID, list[Message]] = {pk: [] for pk in conversations}
    waiting = Message.objects.filter(conversation_id__in=lines, status__in=ON_THE_WAY).order_by(
        "conversation_id", "seq"
    )
    for message in waiting[:_LINES]:
        message.conversation = conversations[message.conversation_id]
        message.account = message.conversation.account
        lines[message.conversation_id].append(message)
    if sum(map(len, lines.values())) == _LINES:  # cut short: only lines that were begun are known
        return {pk: line for pk, line in lines.items() if line}
    return lines


def _head(line: list[Message], now: datetime, changed: list[Message]) -> tuple[Message | None, datetime | None]:
    """The message to send now; or none, and when to look again. What cannot go any more is appended to `changed`."""
    for message in line:
        conversation = message.conversation
        if message.status == Message.Status.SENDING:  # its lease died: nobody knows whether it was sent
            message.status, message.updated_at = Message.Status.UNKNOWN, now
            changed.append(message)
        if message.status == Message.Status.UNKNOWN:
            held_until = (message.sending_at or now) + timedelta(seconds=settings.UNKNOWN_HOLD_SECONDS)
            if held_until > now:
                return None, held_until
            continue
        if message.author in holding.BOTS and message.epoch < conversation.holder_epoch:
            _give_up(message, Message.Status.CANCELLED, "taken_over", "A person took over.", now)
        elif not outbound.is_window_open(conversation, Content(message.type, message.content), now):
            status = Message.Status.CANCELLED if message.author in holding.BOTS else Message.Status.FAILED
            _give_up(message, status, "window_closed", "The 24-hour window closed before it could be sent.", now)
        else:
            return message, None
        changed.append(message)
    return None, None


def _give_up(message: Message, status: Message.Status, code: str, title: str, now: datetime) -> None:
    message.status, message.error_code, message.error_title, message.updated_at = status, code, title, now
    message.failed_at = now if status == Message.Status.FAILED else None


def _buckets(conversation: Conversation) -> tuple[rates.Bucket, rates.Bucket]:
    account = conversation.account
    limits = channels.get(account.channel).capabilities
    per_second = account.messages_per_second
    return (
        rates.Bucket(f"account:{account.pk}", 1000 / per_second, per_second),
        rates.Bucket(f"pair:{account.pk}:{conversation.contact_id}", limits.pair_seconds * 1000, limits.pair_burst),
    )


def _send(message: Message) -> settling.Answer:
    """In a thread, without the database: one call to the platform."""
    with metrics.SEND_SECONDS.labels(message.account.channel).time():
        try:
            return settling.Answer(message, external_id=channels.get(message.account.channel).send(message))
        except SendError as error:
            return settling.Answer(message, error=error)
        except Exception as error:  # a fault of ours: it may have been sent, so it is never sent again blindly
            logger.exception("send_broke", message=str(message.pk))
            return settling.Answer(
                message, error=SendError(Remedy.UNKNOWN, code="internal", title=type(error).__name__)
            )


def _renew(flying: Iterable[Message]) -> None:
    """Keep the leases of sends that take long; those that expire are somebody else's to judge."""
    now = timezone.now()
    third = timedelta(seconds=settings.LEASE_SECONDS / 3)
    slow = [message for message in flying if now - (message.sending_at or now) > third]
    if slow:
        Conversation.objects.filter(
            pk__in=[message.conversation_id for message in slow],
            delivery_lease__in={message.conversation.delivery_lease for message in slow},
        ).update(delivery_lease_until=now + timedelta(seconds=settings.LEASE_SECONDS))
