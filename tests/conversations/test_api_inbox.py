"""The inbox over REST: what it shows, to whom, and how it is narrowed and paged."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.conversations.models import Conversation
from apps.conversations.responders import responders
from apps.organizations.models import Organization, User
from tests.support import factories, inbox

URL = "/api/v1/conversations/"

# every name by which a client of the contract knows something of a conversation
CONTRACT = {
    *("id", "organization_id", "contact_id", "contact", "whatsapp_number_id", "status", "channel"),
    *("current_agent_id", "assigned_agent_id", "department_id", "assigned_department_id", "queue_id"),
    *("active_chatbot_id", "chatbot_id", "active_flow_id", "current_node_id", "is_bot_active", "is_human_requested"),
    *("handoff_at", "priority", "queued_at", "queue_position", "queue_priority", "assigned_at"),
    *("first_message_at", "last_message_at", "last_message_from_contact_at", "last_message_from_agent_at"),
    *("last_inbound_at", "last_outbound_at", "first_response_at", "resolved_at", "closed_at", "archived_at"),
    *("window_expires_at", "last_inbound_message_at", "total_messages", "messages_from_contact"),
    *("messages_from_agent", "messages_from_bot", "unread_count", "last_message", "response_time_seconds"),
    *("resolution_time_seconds", "context_variables", "internal_notes", "rating", "rating_comment", "rated_at"),
    *("tags", "extra_data", "created_at", "updated_at"),
}

Api = Callable[..., APIClient]


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()]


def test_a_conversation_has_every_key_of_the_contract(organization: Organization, viewer: User, api: Api) -> None:
    conversation = inbox.make_conversation(organization, chatbot_id=uuid.uuid4())
    [message] = inbox.make_messages(conversation, ["Oi"])

    [shape] = api(viewer).get(URL).json()

    assert shape.keys() >= CONTRACT
    assert shape["contact"]["name"] == "Maria"
    [identity] = conversation.contact.identities.all()
    assert shape["contact"]["whatsapp_id"] == identity.value
    assert shape["contact"]["phone_number"] == f"+{identity.value}"
    assert shape["channel"] == "whatsapp"
    assert shape["account_id"] == shape["whatsapp_number_id"] == str(conversation.account_id)
    assert (shape["holder"], shape["holder_epoch"], shape["is_bot_active"]) == ("bot", 0, True)
    assert shape["chatbot_id"] == str(conversation.chatbot_id)
    assert shape["unread_count"] == shape["total_messages"] == shape["messages_from_contact"] == 1
    assert shape["last_message"]["id"] == str(message.pk)
    assert shape["last_message"]["content"] == {"text": "Oi"}
    assert conversation.last_inbound_at is not None
    assert shape["window_expires_at"] == _iso(conversation.last_inbound_at + timedelta(hours=24))


def test_a_conversation_in_a_persons_hands_shows_whose(organization: Organization, agent: User, api: Api) -> None:
    conversation = inbox.make_conversation(organization, **inbox.held_by(agent))

    shape = api(agent).get(f"{URL}{conversation.pk}").json()

    assert shape["current_agent_id"] == shape["assigned_agent_id"] == str(agent.pk)
    assert (shape["status"], shape["is_bot_active"], shape["is_human_requested"]) == ("active", False, False)


def test_the_newest_conversation_stands_first(organization: Organization, viewer: User, api: Api) -> None:
    now = timezone.now()
    made = [inbox.make_conversation(organization, last_message_at=now - timedelta(minutes=age)) for age in (3, 1, 2)]

    assert ids(api(viewer).get(URL)) == [str(made[place].pk) for place in (1, 2, 0)]


def test_another_organizations_conversations_do_not_exist(
    organization: Organization, other_organization: Organization, admin: User, api: Api
) -> None:
    theirs = inbox.make_conversation(other_organization)

    assert ids(api(admin).get(URL)) == []
    for path in ("", "/messages"):
        assert api(admin).get(f"{URL}{theirs.pk}{path}").status_code == 404
    for path in ("/messages", "/read", "/assign", "/close", "/handover/human", "/handover/bot"):
        assert api(admin).post(f"{URL}{theirs.pk}{path}", {}).status_code == 404
    theirs.refresh_from_db()
    assert (theirs.holder, theirs.status, theirs.last_seq) == ("bot", "open", 0)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("open", ["bot's"]),
        ("queued", ["waiting"]),
        ("pending", ["waiting"]),
        ("active", ["person's"]),
        ("resolved", ["resolved"]),
        ("closed", ["closed"]),
        ("archived", []),
        ("", ["bot's", "waiting", "person's", "resolved", "closed"]),
        ("undefined", ["bot's", "waiting", "person's", "resolved", "closed"]),
    ],
)
def test_a_status_narrows_the_inbox(
    organization: Organization, agent: User, api: Api, status: str, shown: list[str]
) -> None:
    now = timezone.now()
    states: dict[str, dict[str, Any]] = {
        "bot's": {},
        "waiting": inbox.held_by(None),
        "person's": inbox.held_by(agent),
        "resolved": {"status": "resolved", "closed_at": now, "resolved_at": now},
        "closed": {"status": "closed", "closed_at": now},
    }
    made = {name: str(inbox.make_conversation(organization, **fields).pk) for name, fields in states.items()}

    assert set(ids(api(agent).get(URL, {"status": status}))) == {made[name] for name in shown}


def test_filters_find_the_one_conversation_that_is_meant(organization: Organization, agent: User, api: Api) -> None:
    queue, department = factories.make_queue(organization), factories.make_department(organization)
    contact = inbox.make_contact(organization, name="João Pereira", phone="5521988887777", company="Lua Ltda")
    meant = inbox.make_conversation(
        organization,
        contact=contact,
        chatbot_id=uuid.uuid4(),
        active_chatbot_id=uuid.uuid4(),
        priority="urgent",
        queue=queue,
        department=department,
        **inbox.held_by(agent),
    )
    inbox.make_messages(meant, ["Oi"])
    inbox.make_conversation(organization)
    client = api(agent)

    filters: dict[str, Any] = {
        "chatbot_id": meant.chatbot_id,
        "active_chatbot_id": meant.active_chatbot_id,
        "assigned_to_me": "true",
        "assigned_agent_id": agent.pk,
        "department_id": department.pk,
        "queue_id": queue.pk,
        "contact_id": contact.pk,
        "whatsapp_number_id": meant.account_id,
        "account_id": meant.account_id,
        "holder": "human",
        "priority": "urgent",
        "unread_only": "true",
        "search": "pereira",
    }
    for name, value in filters.items():
        assert ids(client.get(URL, {name: value})) == [str(meant.pk)], name
    for words in ("8888", "+55 (21) 98888-7777", "lua"):
        assert ids(client.get(URL, {"search": words})) == [str(meant.pk)], words
    assert ids(client.get(URL, {"channel": "messenger"})) == []
    assert len(ids(client.get(URL, {"channel": "whatsapp", "chatbot_id": "undefined", "queue_id": ""}))) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "asleep"),
        ("chatbot_id", "7"),
        ("queue_id", "x"),
        ("limit", "0"),
        ("limit", "101"),
        ("skip", "-1"),
        ("cursor", "forged"),
    ],
)
def test_a_wrong_filter_is_named(organization: Organization, viewer: User, api: Api, name: str, value: str) -> None:
    response = api(viewer).get(URL, {name: value})

    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"{name}: ")


def test_the_inbox_is_walked_page_by_page_without_gap_or_repetition(
    organization: Organization, viewer: User, api: Api
) -> None:
    now = timezone.now()
    made = [
        str(inbox.make_conversation(organization, last_message_at=now - timedelta(minutes=age // 2)).pk)
        for age in range(7)
    ]
    client = api(viewer)

    seen, url = [], f"{URL}?limit=3"
    while url:
        response = client.get(url)
        assert response["X-Total-Count"] == "7"
        seen += ids(response)
        link = response.headers.get("Link", "")
        url = link[1 : link.index(">")] if 'rel="next"' in link else ""

    assert len(seen) == 7
    assert set(seen) == set(made)
    assert seen[0] in made[:2]
    assert ids(client.get(URL, {"skip": 5, "limit": 3})) == seen[5:]


def test_a_page_takes_the_same_few_queries_however_long(organization: Organization, viewer: User, api: Api) -> None:
    account, chatbot_id = inbox.make_account(organization), uuid.uuid4()
    client = api(viewer)

    taken = []
    for rows in (3, 30):
        for _ in range(rows - Conversation.objects.count()):
            bots = {"chatbot_id": chatbot_id, "active_chatbot_id": chatbot_id}
            inbox.make_messages(inbox.make_conversation(organization, account=account, **bots), ["Oi", "Tudo bem?"])
        with CaptureQueriesContext(connection) as queries:
            assert len(ids(client.get(URL))) == rows
        taken.append(len(queries))

    # who asks; the count; the page; the contacts' identities; the last messages' attachments; each responder's state
    assert taken[0] == taken[1] <= 5 + len(responders.keys())


def test_a_conversation_is_begun_with_words_once_the_customer_has_written(
    organization: Organization, agent: User, api: Api
) -> None:
    conversation = inbox.make_conversation(organization)

    response = api(agent).post(
        URL,
        {
            "contact_id": conversation.contact_id,
            "whatsapp_number_id": conversation.account_id,
            "initial_message": {"content": "Bom dia!"},
        },
    )

    assert response.status_code == 201
    assert response.json()["id"] == str(conversation.pk)
    assert response.json()["last_message"]["content"] == {"text": "Bom dia!"}
    assert response.json()["holder"] == "human"


def test_words_to_someone_who_never_wrote_are_refused_and_nothing_is_begun(
    organization: Organization, agent: User, api: Api
) -> None:
    contact, account = inbox.make_contact(organization), inbox.make_account(organization)
    body = {"contact_id": contact.pk, "whatsapp_number_id": account.pk}

    refused = api(agent).post(URL, {**body, "initial_message": {"content": "Bom dia!"}})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "window_closed"
    assert not Conversation.objects.exists()

    begun = api(agent).post(URL, body)
    assert begun.status_code == 201
    assert (begun.json()["status"], begun.json()["last_message"]) == ("open", None)
    assert begun.json()["window_expires_at"] is None


def test_a_conversation_needs_a_contact_and_a_number_of_ones_own(
    organization: Organization, other_organization: Organization, agent: User, api: Api
) -> None:
    mine = {"contact": inbox.make_contact(organization), "account": inbox.make_account(organization)}
    theirs = {"contact": inbox.make_contact(other_organization), "account": inbox.make_account(other_organization)}

    for contact, account in ((mine["contact"], theirs["account"]), (theirs["contact"], mine["account"])):
        body = {"contact_id": contact.pk, "whatsapp_number_id": account.pk}
        assert api(agent).post(URL, body).status_code == 404
    missing = api(agent).post(URL, {"contact_id": mine["contact"].pk})
    assert (missing.status_code, missing.json()["detail"]) == (400, "whatsapp_number_id: This field is required.")
    assert not Conversation.objects.exists()


def test_a_switched_off_number_begins_nothing(organization: Organization, agent: User, api: Api) -> None:
    account = inbox.make_account(organization, is_active=False)
    contact = inbox.make_contact(organization)

    response = api(agent).post(URL, {"contact_id": contact.pk, "whatsapp_number_id": account.pk})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "account_inactive")
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_change_changes_only_what_is_sent(organization: Organization, agent: User, api: Api, method: str) -> None:
    conversation = inbox.make_conversation(organization, tags=["vip"])
    client, url = api(agent), f"{URL}{conversation.pk}"

    assert getattr(client, method)(url, {"priority": "high"}).json()["tags"] == ["vip"]
    changed = getattr(client, method)(url, {"tags": ["a", "b", "a"]}).json()

    assert (changed["priority"], changed["tags"]) == ("high", ["a", "b"])
    assert (changed["holder"], changed["status"]) == ("bot", "open")


def test_a_change_may_assign_and_end_it(organization: Organization, agent: User, admin: User, api: Api) -> None:
    conversation = inbox.make_conversation(organization)

    changed = api(agent).put(f"{URL}{conversation.pk}", {"assigned_agent_id": admin.pk, "status": "resolved"}).json()

    assert changed["assigned_agent_id"] == str(admin.pk)
    assert changed["resolved_at"] == changed["closed_at"] is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [("priority", "asap"), ("tags", "vip"), ("tags", ["x" * 51]), ("status", "open"), ("assigned_agent_id", "me")],
)
def test_a_wrong_change_is_named_and_changes_nothing(
    organization: Organization, agent: User, api: Api, field: str, value: object
) -> None:
    conversation = inbox.make_conversation(organization)

    response = api(agent).patch(f"{URL}{conversation.pk}", {"priority": "high", field: value})

    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"{field}: ")
    conversation.refresh_from_db()
    assert (conversation.priority, conversation.tags) == ("medium", [])


def test_a_viewer_changes_nothing(organization: Organization, viewer: User, api: Api) -> None:
    conversation = inbox.make_conversation(organization)
    url, client = f"{URL}{conversation.pk}", api(viewer)

    answers = [client.post(URL, {}), client.put(url, {"priority": "high"}), client.patch(url, {"priority": "high"})]
    for path in ("messages", "read", "assign", "close", "handover/human", "handover/bot"):
        answers.append(client.post(f"{url}/{path}", {}))

    assert [answer.status_code for answer in answers] == [403] * 9
    conversation.refresh_from_db()
    assert (conversation.priority, conversation.holder, conversation.closed_at) == ("medium", "bot", None)


def test_nobody_is_let_in(organization: Organization, api: Api) -> None:
    conversation = inbox.make_conversation(organization)

    assert api().get(URL).status_code == 401
    assert api().get(f"{URL}{conversation.pk}").status_code == 401
    assert api().post(f"{URL}{conversation.pk}/close", {}).status_code == 401


def _iso(moment: Any) -> str:
    return moment.isoformat().replace("+00:00", "Z")
