"""The core in the Django admin."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from apps.contacts.models import Contact
from apps.conversations.models import (
    Attachment,
    Conversation,
    ConversationParticipant,
    HandoverLog,
    Message,
    Wakeup,
    WebhookEvent,
    WebhookItem,
)
from apps.organizations.models import Organization, User
from tests.support import inbox

MODELS = (
    Contact,
    Conversation,
    ConversationParticipant,
    HandoverLog,
    Message,
    Wakeup,
    WebhookEvent,
    WebhookItem,
)


@pytest.fixture
def rows(organization: Organization) -> dict[type, Any]:
    conversation = inbox.make_conversation(organization)
    now = timezone.now()
    [message] = inbox.make_messages(conversation, ["Segredo " * 20])
    Attachment.objects.create(message=message, type="image")
    log = HandoverLog.objects.create(
        organization=organization, conversation=conversation, epoch=1, from_holder="bot", to_holder="human", by="person"
    )
    event = WebhookEvent.objects.create(channel="whatsapp", body=b'{"a": "\xff"}', signed_by="x", received_at=now)
    return {
        Contact: conversation.contact,
        Conversation: conversation,
        ConversationParticipant: ConversationParticipant.objects.create(
            conversation=conversation,
            kind="contact",
            participant_id=conversation.contact_id,
            first_at=now,
            last_at=now,
        ),
        HandoverLog: log,
        Message: message,
        Wakeup: Wakeup.objects.create(conversation=conversation, key="delay", due_at=now),
        WebhookEvent: event,
        WebhookItem: WebhookItem.objects.create(
            event=event,
            organization=organization,
            channel="whatsapp",
            kind="turn",
            state="dead",
            payload={"conversation_id": str(conversation.pk)},
        ),
    }


def url(model: type[Any], page: str = "changelist", *args: Any) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/" + {
        "changelist": "",
        "change": f"{args[0]}/change/" if args else "",
        "add": "add/",
    }.get(page, "")


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_listed_found_and_shown(
    client: Client, super_admin: User, rows: dict[type, Any], model: type[Any]
) -> None:
    client.force_login(super_admin)

    assert client.get(url(model)).status_code == 200
    found = client.get(url(model), {"q": str(rows[Conversation].pk)})
    assert found.status_code == 200
    shown = client.get(url(model, "change", rows[model].pk))
    assert shown.status_code == 200


@pytest.mark.parametrize("model", [model for model in MODELS if model is not Contact])
def test_facts_are_read_only(client: Client, super_admin: User, rows: dict[type, Any], model: type[Any]) -> None:
    client.force_login(super_admin)

    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "change", rows[model].pk), {}).status_code == 403
    assert model.objects.filter(pk=rows[model].pk).exists()


def test_the_list_of_messages_shows_a_preview_only(client: Client, super_admin: User, rows: dict[type, Any]) -> None:
    client.force_login(super_admin)

    listed = client.get(url(Message)).content.decode()

    assert rows[Message].text[:40] + "…" in listed
    assert rows[Message].text not in listed


def test_selected_items_are_replayed(client: Client, super_admin: User, rows: dict[type, Any]) -> None:
    client.force_login(super_admin)
    Conversation.objects.update(handled_seq=1)

    answer = client.post(
        url(WebhookItem), {"action": "replay", "_selected_action": [str(rows[WebhookItem].pk)]}, follow=True
    )

    assert "1 of 1 items are done." in answer.content.decode()
    assert not WebhookItem.objects.exists()
    assert Conversation.objects.get().turn_due_at is not None


def test_only_a_super_admin_enters(client: Client, admin: User, rows: dict[type, Any]) -> None:
    client.force_login(admin)

    assert client.get(url(Message)).status_code == 302


def test_every_model_of_the_core_is_in_the_admin() -> None:
    assert set(MODELS) <= set(admin.site._registry)
