"""Contacts over REST."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.contacts.models import Contact, ContactIdentity
from apps.organizations.models import Organization, User
from tests.support import inbox

URL = "/api/v1/contacts/"

# every name by which a client of the contract knows something of a contact
CONTRACT = {
    *("id", "organization_id", "whatsapp_id", "whatsapp_name", "whatsapp_profile_pic", "name", "email"),
    *("phone_number", "avatar_url", "company", "job_title", "notes", "address_street", "address_city"),
    *("address_state", "address_country", "address_postal_code", "source", "lifecycle_stage", "opt_in"),
    *("opt_in_date", "opt_out_date", "is_blocked", "blocked_at", "blocked_reason", "is_vip", "last_message_at"),
    *("last_message_received_at", "last_message_sent_at", "total_messages_sent", "total_messages_received"),
    *("total_conversations", "assigned_agent_id", "assigned_department_id", "tags", "created_at", "updated_at"),
}

Api = Callable[..., APIClient]


@pytest.mark.parametrize("field", ["whatsapp_id", "phone_number"])
@pytest.mark.parametrize("spelling", ["5511999990001", "+55 (11) 99999-0001"])
def test_a_contact_is_made_known_by_its_phone_number(
    organization: Organization, agent: User, api: Api, field: str, spelling: str
) -> None:
    response = api(agent).post(URL, {field: spelling, "name": "Maria", "email": "maria@example.com", "tags": ["vip"]})

    assert response.status_code == 201, response.content
    shape = response.json()
    assert shape.keys() >= CONTRACT
    assert (shape["whatsapp_id"], shape["phone_number"]) == ("5511999990001", "+5511999990001")
    assert (shape["name"], shape["email"], shape["tags"]) == ("Maria", "maria@example.com", ["vip"])
    assert shape["identities"] == {"phone": "5511999990001"}
    assert api(agent).get(f"{URL}{shape['id']}/").json() == shape


def test_a_number_has_one_contact(organization: Organization, agent: User, api: Api) -> None:
    inbox.make_contact(organization, phone="5511999990001")

    response = api(agent).post(URL, {"whatsapp_id": "5511999990001", "name": "Outra"})

    assert (response.status_code, response.json()["error"]["code"]) == (409, "contact_exists")
    assert Contact.objects.count() == ContactIdentity.objects.count() == 1


def test_two_organizations_may_know_one_number(
    organization: Organization, other_organization: Organization, agent: User, api: Api
) -> None:
    inbox.make_contact(other_organization, phone="5511999990001")

    assert api(agent).post(URL, {"whatsapp_id": "5511999990001"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "whatsapp_id"),
        ({"whatsapp_id": "12"}, "whatsapp_id"),
        ({"phone_number": "Maria"}, "phone_number"),
        ({"whatsapp_id": "٥٥١١٩٩٩٩٩٠٠٠١"}, "whatsapp_id"),
        ({"whatsapp_id": "5511999990001", "phone_number": "5511999990002"}, "phone_number"),
        ({"whatsapp_id": "5511999990001", "email": "maria"}, "email"),
        ({"whatsapp_id": "5511999990001", "name": "x" * 256}, "name"),
        ({"whatsapp_id": "5511999990001", "tags": [7, {}]}, "tags"),
    ],
)
def test_a_wrong_contact_is_refused(
    organization: Organization, agent: User, api: Api, body: dict[str, Any], field: str
) -> None:
    response = api(agent).post(URL, body)

    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"{field}: ")
    assert not Contact.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_change_changes_only_what_is_sent(organization: Organization, agent: User, api: Api, method: str) -> None:
    contact = inbox.make_contact(organization, phone="5511999990001", company="Lua Ltda")

    shape = getattr(api(agent), method)(f"{URL}{contact.pk}", {"name": "Maria Silva", "is_vip": True}).json()

    assert (shape["name"], shape["is_vip"]) == ("Maria Silva", True)
    assert (shape["company"], shape["whatsapp_id"]) == ("Lua Ltda", "5511999990001")


def test_a_new_number_is_the_one_written_to_and_the_old_one_still_finds_the_contact(
    organization: Organization, agent: User, api: Api
) -> None:
    contact = inbox.make_contact(organization, phone="5511999990001")
    client = api(agent)

    assert client.put(f"{URL}{contact.pk}", {"whatsapp_id": "5511999990002"}).json()["whatsapp_id"] == "5511999990002"
    assert [row["id"] for row in client.get(URL, {"query": "5511999990001"}).json()] == [str(contact.pk)]
    assert client.put(f"{URL}{contact.pk}", {"whatsapp_id": "5511999990001"}).json()["whatsapp_id"] == "5511999990001"
    assert contact.identities.count() == 2


def test_anothers_number_is_refused_and_nothing_changes(organization: Organization, agent: User, api: Api) -> None:
    inbox.make_contact(organization, phone="5511999990001")
    contact = inbox.make_contact(organization, phone="5511999990002", name="João")

    response = api(agent).put(f"{URL}{contact.pk}", {"name": "José", "whatsapp_id": "5511999990001"})

    assert (response.status_code, response.json()["error"]["code"]) == (409, "contact_exists")
    contact.refresh_from_db()
    assert contact.name == "João"


def test_contacts_are_found_by_what_describes_them(organization: Organization, viewer: User, api: Api) -> None:
    meant = inbox.make_contact(
        organization, name="João Pereira", phone="5521988887777", email="jp@lua.example", company="Lua Ltda"
    )
    inbox.make_contact(organization)
    client = api(viewer)

    for words in ("pereira", "98888", "+55 21 98888-7777", "jp@lua", "LTDA"):
        assert [row["id"] for row in client.get(URL, {"query": words}).json()] == [str(meant.pk)], words
    assert len(client.get(URL, {"query": "undefined"}).json()) == 2
    assert client.get(URL, {"query": "%"}).json() == []


@pytest.mark.parametrize("rows", [3, 30])
def test_a_page_takes_the_same_few_queries_however_long(
    organization: Organization, viewer: User, api: Api, django_assert_num_queries: Any, rows: int
) -> None:
    for _ in range(rows):
        inbox.make_contact(organization)
    client = api(viewer)

    with django_assert_num_queries(4):  # who asks; the count; the page; its identities
        assert len(client.get(URL).json()) == rows


def test_another_organizations_contacts_do_not_exist(
    organization: Organization, other_organization: Organization, admin: User, api: Api
) -> None:
    theirs = inbox.make_contact(other_organization, name="Deles")
    client = api(admin)

    assert client.get(URL).json() == []
    assert client.get(f"{URL}{theirs.pk}").status_code == 404
    assert client.put(f"{URL}{theirs.pk}", {"name": "Nossa"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.name == "Deles"


def test_a_viewer_writes_no_contact(organization: Organization, viewer: User, api: Api) -> None:
    contact = inbox.make_contact(organization)
    client = api(viewer)

    assert client.post(URL, {"whatsapp_id": "5511999990001"}).status_code == 403
    assert client.put(f"{URL}{contact.pk}", {"name": "X"}).status_code == 403
    assert client.get(f"{URL}{contact.pk}").status_code == 200
    assert api().get(URL).status_code == 401
    assert Contact.objects.count() == 1
