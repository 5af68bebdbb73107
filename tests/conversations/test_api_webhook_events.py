"""Webhook items over REST: what was not simply done, seen and replayed by administrators."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.conversations.models import Conversation, WebhookEvent, WebhookItem
from apps.core import encryption
from apps.organizations.models import Organization, User
from tests.support import inbox

URL = "/api/v1/webhook-events/"

Api = Callable[..., APIClient]


def make_item(organization: Organization | None, **fields: Any) -> WebhookItem:
    event = WebhookEvent.objects.create(
        channel="whatsapp", body=b"{}", signed_by=encryption.fingerprint("test-app-secret"), received_at=timezone.now()
    )
    return WebhookItem.objects.create(
        event=event,
        organization=organization,
        **{
            "channel": "whatsapp",
            "kind": "message",
            "state": "dead",
            "reason": "fault",
            "payload": {"entry": []},
            "traceback": "Traceback: ...",
            **fields,
        },
    )


def shown(client: APIClient, **query: str) -> set[str]:
    response = client.get(URL, query)
    assert response.status_code == 200, response.content
    return {item["id"] for item in response.json()}


def test_an_administrator_sees_the_organizations_items_without_their_bodies(
    organization: Organization, other_organization: Organization, admin: User, api: Api
) -> None:
    mine = {state: make_item(organization, state=state) for state in ("dead", "ignored", "unclaimed", "parked")}
    make_item(other_organization)
    make_item(None, state="unclaimed")
    client = api(admin)

    assert shown(client) == {str(mine[state].pk) for state in ("dead", "ignored", "unclaimed")}
    assert shown(client, status="ignored") == {str(mine["ignored"].pk)}
    [item] = client.get(URL, {"status": "dead"}).json()
    event = mine["dead"].event
    assert event is not None
    assert (item["status"], item["kind"], item["reason"]) == ("dead", "message", "fault")
    assert (item["event_id"], item["correlation_id"]) == (event.pk, str(event.correlation_id))
    assert (item["payload"], item["traceback"]) == (None, None)


def test_bodies_and_what_nobody_claims_are_the_super_admins(
    organization: Organization, super_admin: User, api: Api
) -> None:
    unclaimed = make_item(None, state="unclaimed", traceback="")
    client = api(super_admin)

    assert shown(client, status="unclaimed") == {str(unclaimed.pk)}
    [item] = client.get(URL).json()
    assert (item["payload"], item["traceback"]) == ({"entry": []}, "")


@pytest.mark.parametrize("role", ["agent", "viewer"])
def test_others_see_and_replay_nothing(
    organization: Organization, role: str, api: Api, request: pytest.FixtureRequest
) -> None:
    item = make_item(organization)
    client = api(request.getfixturevalue(role))

    assert client.get(URL).status_code == 403
    assert client.post(f"{URL}{item.pk}/replay").status_code == 403
    assert WebhookItem.objects.filter(pk=item.pk).exists()


def test_items_of_others_cannot_be_replayed(
    organization: Organization, other_organization: Organization, admin: User, api: Api
) -> None:
    items = [make_item(other_organization), make_item(None, state="unclaimed")]

    assert [api(admin).post(f"{URL}{item.pk}/replay").status_code for item in items] == [404, 404]
    assert WebhookItem.objects.count() == 2


def test_a_replayed_turn_is_due_again_and_its_item_is_done(organization: Organization, admin: User, api: Api) -> None:
    conversation = inbox.make_conversation(organization)
    inbox.make_messages(conversation, ["Oi"])
    Conversation.objects.filter(pk=conversation.pk).update(handled_seq=1)
    item = make_item(organization, kind="turn", payload={"conversation_id": str(conversation.pk)})

    response = api(admin).post(f"{URL}{item.pk}/replay/")

    assert (response.status_code, response.json()["status"]) == (200, "done")
    assert not WebhookItem.objects.exists()
    conversation.refresh_from_db()
    assert conversation.turn_due_at is not None
    assert api(admin).post(f"{URL}{item.pk}/replay").status_code == 404


@pytest.mark.parametrize("rows", [3, 30])
def test_a_page_takes_the_same_few_queries_however_long(
    organization: Organization, admin: User, api: Api, django_assert_num_queries: Any, rows: int
) -> None:
    for _ in range(rows):
        make_item(organization)
    client = api(admin)

    with django_assert_num_queries(3):  # who asks; the count; the page
        assert len(shown(client)) == rows
