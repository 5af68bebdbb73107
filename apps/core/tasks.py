"""Celery shells of the core: the rows say what there is to do."""

import time

from celery import shared_task
from django.core.cache import cache

from apps.core import nudges, outbox

BEAT_KEY = "recado:beat"


@shared_task
def publish_outbox() -> None:
    nudges.begun(outbox.PUBLISH)
    outbox.publish()


@shared_task
def prune_outbox() -> None:
    outbox.prune()


@shared_task
def beat_heartbeat() -> None:
    """Leave a trace that beat schedules and a worker works; /readyz looks at its age."""
    cache.set(BEAT_KEY, time.time(), timeout=3600)
