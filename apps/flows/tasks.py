"""Celery shells of flows."""

from celery import shared_task

from apps.flows import visits


@shared_task
def keep_visits() -> None:
    visits.keep_partitions()
