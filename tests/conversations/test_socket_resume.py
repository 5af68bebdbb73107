"""After a broken connection: nothing is missed and nothing is told twice."""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.conversations import feed
from apps.conversations.models import Conversation
from apps.core import outbox
from apps.core.models import OutboxEvent
from apps.organizations.models import Organization, SignIn, User
from tests.support import factories, inbox
from tests.support.sockets import InboxSocket, SocketServer

Listen = Callable[..., InboxSocket]


@pytest.fixture
def conversation(transactional_db: None, organization: Organization) -> Conversation:
    return inbox.make_conversation(organization)


def happen(organization_id: uuid.UUID, subject_id: uuid.UUID, times: int = 1) -> None:
    outbox.add_many([(organization_id, "conversation.updated", subject_id)] * times)
    outbox.publish()


def test_what_was_missed_is_told_before_what_is_new(conversation: Conversation, agent: User, listen: Listen) -> None:
    happen(conversation.organization_id, conversation.pk, times=5)
    client = listen(agent)

    client.send({"type": "resume", "since": 2})
    happen(conversation.organization_id, conversation.pk, times=2)

    events = client.events(5)
    assert [event["seq"] for event in events] == [3, 4, 5, 6, 7]
    assert {event["data"]["id"] for event in events} == {str(conversation.pk)}
    assert client.is_silent()


def test_a_long_absence_is_told_page_by_page(
    conversation: Conversation, agent: User, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH", 3)
    happen(conversation.organization_id, conversation.pk, times=10)
    client = listen(agent)

    client.send({"type": "resume", "since": 0})

    assert [event["seq"] for event in client.events(10)] == list(range(1, 11))


def test_who_missed_nothing_is_told_nothing(conversation: Conversation, agent: User, listen: Listen) -> None:
    happen(conversation.organization_id, conversation.pk, times=2)
    client = listen(agent)

    client.send({"type": "resume", "since": 2})

    assert client.is_silent()


def test_a_client_that_was_told_more_elsewhere_is_not_told_it_again(
    conversation: Conversation, agent: User, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = listen(agent)
    client.is_silent(0.2)  # it lives

    with connection.cursor() as cursor:  # numbered, and not yet announced here
        outbox.add(conversation.organization_id, "conversation.updated", conversation.pk)
        cursor.execute("UPDATE core_outboxevent SET seq = 1")
        cursor.execute("INSERT INTO core_outboxcounter VALUES (%s, 1)", [conversation.organization_id])
    client.send({"type": "resume", "since": 1})
    happen(conversation.organization_id, conversation.pk)

    assert client.events(1)[0]["seq"] == 2


@pytest.mark.parametrize("since", [0, 1, 7])
def test_what_is_kept_no_more_or_never_was_asks_for_a_resync(
    conversation: Conversation, agent: User, listen: Listen, since: int
) -> None:
    happen(conversation.organization_id, conversation.pk, times=4)
    OutboxEvent.objects.filter(seq__lte=2).update(created_at=timezone.now() - timedelta(hours=49))
    outbox.prune()
    client = listen(agent)

    client.send({"type": "resume", "since": since})

    assert client.receive() == {"type": "resync"}
    happen(conversation.organization_id, conversation.pk)
    assert [event["seq"] for event in client.events(1)] == [5]


def test_all_of_it_kept_no_more_asks_for_a_resync(conversation: Conversation, agent: User, listen: Listen) -> None:
    happen(conversation.organization_id, conversation.pk, times=4)
    OutboxEvent.objects.update(created_at=timezone.now() - timedelta(hours=49))
    outbox.prune()
    client = listen(agent)

    client.send({"type": "resume", "since": 3})

    assert client.receive() == {"type": "resync"}


def test_who_lost_access_is_told_nothing_of_what_was_missed(
    conversation: Conversation, agent: User, listen: Listen
) -> None:
    happen(conversation.organization_id, conversation.pk, times=4)
    client = listen(agent)
    SignIn.objects.filter(user=agent).update(revoked_at=timezone.now())

    client.send({"type": "resume", "since": 0})

    assert client.close_code() == 4003


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writes=st.lists(st.tuples(st.integers(1, 7), st.sampled_from([0.0, 0.002, 0.01])), min_size=5, max_size=25),
    breaks=st.lists(st.tuples(st.integers(0, 12), st.sampled_from([0.0, 0.005, 0.03])), max_size=6),
)
def test_events_and_reconnects_in_any_order_leave_no_gap_and_no_repetition(
    socket_server: SocketServer,
    transactional_db: None,
    writes: list[tuple[int, float]],
    breaks: list[tuple[int, float]],
) -> None:
    organization = factories.make_organization()
    token = factories.make_tokens(factories.make_user(organization)).access
    total = sum(count for count, _ in writes)

    def write() -> None:
        for count, pause in writes:
            happen(organization.pk, uuid.uuid4(), times=count)
            time.sleep(pause)
        connection.close()

    told: list[int] = []
    client = InboxSocket.of(socket_server.url, token)
    assert client.receive() == {"type": "ready", "seq": 0}
    writer = threading.Thread(target=write)
    writer.start()
    for count, pause in [*breaks, (total, 0.0)]:
        told += [event["seq"] for event in client.events(min(count, total - len(told)))]
        if len(told) == total:
            break
        client.close()
        time.sleep(pause)
        client = InboxSocket.of(socket_server.url, token)
        client.send({"type": "resume", "since": len(told)})
    writer.join()
    client.close()

    assert told == list(range(1, total + 1))
