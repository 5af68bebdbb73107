"""A conversation's messages over REST: what they say, how they are paged, and how one is sent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.conversations.models import Attachment, Conversation, Message
from apps.organizations.models import Organization, User
from tests.support import inbox

Api = Callable[..., APIClient]


@pytest.fixture
def conversation(organization: Organization) -> Conversation:
    return inbox.make_conversation(organization)


def url(conversation: Conversation, path: str = "/messages") -> str:
    return f"/api/v1/conversations/{conversation.pk}{path}"


def said(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [message["content"]["text"] for message in response.json()]


def test_a_message_has_every_key_of_the_contract(conversation: Conversation, viewer: User, api: Api) -> None:
    now = timezone.now()
    [message] = inbox.make_messages(
        conversation,
        ["Veja"],
        type="image",
        content={"caption": "Veja", "mime_type": "image/jpeg"},
        reply_to="wamid.A",
        reactions={"contact": "👍"},
        sent_at=now,
        received_at=now,
    )
    attachment = Attachment.objects.create(message=message, type="image", external_id="7", mime_type="image/jpeg")

    [shape] = api(viewer).get(url(conversation)).json()

    iso = now.isoformat().replace("+00:00", "Z")
    assert shape == {
        "id": str(message.pk),
        "conversation_id": str(conversation.pk),
        "seq": 1,
        "direction": "inbound",
        "sender_type": "contact",
        "sender_user_id": None,
        "bot_id": None,
        "message_type": "image",
        "content": {"text": "Veja", "caption": "Veja", "mime_type": "image/jpeg"},
        "attachments": [
            {
                "id": attachment.pk,
                "type": "image",
                "url": "",
                "external_id": "7",
                "mime_type": "image/jpeg",
                "filename": "",
                "sha256": "",
                "size": None,
            }
        ],
        "status": "received",
        "whatsapp_message_id": message.external_id,
        "reply_to": "wamid.A",
        "reactions": {"contact": "👍"},
        "edited_at": None,
        "revoked_at": None,
        "client_request_id": "",
        "processed_by_agent": False,
        "created_at": message.created_at.isoformat().replace("+00:00", "Z"),
        "received_at": iso,
        "sent_at": iso,
        "delivered_at": None,
        "read_at": None,
        "played_at": None,
        "failed_at": None,
        "error_code": None,
        "error_message": None,
    }


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("queued", "pending"),
        ("sending", "pending"),
        *((status, status) for status in ("unknown", "sent", "delivered", "read", "played", "failed", "cancelled")),
    ],
)
def test_what_is_not_yet_with_the_platform_is_pending(
    conversation: Conversation, viewer: User, api: Api, status: str, shown: str
) -> None:
    inbox.make_messages(conversation, ["Oi"], direction="outbound", author="bot", status=status)

    [shape] = api(viewer).get(url(conversation)).json()

    assert (shape["status"], shape["sender_type"]) == (shown, "bot")


def test_a_failed_message_says_why(conversation: Conversation, viewer: User, api: Api) -> None:
    inbox.make_messages(
        conversation,
        ["Oi"],
        direction="outbound",
        author="person",
        status="failed",
        error_code="131026",
        error_title="Message undeliverable",
        error_details="The recipient has no WhatsApp.",
    )

    [shape] = api(viewer).get(url(conversation)).json()

    assert shape["error_code"] == "131026"
    assert shape["error_message"] == "Message undeliverable: The recipient has no WhatsApp."


def test_a_thread_opens_at_its_newest_page_and_leads_back_to_its_beginning(
    conversation: Conversation, viewer: User, api: Api
) -> None:
    texts = [str(number) for number in range(1, 8)]
    inbox.make_messages(conversation, texts)
    client = api(viewer)

    pages, address = [], f"{url(conversation)}/?limit=3"
    while address:
        response = client.get(address)
        pages.append(said(response))
        link = response.headers.get("Link", "")
        address = link[1 : link.index(">")] if 'rel="prev"' in link else ""

    assert pages == [["5", "6", "7"], ["2", "3", "4"], ["1"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "1234567"),
        ("limit=2", "67"),
        ("skip=0&limit=2", "12"),
        ("skip=2&limit=2", "34"),
        ("order=asc&limit=2", "12"),
        ("order=desc&limit=2", "76"),
        ("before=4&limit=2", "23"),
        ("after=5", "67"),
        ("order=asc&after=2&limit=2", "34"),
        ("order=desc&before=3", "21"),
        ("direction=outbound", ""),
    ],
)
def test_every_page_of_a_thread_can_be_reached(
    conversation: Conversation, viewer: User, api: Api, query: str, expected: str
) -> None:
    inbox.make_messages(conversation, [str(number) for number in range(1, 8)])

    assert "".join(said(api(viewer).get(f"{url(conversation)}?{query}"))) == expected


@pytest.mark.parametrize("query", ["order=up", "before=x", "before=-1", "after=99999999999", "limit=1000"])
def test_a_wrong_page_is_named(conversation: Conversation, viewer: User, api: Api, query: str) -> None:
    response = api(viewer).get(f"{url(conversation)}?{query}")

    assert response.status_code == 400
    assert response.json()["detail"].startswith(query.partition("=")[0] + ": ")


@pytest.mark.parametrize("rows", [3, 30])
def test_a_thread_takes_the_same_few_queries_however_long(
    conversation: Conversation, viewer: User, api: Api, django_assert_num_queries: Any, rows: int
) -> None:
    inbox.make_messages(conversation, ["Oi"] * rows)
    client = api(viewer)

    with django_assert_num_queries(5):  # who asks; whose it is; the count; the page; its attachments
        assert len(said(client.get(url(conversation)))) == rows


def test_a_persons_message_is_queued_and_takes_the_conversation(
    conversation: Conversation, agent: User, api: Api
) -> None:
    response = api(agent).post(url(conversation), {"message_type": "text", "content": {"text": "Olá!"}})

    assert response.status_code == 201
    shape = response.json()
    assert (shape["status"], shape["sender_type"], shape["sender_user_id"]) == ("pending", "agent", str(agent.pk))
    assert (shape["message_type"], shape["content"], shape["seq"]) == ("text", {"text": "Olá!"}, 1)
    conversation.refresh_from_db()
    assert (conversation.holder, conversation.assignee) == ("human", agent)
    message = Message.objects.get(pk=shape["id"])
    assert (message.status, message.user) == ("queued", agent)


@pytest.mark.parametrize(
    ("message_type", "content", "text"),
    [
        ("text", {"text": "Oi", "preview_url": True}, "Oi"),
        ("image", {"url": "https://example.com/a.jpg", "caption": "Veja"}, "Veja"),
        ("document", {"url": "https://example.com/a.pdf", "filename": "a.pdf"}, "a.pdf"),
        ("audio", {"url": "https://example.com/a.ogg"}, ""),
        ("video", {"url": "https://example.com/a.mp4", "caption": "Veja"}, "Veja"),
        ("template", {"name": "ola", "language": "pt_BR", "components": []}, "ola"),
    ],
)
def test_each_type_of_message_can_be_sent(
    conversation: Conversation, agent: User, api: Api, message_type: str, content: dict[str, Any], text: str
) -> None:
    response = api(agent).post(url(conversation), {"message_type": message_type, "content": content})

    assert response.status_code == 201, response.content
    message = Message.objects.get()
    assert (message.type, message.content, message.text) == (message_type, content, text)


@pytest.mark.parametrize(
    "body",
    [
        {"message_type": "text", "content": {}},
        {"message_type": "text", "content": {"text": " "}},
        {"message_type": "text", "content": {"text": 7}},
        {"message_type": "text", "content": "Oi"},
        {"message_type": "text"},
        {"message_type": "image", "content": {"url": "https://example.com/a.jpg", "caption": ["x"]}},
        {"message_type": "image", "content": {}},
        {"message_type": "image", "content": {"url": "javascript:alert(1)"}},
        {"message_type": "template", "content": {}},
        {"message_type": "poem", "content": {"text": "Oi"}},
        {"content": {"text": "x" * 5000}},
        {"content": {"text": "Oi"}, "client_request_id": "k" * 101},
        ["Oi"],
    ],
)
def test_what_cannot_be_sent_is_refused_and_changes_nothing(
    conversation: Conversation, agent: User, api: Api, body: Any
) -> None:
    response = api(agent).post(url(conversation), body)

    assert response.status_code == 400, response.content
    conversation.refresh_from_db()
    assert (conversation.holder, conversation.last_seq) == ("bot", 0)


@pytest.mark.parametrize("by_header", [True, False])
def test_a_repeated_key_sends_once(conversation: Conversation, agent: User, api: Api, by_header: bool) -> None:
    client = api(agent)
    body = {"message_type": "text", "content": {"text": "Olá!"}}
    headers = {"Idempotency-Key": "click-1"} if by_header else {}
    request = body if by_header else {**body, "client_request_id": "click-1"}

    first = client.post(url(conversation), request, headers=headers)
    again = client.post(url(conversation), request, headers=headers)
    other = client.post(url(conversation), {**request, "content": {"text": "Tchau!"}}, headers=headers)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")
    assert Message.objects.count() == 1


def test_a_key_is_its_owners_alone(conversation: Conversation, agent: User, admin: User, api: Api) -> None:
    body = {"content": {"text": "Olá!"}, "client_request_id": "1"}

    answers = [api(user).post(url(conversation), body) for user in (agent, admin)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert Message.objects.count() == 2


def test_free_text_outside_the_window_is_refused_and_a_template_passes(
    conversation: Conversation, agent: User, api: Api
) -> None:
    conversation.last_inbound_at = timezone.now() - timedelta(hours=25)
    conversation.save()

    text = api(agent).post(url(conversation), {"content": {"text": "Olá!"}})
    assert (text.status_code, text.json()["error"]["code"]) == (400, "window_closed")
    assert not Message.objects.exists()

    template = {"message_type": "template", "content": {"name": "ola", "language": "pt_BR"}}
    assert api(agent).post(url(conversation), template).status_code == 201


def test_a_closed_conversation_takes_no_words(conversation: Conversation, agent: User, api: Api) -> None:
    assert api(agent).post(url(conversation, "/close"), {}).status_code == 200

    response = api(agent).post(url(conversation), {"content": {"text": "Olá!"}})

    assert (response.status_code, response.json()["error"]["code"]) == (409, "conversation_closed")
    assert not Message.objects.exists()


def test_reading_takes_the_unread_count_to_zero_and_the_next_word_counts_again(
    conversation: Conversation, agent: User, api: Api
) -> None:
    inbox.make_messages(conversation, ["Oi", "Tudo bem?"])
    client = api(agent)
    assert client.get(url(conversation, "")).json()["unread_count"] == 2

    assert client.post(url(conversation, "/read")).json()["unread_count"] == 0
    conversation.refresh_from_db()
    inbox.make_messages(conversation, ["Alô?"])

    assert client.get(url(conversation, "")).json()["unread_count"] == 1


def test_an_assignment_names_one_colleague(conversation: Conversation, agent: User, admin: User, api: Api) -> None:
    shape = api(admin).post(url(conversation, "/assign"), {"agent_id": agent.pk}).json()

    assert (shape["assigned_agent_id"], shape["status"], shape["holder"]) == (str(agent.pk), "active", "human")
    assert shape["assigned_at"] is not None


def test_an_assignment_to_someone_else_is_refused(
    conversation: Conversation, agent: User, viewer: User, other_admin: User, api: Api
) -> None:
    client = api(agent)

    assert client.post(url(conversation, "/assign"), {"agent_id": other_admin.pk}).status_code == 404
    assert client.post(url(conversation, "/assign"), {"agent_id": "me"}).status_code == 400
    refused = client.post(url(conversation, "/assign"), {"agent_id": viewer.pk})

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "not_an_agent")
    conversation.refresh_from_db()
    assert (conversation.holder, conversation.assignee) == ("bot", None)


def test_a_conversation_is_closed_once(conversation: Conversation, agent: User, api: Api) -> None:
    client = api(agent)

    shape = client.post(url(conversation, "/close"), {"reason": "Resolvido", "resolved": True}).json()
    assert shape["status"] == "closed"
    assert shape["closed_at"] == shape["resolved_at"] is not None
    assert shape["extra_data"]["close_reason"] == "Resolvido"
    assert shape["extra_data"]["closed_by_agent_id"] == str(agent.pk)
    assert shape["is_bot_active"] is False

    again = client.post(url(conversation, "/close"), {})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_closed")
    assert client.post(url(conversation, "/close"), {"reason": "x" * 501}).status_code == 400
