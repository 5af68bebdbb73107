"""Who has a conversation, changed over REST."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from apps.conversations.models import HandoverLog
from apps.organizations.models import Organization, User
from tests.support import inbox

Api = Callable[..., APIClient]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_person_takes_a_conversation_and_gives_it_back(
    organization: Organization, agent: User, api: Api, slash: str
) -> None:
    conversation = inbox.make_conversation(organization)
    url, client = f"/api/v1/conversations/{conversation.pk}/handover", api(agent)

    taken = client.post(f"{url}/human{slash}", {"reason": "Reclamação"})
    given_back = client.post(f"{url}/bot{slash}")

    assert (taken.status_code, given_back.status_code) == (200, 200)
    assert [(shape["holder"], shape["holder_epoch"]) for shape in (taken.json(), given_back.json())] == [
        ("human", 1),
        ("bot", 2),
    ]
    assert taken.json()["assigned_agent_id"] == str(agent.pk)
    assert given_back.json()["assigned_agent_id"] is None
    assert list(HandoverLog.objects.order_by("id").values_list("to_holder", "reason", "by_user")) == [
        ("human", "Reclamação", agent.pk),
        ("bot", "", agent.pk),
    ]


def test_taking_it_twice_changes_nothing_more(organization: Organization, agent: User, api: Api) -> None:
    conversation = inbox.make_conversation(organization)
    client = api(agent)

    epochs = [
        client.post(f"/api/v1/conversations/{conversation.pk}/handover/human").json()["holder_epoch"] for _ in range(2)
    ]

    assert epochs == [1, 1]
    assert HandoverLog.objects.count() == 1


@pytest.mark.parametrize("to", ["human", "bot"])
def test_a_closed_conversation_changes_hands_no_more(
    organization: Organization, agent: User, api: Api, to: str
) -> None:
    conversation = inbox.make_conversation(organization)
    client = api(agent)
    client.post(f"/api/v1/conversations/{conversation.pk}/close")

    response = client.post(f"/api/v1/conversations/{conversation.pk}/handover/{to}")

    assert (response.status_code, response.json()["error"]["code"]) == (409, "already_closed")
    assert not HandoverLog.objects.exists()


def test_too_long_a_reason_is_refused(organization: Organization, agent: User, api: Api) -> None:
    conversation = inbox.make_conversation(organization)

    response = api(agent).post(f"/api/v1/conversations/{conversation.pk}/handover/human", {"reason": "x" * 501})

    assert response.status_code == 400
    assert response.json()["detail"].startswith("reason: ")
    conversation.refresh_from_db()
    assert conversation.holder == "bot"
