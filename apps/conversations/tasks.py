"""Celery shells: each is a nudge to look at the rows, which say what there is to do."""

import uuid

from celery import shared_task

from apps.conversations import delivery, inbound, nudging, statuses, thinking, turns
from apps.core import nudges


@shared_task
def drain_events() -> None:
    nudges.begun(nudging.DRAIN)
    inbound.drain()


@shared_task
def take_turns() -> None:
    nudges.begun(nudging.TURNS)
    turns.take()


@shared_task
def think(conversation_id: str, lease: str, responder: str) -> None:
    thinking.think(conversation_id=uuid.UUID(conversation_id), lease=uuid.UUID(lease), responder=responder)


@shared_task
def deliver_messages() -> None:
    nudges.begun(nudging.DELIVER)
    delivery.deliver()


@shared_task
def settle_unknown() -> None:
    statuses.settle_unknown()


@shared_task
def join_parked() -> None:
    nudges.begun(statuses.JOIN)
    inbound.join_parked()


@shared_task
def prune() -> None:
    inbound.prune()
