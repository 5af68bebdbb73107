"""The drain: stored webhooks become messages, statuses and news, in batches, in order, one drain at a time.

A batch is one transaction: its rows and the events' `done`. If that fails, the batch is done again item by item, each
in a savepoint, and what fails then is a dead letter; the rest is unharmed (law 8).
"""

import traceback
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone

from apps.conversations import accounts, arrivals, bodies, nudging, statuses, turn_faults
from apps.conversations.accounts import Named
from apps.conversations.channels import Channel, channels
from apps.conversations.items import (
    AccountItem,
    EditItem,
    IgnoredItem,
    Item,
    MessageItem,
    ReactionItem,
    RevokeItem,
    StatusItem,
)
from apps.conversations.models import WebhookEvent, WebhookItem
from apps.core import databases, metrics

logger = structlog.get_logger(__name__)

BATCH = 200
RUN_SECONDS = 5.0
BODIES_KEPT = timedelta(days=30)
PARKED_KEPT = timedelta(days=8)
_LOCK = 0xD3A1  # the drain's advisory lock


@dataclass(frozen=True)
class Arrival:
    """One item of an event, with the one-item webhook that it was parsed from."""

    event: WebhookEvent
    payload: dict[str, Any]
    item: Item


def drain() -> None:
    """Work through the pending events until nothing is left."""
    until = monotonic() + RUN_SECONDS
    while WebhookEvent.objects.filter(state=WebhookEvent.State.PENDING).exists():
        if not _batch():
            return  # whoever drains now looks once more after its last batch
        if monotonic() >= until:
            nudging.drain()
            return


def _batch() -> bool:
    """Process the oldest pending events; False if another drain is at it."""
    try:
        with transaction.atomic():
            if not _lock():
                return False
            events = _oldest()
            _do(*_read_all(events))
            _done(events)
    except Exception as error:  # the batch's edge: again one by one, so that each fault finds its own item
        if databases.is_passing(error):
            raise
        logger.exception("batch_broke")
        events = _one_by_one()
    metrics.PROCESSED.inc(len(events))
    for event in events:
        logger.info("event_done", event_id=event.pk, channel=event.channel, correlation_id=str(event.correlation_id))
    return True


@transaction.atomic
def _one_by_one() -> list[WebhookEvent]:
    """Process the oldest pending events, each item by itself; answers them, none if another drain is at it."""
    if not _lock():
        return []
    events = _oldest()
    arrived, set_aside = _read_all(events)
    for row in set_aside:
        row.save(force_insert=True)
    for arrival in arrived:
        try:
            with transaction.atomic():
                _do([arrival], [])
        except Exception as error:  # a fault of ours: the dead letter is written here
            if databases.is_passing(error):
                raise
            logger.exception("item_dead", event_id=arrival.event.pk)
            owner = _owner(arrival.event, [arrival.item.address])
            _aside(arrival.event, arrival.payload, arrival.item, WebhookItem.State.DEAD, "fault", owner).save()
    _done(events)
    return events


def _lock() -> bool:
    """Whether this transaction is the one drain; a lock of the transaction's own is never outlived by its work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _oldest() -> list[WebhookEvent]:
    return list(WebhookEvent.objects.filter(state=WebhookEvent.State.PENDING).order_by("id")[:BATCH])


def _done(events: list[WebhookEvent]) -> None:
    WebhookEvent.objects.filter(pk__in=[event.pk for event in events]).update(
        state=WebhookEvent.State.DONE, done_at=timezone.now()
    )


def _read_all(events: Iterable[WebhookEvent]) -> tuple[list[Arrival], list[WebhookItem]]:
    parsed = [_read(event) for event in events]
    return [arrival for arrived, _ in parsed for arrival in arrived], [row for _, rows in parsed for row in rows]


def _read(event: WebhookEvent) -> tuple[list[Arrival], list[WebhookItem]]:
    """The items of an event, and rows for those that cannot even be read."""
    channel = channels.get(event.channel)
    try:
        payload = bodies.decode(bytes(event.body or b""))
    except ValueError as error:
        return [], [_aside(event, {}, None, WebhookItem.State.IGNORED, f"not JSON: {error}")]
    return _parse(event, channel, channel.split(payload))


def _parse(
    event: WebhookEvent, channel: Channel, payloads: Iterable[dict[str, Any]]
) -> tuple[list[Arrival], list[WebhookItem]]:
    arrived: list[Arrival] = []
    set_aside: list[WebhookItem] = []
    for payload in payloads:
        try:
            arrived.extend(Arrival(event, payload, item) for item in channel.parse(payload))
        except Exception as error:  # a fault of ours: the dead letter is written here
            if databases.is_passing(error):
                raise
            logger.exception("item_dead", event_id=event.pk)
            owner = _owner(event, channel.addresses(payload))
            set_aside.append(_aside(event, payload, None, WebhookItem.State.DEAD, "fault", owner))
    return arrived, set_aside


def _owner(event: WebhookEvent, addresses: list[str]) -> Named | None:
    """Who is shown an item that could not be done: the account that it names, if that accepts its secret."""
    found = accounts.named((event.channel, address) for address in addresses)
    return next((one for ones in found.values() for one in ones if one.accepts(event.signed_by)), None)


def _do(arrived: list[Arrival], set_aside: list[WebhookItem]) -> None:
    """Do a batch's items: messages first, in order, then what names them."""
    now = timezone.now()
    named = accounts.named({(arrival.event.channel, arrival.item.address) for arrival in arrived})
    rows = list(set_aside)
    messages: list[tuple[Arrival, Named, MessageItem]] = []
    marks: list[tuple[Arrival, Named, arrivals.Mark]] = []
    steps: list[tuple[Arrival, Named, StatusItem]] = []
    for arrival in arrived:
        candidates = named.get((arrival.event.channel, arrival.item.address), [])
        accepting = [account for account in candidates if account.accepts(arrival.event.signed_by)]
        if not accepting:
            reason = "no account accepts the secret it was signed with" if candidates else "no account has this address"
            rows.append(_aside(arrival.event, arrival.payload, arrival.item, WebhookItem.State.UNCLAIMED, reason))
            continue
        account = accepting[0]
        match arrival.item:
            case MessageItem() as item:
                messages.append((arrival, account, item))
            case StatusItem() as item:
                steps.append((arrival, account, item))
            case ReactionItem() | EditItem() | RevokeItem() as item:
                marks.append((arrival, account, item))
            case AccountItem() as item:
                for account in accepting:  # a WABA's news concern each of its numbers
                    accounts.learn(arrival.event.channel, account, item)
            case IgnoredItem() as item:
                state = WebhookItem.State.IGNORED
                rows.append(_aside(arrival.event, arrival.payload, item, state, item.reason, account))
        metrics.ITEMS.labels(_kind(arrival.item), "read").inc()

    waiting = arrivals.receive(
        [
            arrivals.Incoming(item, account, one.event.correlation_id, one.event.received_at)
            for one, account, item in messages
        ]
    )
    early_marks = arrivals.mark([(account, item) for _, account, item in marks], now)
    early_steps = statuses.apply([(account.id, item) for _, account, item in steps], now)
    accounts.heard_statuses({account.id for _, account, _ in steps}, now)

    parked = [(*messages[place][:2], target) for place, target in waiting.items()]
    parked += [(*marks[place][:2], marks[place][2].target) for place in early_marks]
    parked += [(*steps[place][:2], steps[place][2].external_id) for place in early_steps]
    for arrival, account, target in parked:
        row = _aside(arrival.event, arrival.payload, arrival.item, WebhookItem.State.PARKED, "early", account)
        row.target = target
        rows.append(row)
    WebhookItem.objects.bulk_create(rows)
    for row in rows:
        metrics.ITEMS.labels(row.kind, row.state).inc()


def _aside(
    event: WebhookEvent | None,
    payload: dict[str, Any],
    item: Item | None,
    state: WebhookItem.State,
    reason: str,
    account: Named | None = None,
) -> WebhookItem:
    kind = item.kind if isinstance(item, IgnoredItem) else _kind(item) if item else "unreadable"
    return WebhookItem(
        event=event,
        organization_id=account.organization_id if account else None,
        account_id=account.id if account else None,
        channel=event.channel if event else "",
        kind=kind[:20],
        state=state,
        reason=reason[:255],
        payload=payload,
        traceback=traceback.format_exc() if state == WebhookItem.State.DEAD else "",
    )


def _kind(item: Item) -> str:
    return type(item).__name__.removesuffix("Item").lower()


def replay(item: WebhookItem) -> WebhookItem | None:
    """Do a set-aside item again; None once it is done, else the row as it stands now.

    An unclaimed item must still be accepted by an account; a dead one may die again, with its new traceback.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:  # beside a drain it would reorder what it does, and deadlock with it
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        item = WebhookItem.objects.select_for_update(of=("self",)).select_related("event").get(pk=item.pk)
        key = item.pk
        if item.kind == "turn":
            turn_faults.again(uuid.UUID(item.payload["conversation_id"]))
            item.delete()
            return None
        assert item.event is not None
        try:
            with transaction.atomic():
                item.delete()
                _do(*_parse(item.event, channels.get(item.channel), [item.payload]))
        except Exception as error:  # a fault of ours, again: the dead letter stays, with what it says now
            if databases.is_passing(error):
                raise
            logger.exception("item_dead_again", item=str(key))
            again = WebhookItem.objects.filter(pk=key)
            again.update(state=WebhookItem.State.DEAD, traceback=traceback.format_exc())
    return WebhookItem.objects.filter(event=item.event, payload=item.payload).first()


def join_parked() -> None:
    """Try what was parked once more, oldest first; drop what waited in vain for 8 days."""
    parked = WebhookItem.objects.filter(state=WebhookItem.State.PARKED)
    dropped, _ = parked.filter(created_at__lt=timezone.now() - PARKED_KEPT).delete()
    if dropped:
        metrics.ITEMS.labels("parked", "dropped").inc(dropped)
        logger.warning("parked_dropped", items=dropped)
    for item in parked.select_related("event").order_by("created_at", "pk")[:1000]:
        if arrivals.may_join(item):
            try:
                replay(item)
            except WebhookItem.DoesNotExist:
                continue  # another joiner was quicker


def prune() -> None:
    """Drop bodies of events done 30 days ago; their rows stay."""
    WebhookEvent.objects.filter(done_at__lt=timezone.now() - BODIES_KEPT, body__isnull=False).update(body=None)
