"""The Celery application: tasks are nudges, the work to do is in the rows (docs/decisions/0001)."""

import gc
import os

from celery import Celery
from celery.signals import setup_logging, task_postrun, worker_init
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("recado")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Celery would replace the log set-up of the settings; connecting this signal keeps it."""


@task_postrun.connect
def give_connections_back(**_: object) -> None:
    """To the pool of the process, which Celery would close and open anew for every task."""
    close_old_connections()


@worker_init.connect
def share_memory(**_: object) -> None:
    """What is loaded before the fork stays shared: the collector would touch, and so copy, every page of it."""
    gc.collect()
    gc.freeze()
