import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from apps.contacts.models import Contact
from apps.conversations.models import AccountAddress, ChannelAccount, Conversation
from apps.core import encryption
from apps.flows import services as flows
from apps.organizations.models import Organization, User
from apps.whatsapp import services
from apps.whatsapp.models import WhatsAppAccount
from tests.support.meta import SandboxServer

Api = Callable[..., APIClient]

URL = "/api/v1/whatsapp"
NEW = {
    "phone_number": "+55 11 90000-0001",
    "display_name": "Padaria Sol",
    "phone_number_id": SandboxServer.phone_number_id,
    "whatsapp_business_account_id": SandboxServer.waba_id,
    "access_token": "EAAG-token-1234",
    "app_secret": "0123456789abcdef",
    "webhook_verify_token": "padaria-verify",
}


def addresses(account_id: Any) -> set[tuple[str, str]]:
    """The (kind, id) pairs by which webhooks find the account."""
    return set(AccountAddress.objects.filter(account_id=account_id).values_list("kind", "external_id"))


def create(api: Api, user: User | None, **changes: Any) -> Any:
    return api(user).post(URL, NEW | changes)


def test_number_is_connected_and_answered_whole(api: Api, admin: User, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://recado.example"
    response = create(api, admin)
    account = WhatsAppAccount.objects.get()
    shown = response.json()

    assert response.status_code == 201
    assert {name: shown.pop(name) for name in ("created_at", "updated_at", "verified_at", "connected_at")}.keys()
    assert shown == {
        "id": str(account.pk),
        "organization_id": str(admin.organization_id),
        "phone_number": "+5511900000001",
        "display_name": "Padaria Sol",
        "connection_type": "official",
        "phone_number_id": SandboxServer.phone_number_id,
        "whatsapp_business_account_id": SandboxServer.waba_id,
        "access_token": "••••1234",
        "app_secret": "••••cdef",
        "webhook_url": "https://recado.example/api/v1/whatsapp/webhook",
        "webhook_verify_token": "padaria-verify",
        "verified": True,
        "quality_rating": "",
        "throughput_level": "",
        "messaging_limit": "",
        "messages_per_second": 80,
        "status": "connected",
        "status_reason": "",
        "last_seen_at": None,
        "paused_until": None,
        "pause_reason": "",
        "is_active": True,
        "auto_response_enabled": True,
        "away_message": "",
        "default_chatbot_id": None,
        "default_agent_id": None,
    }


def test_new_number_is_found_by_its_ids_and_secrets(api: Api, admin: User) -> None:
    account_id = create(api, admin).json()["id"]
    account = ChannelAccount.objects.get(pk=account_id)

    assert addresses(account_id) == {
        ("phone_number_id", SandboxServer.phone_number_id),
        ("waba", SandboxServer.waba_id),
    }
    assert account.channel == "whatsapp"
    assert account.app_secret_fingerprint == encryption.fingerprint("0123456789abcdef")
    assert account.verify_token_fingerprint == encryption.fingerprint("padaria-verify")


def test_phone_number_alone_makes_a_number_that_waits_for_its_ids(api: Api, admin: User) -> None:
    response = api(admin).post(URL, {"phone_number": "5511900000001"})
    shown = response.json()

    assert response.status_code == 201
    assert (shown["status"], shown["status_reason"]) == (
        "disconnected",
        "The phone number id or the access token is missing.",
    )
    assert len(shown["webhook_verify_token"]) == 32
    assert addresses(shown["id"]) == set()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("phone_number", "123", "length"),
        ("phone_number", "Padaria", "no phone number"),
        ("phone_number", "", "blank"),
        ("phone_number", None, "null"),
        ("phone_number", {}, "valid string"),
        ("phone_number_id", "1/../2", "no id of Meta's"),
        ("whatsapp_business_account_id", "a b", "no id of Meta's"),
        ("access_token", "EAAG\r\nX-Evil: 1", "ASCII"),
        ("access_token", ["EAAG"], "valid string"),
        ("app_secret", "••••9999", "ASCII"),
        ("connection_type", "qrcode", "not a valid choice"),
        ("is_active", "perhaps", "boolean"),
        ("messages_per_second", "many", "integer"),
        ("messages_per_second", 0, "greater than or equal to 1"),
        ("default_chatbot_id", "7", "UUID"),
        ("display_name", "x" * 256, "255"),
    ],
)
def test_wrong_value_is_refused_with_its_field(api: Api, admin: User, field: str, value: Any, words: str) -> None:
    response = create(api, admin, **{field: value})

    assert response.status_code == 400
    assert words in str(response.json()["error"]["details"][field])
    assert not WhatsAppAccount.objects.exists()


def test_null_empties_text_and_unknown_fields_are_ignored(api: Api, admin: User) -> None:
    response = create(
        api, admin, display_name=None, app_secret=None, away_message=None, evolution_api_key="x", default_agent_id="y"
    )

    assert response.status_code == 201
    assert (response.json()["display_name"], response.json()["app_secret"]) == ("", "")


@pytest.mark.parametrize(
    "taken",
    [
        {"phone_number_id": "100000000000002"},
        {"phone_number": "+5511900000002"},
    ],
    ids=["same phone number", "same phone number id"],
)
def test_number_of_another_organization_is_refused_without_telling_whose_it_is(
    api: Api, other_admin: User, number: WhatsAppAccount, taken: dict[str, str]
) -> None:
    response = create(api, other_admin, **taken)

    assert response.status_code == 409
    assert response.json() == {
        "detail": "This number is connected already.",
        "error": {"code": "number_taken", "message": "This number is connected already.", "details": None},
    }
    assert list(WhatsAppAccount.objects.all()) == [number]


def test_numbers_of_one_business_account_share_its_address(
    api: Api, other_admin: User, number: WhatsAppAccount
) -> None:
    response = create(api, other_admin, phone_number="+5511900000002", phone_number_id="100000000000002")

    assert response.status_code == 201
    assert AccountAddress.objects.filter(kind="waba", external_id=SandboxServer.waba_id).count() == 2


def test_list_is_an_array_of_the_own_numbers_alone(
    api: Api, viewer: User, number: WhatsAppAccount, other_organization: Organization
) -> None:
    services.create_number(organization=other_organization, phone_number="+5511900000002")
    response = api(viewer).get(URL)

    assert response.status_code == 200
    assert [shown["id"] for shown in response.json()] == [str(number.pk)]
    assert response["X-Total-Count"] == "1"


def test_list_takes_as_many_queries_for_one_number_as_for_five(
    api: Api, viewer: User, number: WhatsAppAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = api(viewer)
    with django_assert_num_queries(3):  # the session, the count, the page
        client.get(URL)
    for last in range(2, 6):
        services.create_number(organization=number.organization, phone_number=f"+551190000000{last}")
    with django_assert_num_queries(3):
        assert len(client.get(URL).json()) == 5


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_verify_token_is_shown_to_administrators_alone(
    request: pytest.FixtureRequest, api: Api, admin: User, number: WhatsAppAccount, role: str
) -> None:
    other = request.getfixturevalue(role)

    assert "webhook_verify_token" not in api(other).get(f"{URL}/{number.pk}").json()
    assert api(admin).get(f"{URL}/{number.pk}").json()["webhook_verify_token"] == "padaria-verify"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_change_touches_only_what_is_sent(api: Api, admin: User, number: WhatsAppAccount, method: str) -> None:
    response = getattr(api(admin), method)(
        f"{URL}/{number.pk}", {"is_active": False, "auto_response_enabled": False, "messages_per_second": 20}
    )
    number.refresh_from_db()

    assert response.status_code == 200
    assert (number.is_active, number.auto_response_enabled, number.messages_per_second) == (False, False, 20)
    assert (number.name, number.access_token, number.phone_number) == (
        "Padaria Sol",
        "EAAG-token-1234",
        "+5511900000001",
    )


def test_masked_secret_sent_back_changes_nothing(api: Api, admin: User, number: WhatsAppAccount) -> None:
    shown = api(admin).get(f"{URL}/{number.pk}").json()
    response = api(admin).put(f"{URL}/{number.pk}", shown | {"display_name": "Padaria da Bia"})
    number.refresh_from_db()

    assert response.status_code == 200
    assert (number.name, number.access_token) == ("Padaria da Bia", "EAAG-token-1234")


def test_new_secrets_are_kept_encrypted_with_their_fingerprints(api: Api, admin: User, number: WhatsAppAccount) -> None:
    api(admin).patch(f"{URL}/{number.pk}", {"app_secret": "fedcba9876543210", "webhook_verify_token": "new"})
    number.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("SELECT app_secret FROM conversations_channelaccount")
        [(stored,)] = cursor.fetchall()

    assert number.app_secret == "fedcba9876543210"
    assert number.app_secret_fingerprint == encryption.fingerprint("fedcba9876543210")
    assert number.verify_token_fingerprint == encryption.fingerprint("new")
    assert encryption.decrypt(stored) == "fedcba9876543210" != stored


def test_new_ids_take_the_place_of_the_old_addresses(api: Api, admin: User, number: WhatsAppAccount) -> None:
    api(admin).patch(f"{URL}/{number.pk}", {"phone_number_id": "100000000000009", "whatsapp_business_account_id": ""})

    assert addresses(number.pk) == {("phone_number_id", "100000000000009")}


def test_default_chatbot_is_chosen_and_taken_away(api: Api, admin: User, number: WhatsAppAccount) -> None:
    chatbot = flows.create_chatbot(organization=number.organization, name="Bia")
    client, url = api(admin), f"{URL}/{number.pk}"

    assert client.patch(url, {"default_chatbot_id": str(chatbot.pk)}).json()["default_chatbot_id"] == str(chatbot.pk)
    assert client.patch(url, {"display_name": "Sol"}).json()["default_chatbot_id"] == str(chatbot.pk)
    assert client.patch(url, {"default_chatbot_id": None}).json()["default_chatbot_id"] is None


def test_chatbot_of_another_organization_is_not_found(
    api: Api, admin: User, number: WhatsAppAccount, other_organization: Organization
) -> None:
    chatbot = flows.create_chatbot(organization=other_organization, name="Lua")
    response = api(admin).patch(f"{URL}/{number.pk}", {"default_chatbot_id": str(chatbot.pk), "display_name": "x"})
    number.refresh_from_db()

    assert response.status_code == 404
    assert number.name == "Padaria Sol"


def test_compatible_chatbots_are_the_organizations(
    api: Api, viewer: User, number: WhatsAppAccount, other_organization: Organization
) -> None:
    flows.create_chatbot(organization=other_organization, name="Lua")
    chatbot = flows.create_chatbot(organization=number.organization, name="Bia", description="Atende")
    flows.choose_default_chatbot(account=number, chatbot=chatbot)
    response = api(viewer).get(f"{URL}/{number.pk}/compatible-chatbots").json()
    [item] = response["items"]

    assert response["total"] == 1
    assert {"start", "message", "question"} <= set(item.pop("available_node_types"))
    assert item == {
        "id": str(chatbot.pk),
        "name": "Bia",
        "description": "Atende",
        "is_active": False,
        "whatsapp_number_id": str(number.pk),
        "compatible": True,
    }


def test_number_without_conversations_is_deleted(api: Api, admin: User, number: WhatsAppAccount) -> None:
    response = api(admin).delete(f"{URL}/{number.pk}")

    assert (response.status_code, response.content) == (204, b"")
    assert not ChannelAccount.objects.exists()
    assert not AccountAddress.objects.exists()


def test_removed_number_keeps_its_conversations_and_gives_up_the_rest(
    api: Api, admin: User, number: WhatsAppAccount
) -> None:
    contact = Contact.objects.create(organization=number.organization, name="Bia")
    Conversation.objects.create(organization=number.organization, account=number, contact=contact)
    response = api(admin).delete(f"{URL}/{number.pk}")
    number.refresh_from_db()

    assert response.status_code == 204
    assert Conversation.objects.filter(account=number).count() == 1
    assert (number.is_active, number.verified_at, number.access_token, number.verify_token_fingerprint) == (
        False,
        None,
        "",
        "",
    )
    assert addresses(number.pk) == set()
    assert api(admin).get(f"{URL}/{number.pk}").status_code == 404
    assert api(admin).get(URL).json() == []


def test_removed_number_can_be_connected_elsewhere(
    api: Api, admin: User, other_admin: User, number: WhatsAppAccount
) -> None:
    contact = Contact.objects.create(organization=number.organization, name="Bia")
    Conversation.objects.create(organization=number.organization, account=number, contact=contact)
    api(admin).delete(f"{URL}/{number.pk}")

    assert create(api, other_admin).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", "/{id}"),
        ("patch", "/{id}"),
        ("delete", "/{id}"),
        ("post", "/{id}/test"),
    ],
)
@pytest.mark.parametrize(("role", "code"), [("viewer", 403), ("agent", 403), (None, 401), ("other_admin", 404)])
def test_others_change_nothing(
    request: pytest.FixtureRequest,
    api: Api,
    number: WhatsAppAccount,
    method: str,
    path: str,
    role: str | None,
    code: int,
) -> None:
    client = api(request.getfixturevalue(role)) if role else api()
    response = getattr(client, method)(URL + path.format(id=number.pk), {"display_name": "Meu"})
    number.refresh_from_db()

    assert response.status_code == code
    assert (number.name, number.removed_at) == ("Padaria Sol", None)


@pytest.mark.parametrize(("role", "code"), [("viewer", 403), ("agent", 403), (None, 401)])
def test_administrators_alone_connect_numbers(
    request: pytest.FixtureRequest, api: Api, organization: Organization, role: str | None, code: int
) -> None:
    response = create(api, request.getfixturevalue(role) if role else None)

    assert response.status_code == code
    assert not WhatsAppAccount.objects.exists()


@pytest.mark.parametrize("path", ["/{id}", "/{id}/compatible-chatbots"])
def test_numbers_of_others_are_not_found(api: Api, other_admin: User, number: WhatsAppAccount, path: str) -> None:
    assert api(other_admin).get(URL + path.format(id=number.pk)).status_code == 404
    assert api(other_admin).get(URL + path.format(id=uuid.uuid4())).status_code == 404
