"""The inbox socket: who gets in, what is told to whom, and what a client may ask."""

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.conversations import consumers, feed, frames, holding
from apps.conversations.authors import Author
from apps.conversations.models import Conversation
from apps.core import outbox
from apps.core.models import OutboxCounter, OutboxEvent
from apps.organizations.models import Organization, SignIn, User
from tests.support import factories, inbox
from tests.support.sockets import InboxSocket, SocketServer

Api = Callable[..., APIClient]
Listen = Callable[..., InboxSocket]


@pytest.fixture
def conversation(transactional_db: None, organization: Organization) -> Conversation:
    return inbox.make_conversation(organization)


def happen(conversation: Conversation, times: int = 1) -> None:
    """Something about the conversation is announced."""
    outbox.add_many([(conversation.organization_id, "conversation.updated", conversation.pk)] * times)
    outbox.publish()


def test_a_socket_is_signed_in_by_its_subprotocol(
    socket_server: SocketServer, conversation: Conversation, agent: User
) -> None:
    happen(conversation, times=3)

    client = InboxSocket.of(socket_server.url, factories.make_tokens(agent).access)

    assert client.subprotocol == "bearer"
    assert client.receive() == {"type": "ready", "seq": 3}
    client.close()


@pytest.mark.django_db(transaction=True)
def test_a_socket_is_signed_in_by_its_first_frame(socket_server: SocketServer, agent: User) -> None:
    client = InboxSocket(socket_server.url)
    client.send({"type": "auth", "token": factories.make_tokens(agent).access})

    assert client.subprotocol is None
    assert client.receive() == {"type": "ready", "seq": 0}
    client.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_subprotocol", [True, False])
@pytest.mark.parametrize("kind", ["garbage", "refresh", "expired", "revoked", "inactive"])
def test_a_bad_token_is_refused(socket_server: SocketServer, agent: User, kind: str, by_subprotocol: bool) -> None:
    session = factories.make_sign_in(agent)
    token = {
        "garbage": "garbage",
        "refresh": factories.make_tokens(agent).refresh,
        "expired": access(session, lifetime=timedelta(seconds=-1)),
    }.get(kind) or access(session)
    if kind == "revoked":
        SignIn.objects.filter(pk=session.pk).update(revoked_at=timezone.now())
    if kind == "inactive":
        User.objects.filter(pk=agent.pk).update(is_active=False)

    if by_subprotocol:
        client = InboxSocket.of(socket_server.url, token)
    else:
        client = InboxSocket(socket_server.url)
        client.send({"type": "auth", "token": token})

    assert client.close_code() == 4001


@pytest.mark.parametrize("frame", [{"type": "ping"}, {"type": "auth"}, {"type": "auth", "token": 7}, "Oi", "[]", b"\0"])
def test_a_first_frame_that_is_no_sign_in_ends_the_socket(socket_server: SocketServer, frame: Any) -> None:
    client = InboxSocket(socket_server.url)
    client.send(frame)

    assert client.close_code() == 4001


def test_a_socket_that_says_nothing_is_closed(socket_server: SocketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "SIGN_IN_SECONDS", 0.1)

    assert InboxSocket(socket_server.url).close_code() == 4001


def test_there_is_no_socket_elsewhere(socket_server: SocketServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        InboxSocket(socket_server.url.replace("inbox", "outbox"))

    assert refused.value.response.status_code == 403


def test_what_happens_is_told_in_the_shapes_of_rest(
    conversation: Conversation, agent: User, viewer: User, listen: Listen, api: Api
) -> None:
    client = listen(viewer)

    sent = api(agent).post(f"/api/v1/conversations/{conversation.pk}/messages", {"content": {"text": "Olá!"}})
    assert sent.status_code == 201
    outbox.publish()

    events = client.events(4)
    assert [event["seq"] for event in events] == [1, 2, 3, 4]
    told = {event["type"]: event for event in events}
    assert told.keys() == {"message.created", "conversation.updated", "handover.changed"}
    assert told["message.created"]["data"] == sent.json()
    shown = api(viewer).get(f"/api/v1/conversations/{conversation.pk}").json()
    assert told["conversation.updated"]["data"] == shown
    assert told["handover.changed"]["data"] == {
        "conversation_id": str(conversation.pk),
        "holder": "human",
        "holder_epoch": 1,
        "assignee": {"id": str(agent.pk), "full_name": agent.full_name},
        "reason": "replied",
        "by": {"kind": "person", "user_id": str(agent.pk)},
    }


def test_another_organization_hears_nothing(
    conversation: Conversation, agent: User, other_admin: User, listen: Listen
) -> None:
    ours, theirs = listen(agent), listen(other_admin)

    happen(conversation)

    assert ours.events(1)[0]["data"]["id"] == str(conversation.pk)
    assert theirs.is_silent()


def test_an_announcement_that_was_lost_costs_only_time(
    conversation: Conversation, agent: User, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.1)
    client = listen(agent)

    OutboxCounter.objects.create(organization_id=conversation.organization_id, seq=1)
    OutboxEvent.objects.create(
        organization_id=conversation.organization_id, seq=1, type="conversation.updated", subject_id=conversation.pk
    )

    assert client.events(1)[0]["seq"] == 1


def test_without_redis_everything_is_told_all_the_same(
    conversation: Conversation, agent: User, admin: User, listen: Listen, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = {"hosts": ["redis://127.0.0.1:9"]}  # the discard port: nobody listens
    settings.CHANNEL_LAYERS = {"default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": nowhere}}
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.1)
    writer, colleague = listen(agent), listen(admin)

    happen(conversation)
    assert writer.events(1)[0]["seq"] == colleague.events(1)[0]["seq"] == 1

    writer.send({"type": "typing", "conversation_id": str(conversation.pk)})
    assert colleague.receive_of_type("typing")["data"]["user_id"] == str(agent.pk)


def test_a_subject_that_is_gone_is_told_by_its_id(organization: Organization, agent: User, listen: Listen) -> None:
    client, gone = listen(agent), uuid.uuid4()

    outbox.add(organization.pk, "message.updated", gone)
    outbox.publish()

    assert client.events(1) == [{"type": "message.updated", "seq": 1, "data": {"id": str(gone)}}]


@pytest.mark.parametrize("how", ["signed out", "deactivated", "moved away", "new password", "organization closed"])
def test_who_lost_access_hears_no_more(
    conversation: Conversation, agent: User, viewer: User, other_organization: Organization, listen: Listen, how: str
) -> None:
    client, other = listen(agent), listen(viewer)
    happen(conversation)
    assert [client.events(1)[0]["seq"], other.events(1)[0]["seq"]] == [1, 1]

    agents = User.objects.filter(pk=agent.pk)
    if how == "signed out":
        SignIn.objects.filter(user=agent).update(revoked_at=timezone.now())
    elif how == "deactivated":
        agents.update(is_active=False)
    elif how == "moved away":
        agents.update(organization=other_organization)
    elif how == "new password":
        agent.set_password("Another-horse-8")
        agent.save()
    else:
        Organization.objects.filter(pk=conversation.organization_id).update(is_active=False)
    happen(conversation)

    assert next_event_or_code(client) == 4003
    assert next_event_or_code(other) == (4003 if how == "organization closed" else 2)


def test_a_socket_ends_with_its_token_unless_that_is_renewed(
    organization: Organization, agent: User, viewer: User, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.1)
    short = timedelta(seconds=2)  # whole seconds: a token says no less
    renewed = listen(token=access(factories.make_sign_in(viewer), lifetime=short))
    ended = listen(token=access(factories.make_sign_in(agent), lifetime=short))

    renewed.send({"type": "auth", "token": factories.make_tokens(agent).access})  # another person's
    assert renewed.receive_of_type("error")["code"] == "token_not_valid"
    renewed.send({"type": "auth", "token": factories.make_tokens(viewer).access})

    assert ended.close_code() == 4001
    time.sleep(0.2)
    renewed.send({"type": "ping"})
    assert renewed.receive_of_type("pong") == {"type": "pong"}


def test_a_client_may_hear_of_some_conversations_only(
    conversation: Conversation,
    organization: Organization,
    agent: User,
    other_organization: Organization,
    listen: Listen,
) -> None:
    another, theirs = inbox.make_conversation(organization), inbox.make_conversation(other_organization)
    client = listen(agent)

    client.send({"type": "subscribe", "conversation_id": str(theirs.pk)})
    assert client.receive()["code"] == "not_found"
    client.send({"type": "subscribe", "conversation_id": str(conversation.pk)})
    client.send({"type": "ping"})
    client.receive_of_type("pong")
    happen(another)
    happen(conversation)
    assert client.events(1)[0]["data"]["id"] == str(conversation.pk)

    client.send({"type": "unsubscribe", "conversation_id": str(conversation.pk)})
    client.send({"type": "ping"})
    client.receive_of_type("pong")
    happen(another)
    assert client.events(1)[0]["data"]["id"] == str(another.pk)


def test_typing_is_told_to_colleagues_alone(
    conversation: Conversation, agent: User, admin: User, other_admin: User, listen: Listen
) -> None:
    writer, colleague, stranger = listen(agent), listen(admin), listen(other_admin)
    writer.receive_of_type("presence")  # the colleague came

    writer.send({"type": "typing", "conversation_id": str(conversation.pk)})

    data = {"conversation_id": str(conversation.pk), "user_id": str(agent.pk), "typing": True}
    assert colleague.receive_of_type("typing") == {"type": "typing", "data": data}
    assert writer.is_silent()
    assert stranger.is_silent()


def test_who_may_not_write_does_not_type(
    conversation: Conversation, viewer: User, agent: User, other_admin: User, listen: Listen
) -> None:
    typing = {"type": "typing", "conversation_id": str(conversation.pk)}
    watcher, demoted, stranger = listen(viewer), listen(agent), listen(other_admin)
    User.objects.filter(pk=agent.pk).update(role="viewer")

    for client, code in ((watcher, "permission_denied"), (demoted, "permission_denied"), (stranger, "not_found")):
        client.send(typing)
        assert client.receive_of_type("error")["code"] == code


def test_colleagues_see_each_other_come_and_go(agent: User, admin: User, listen: Listen) -> None:
    first = listen(agent)
    second, third = listen(admin), listen(admin)

    def presence(user: User, status: str) -> dict[str, Any]:
        return {"type": "presence", "data": {"user_id": str(user.pk), "status": status}}

    assert first.receive() == presence(admin, "online")
    assert second.receive() == third.receive() == presence(agent, "online")
    second.close()
    third.close()
    assert first.receive() == presence(admin, "offline")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("Oi", "invalid_json"),
        ("[]", "invalid_frame"),
        ('{"type": 7}', "invalid_frame"),
        (b"\x00\xff", "invalid_frame"),
        ("x" * 20_000, "invalid_frame"),
        ({"type": "dance"}, "unknown_type"),
        ({"type": "resume"}, "invalid"),
        ({"type": "resume", "since": -1}, "invalid"),
        ({"type": "resume", "since": True}, "invalid"),
        ({"type": "resume", "since": "3"}, "invalid"),
        ({"type": "resume", "since": 2**63}, "invalid"),
        ({"type": "subscribe", "conversation_id": "7"}, "invalid"),
        ({"type": "subscribe", "conversation_id": 7}, "invalid"),
        ({"type": "unsubscribe"}, "invalid"),
        ({"type": "typing", "conversation_id": str(uuid.uuid4())}, "not_found"),
    ],
)
def test_a_wrong_frame_is_answered_and_harms_nothing(agent: User, listen: Listen, frame: Any, code: str) -> None:
    client = listen(agent)

    client.send(frame)

    answer = client.receive()
    assert (answer["type"], answer["code"]) == ("error", code)
    client.send({"type": "ping"})
    assert client.receive_of_type("pong") == {"type": "pong"}


def test_a_slow_socket_is_closed_and_delays_nobody(
    conversation: Conversation,
    agent: User,
    viewer: User,
    listen: Listen,
    socket_server: SocketServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "WAITING", 20)
    conversation.extra_data = {"notes": "x" * 200_000}
    conversation.save()
    slow = InboxSocket(
        socket_server.url,
        subprotocols=["bearer", factories.make_tokens(agent).access],
        max_queue=1,
        compression=None,
    )
    assert slow.receive()["type"] == "ready"
    monkeypatch.setattr(feed, "WAITING", 1_000)
    quick = listen(viewer)
    time.sleep(feed.RESUME_SECONDS)

    happen(conversation, times=150)

    assert [event["seq"] for event in quick.events(150)] == list(range(1, 151))
    assert slow.close_code() == 4008


def test_many_sockets_share_few_connections(conversation: Conversation, agent: User, listen: Listen) -> None:
    token = factories.make_tokens(agent).access
    clients = [listen(token=token) for _ in range(40)]

    happen(conversation)

    assert [client.events(1)[0]["seq"] for client in clients] == [1] * 40
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert cursor.fetchone()[0] <= 4


@pytest.mark.parametrize("events", [3, 30])
def test_a_batch_takes_the_same_few_queries_however_many_events_and_sessions(
    organization: Organization, agent: User, events: int, django_assert_max_num_queries: Any
) -> None:
    sessions = [factories.make_sign_in(agent).pk for _ in range(events)]
    account = inbox.make_account(organization)
    for _ in range(events):
        conversation = inbox.make_conversation(organization, account=account)
        inbox.make_messages(conversation, ["Oi"])
        holding.take(conversation=conversation, by=Author.person(agent))
    outbox.publish()

    # events; sessions; conversations, identities, last messages' attachments, responders; hand-overs
    with django_assert_max_num_queries(8):
        news = frames.look(organization.pk, 0, 200, sessions)

    assert len(news.frames) == 2 * events
    assert set(news.sessions or ()) == set(sessions)


def access(session: SignIn, lifetime: timedelta = timedelta(minutes=15)) -> str:
    token = AccessToken()
    token.set_exp(lifetime=lifetime)
    token["sub"], token["sid"] = str(session.user_id), str(session.pk)
    return str(token)


def next_event_or_code(client: InboxSocket) -> int | None:
    """The seq of the next event, or the code of the close."""
    try:
        seq: int = client.events(1)[0]["seq"]
    except ConnectionClosed:
        return client.close_code()
    return seq
