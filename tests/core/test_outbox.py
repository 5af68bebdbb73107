"""The outbox: numbers without gaps, whoever publishes and however often."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core import outbox
from apps.core.models import OutboxEvent


def add(organization: uuid.UUID, count: int = 1) -> None:
    outbox.add_many((organization, "message.created", uuid.uuid4()) for _ in range(count))


def seqs(organization: uuid.UUID) -> list[int | None]:
    return list(OutboxEvent.objects.filter(organization_id=organization).order_by("id").values_list("seq", flat=True))


@pytest.mark.django_db
def test_each_organization_counts_for_itself_from_one() -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    for _ in range(3):
        add(first)
        add(second)
    assert outbox.publish() == 6
    add(first)
    outbox.publish()
    assert (seqs(first), seqs(second)) == ([1, 2, 3, 4], [1, 2, 3])
    assert (outbox.last_seq(first), outbox.last_seq(uuid.uuid4())) == (4, 0)


@pytest.mark.django_db(transaction=True)
def test_parallel_publishers_and_writers_leave_no_gap_and_no_double() -> None:
    organization = uuid.uuid4()

    def write() -> None:
        for _ in range(20):
            with transaction.atomic():
                add(organization, 3)
            outbox.publish()
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.publish()
    assert sorted(seqs(organization)) == list(range(1, 241))  # type: ignore[type-var]


@pytest.mark.django_db(transaction=True)
def test_row_that_commits_late_gets_the_next_number_not_a_gap() -> None:
    organization = uuid.uuid4()
    written, publish_done = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            add(organization)
            written.set()
            publish_done.wait(5)
        connection.close()

    thread = threading.Thread(target=write_slowly)
    thread.start()
    written.wait(5)
    add(organization)
    outbox.publish()
    publish_done.set()
    thread.join()
    outbox.publish()
    assert seqs(organization) == [2, 1]


@pytest.mark.django_db
def test_replay_begins_after_the_given_number_and_old_events_are_pruned() -> None:
    organization = uuid.uuid4()
    add(organization, 5)
    outbox.publish()
    assert [event.seq for event in outbox.since(organization, 2, 2)] == [3, 4]
    assert outbox.first_kept_seq(organization) == 1
    old = timezone.now() - timedelta(hours=49)
    OutboxEvent.objects.filter(seq__lte=3).update(created_at=old)
    outbox.prune()
    assert outbox.first_kept_seq(organization) == 4
    OutboxEvent.objects.update(created_at=old)
    outbox.prune()
    assert outbox.first_kept_seq(organization) == 6
