"""Celery shells: each is a nudge to look at the rows, which say what there is to do."""

from celery import shared_task

from apps.conversations import delivery, inbound, nudging, statuses, turns
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
