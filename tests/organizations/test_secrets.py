"""Secrets: they go in and never come out, belong to one host, and are not lost from under a flow."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from apps.organizations import secrets
from apps.organizations.models import Organization, Secret, User
from tests.flows.canvases import draw, node
from tests.flows.factories import make_chatbot

Api = Callable[..., APIClient]
URL = "/api/v1/secrets"
VALUE = "sk-9f8e7d6c5b4a3928"


@pytest.fixture
def secret(organization: Organization, admin: User) -> Secret:
    return secrets.create(organization=organization, name="ERP", host="erp.example", value=VALUE, by=admin)


def test_a_secret_is_made_and_never_shown(api: Api, admin: User) -> None:
    answer = api(admin).post(URL, {"name": "ERP_KEY", "host": "https://ERP.example/v1", "value": VALUE})
    assert (answer.status_code, answer.json()["host"], answer.json()["hint"]) == (201, "erp.example", "••••3928")
    one = f"{URL}/{answer.json()['id']}"
    for shown in (answer, api(admin).get(URL), api(admin).get(one), api(admin).get(f"{one}/usage")):
        assert VALUE not in shown.content.decode()
    assert VALUE not in repr(Secret.objects.get())


def test_the_value_is_encrypted_in_the_database(secret: Secret) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM organizations_secret")
        [(stored,)] = cursor.fetchall()
    assert VALUE not in stored
    assert Secret.objects.get().value == VALUE


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"name": "1x"}, 400, "validation_error"),
        ({"name": "com espaço"}, 400, "validation_error"),
        ({"name": "erp"}, 409, "secret_exists"),
        ({"host": "*.example"}, 400, "invalid_host"),
        ({"host": "a b"}, 400, "invalid_host"),
        ({"host": "erp.example/v1"}, 400, "invalid_host"),
        ({"host": "https://user:pass@erp.example"}, 400, "invalid_request"),
        ({"value": ""}, 400, "validation_error"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    api: Api, admin: User, secret: Secret, fields: dict[str, Any], status: int, code: str
) -> None:
    body = {"name": "OUTRO", "host": "outro.example", "value": VALUE, **fields}
    answer = api(admin).post(URL, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert Secret.objects.count() == 1


def test_another_host_needs_another_value(api: Api, admin: User, secret: Secret) -> None:
    refused = api(admin).patch(f"{URL}/{secret.pk}", {"host": "evil.example"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "value_required")
    secret.refresh_from_db()
    assert secret.host == "erp.example"
    moved = api(admin).patch(f"{URL}/{secret.pk}", {"host": "novo.example", "value": "outro-valor-12"})
    assert (moved.status_code, moved.json()["host"], moved.json()["hint"]) == (200, "novo.example", "••••r-12")


def test_a_rotated_secret_has_a_new_value_and_says_when(api: Api, admin: User, secret: Secret) -> None:
    answer = api(admin).post(f"{URL}/{secret.pk}/rotate", {"value": "novo-valor-0001"})
    assert (answer.status_code, answer.json()["hint"]) == (200, "••••0001")
    secret.refresh_from_db()
    assert (secret.value, secret.rotated_at is None) == ("novo-valor-0001", False)


@pytest.mark.parametrize("reference", ["{{secrets.ERP}}", "{{ secrets.erp }}"])
def test_a_secret_that_a_flow_names_is_not_deleted_unless_by_force(
    api: Api, admin: User, organization: Organization, secret: Secret, reference: str
) -> None:
    call = node("api_call", url="https://erp.example/", headers={"Authorization": f"Bearer {reference}"})
    chatbot = make_chatbot(organization, canvas=draw(node("start"), call))
    flow = chatbot.flows.get()
    use = {"kind": "flow", "id": str(flow.pk), "name": "Main Flow", "detail": "api_call"}
    assert api(admin).get(f"{URL}/{secret.pk}/usage").json() == [use]
    refused = api(admin).delete(f"{URL}/{secret.pk}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "secret_in_use")
    assert refused.json()["error"]["details"] == [use]
    renamed = api(admin).patch(f"{URL}/{secret.pk}", {"name": "OUTRO"})
    assert (renamed.status_code, renamed.json()["error"]["code"]) == (409, "secret_in_use")
    assert api(admin).delete(f"{URL}/{secret.pk}?force=true").status_code == 204
    assert not Secret.objects.exists()


def test_a_secret_is_found_by_its_id_or_its_name_in_its_organization_alone(
    organization: Organization, other_organization: Organization, secret: Secret
) -> None:
    for reference in (str(secret.pk), "ERP", "erp"):
        assert secrets.find(organization_id=organization.pk, reference=reference) == secret
        assert secrets.find(organization_id=other_organization.pk, reference=reference) is None
    for nothing in ("nada", "", "ERP ", "ERP\0", "E%", "E_P", "7" * 32):
        assert secrets.find(organization_id=organization.pk, reference=nothing) is None


def test_a_name_that_reads_like_an_id_is_a_name(organization: Organization, admin: User) -> None:
    made = secrets.create(organization=organization, name="a" * 32, host="erp.example", value=VALUE, by=admin)
    assert secrets.find(organization_id=organization.pk, reference="A" * 32) == made


def test_the_admin_pages_show_a_secret_without_its_value(secret: Secret, super_admin: User, client: Client) -> None:
    client.force_login(super_admin, "django.contrib.auth.backends.AllowAllUsersModelBackend")
    for page in ("", f"{secret.pk}/change/"):
        shown = client.get(f"/admin/organizations/secret/{page}").content.decode()
        assert "erp.example" in shown
        assert VALUE not in shown
    assert client.get("/admin/organizations/secret/add/").status_code == 403


def test_no_refusal_repeats_a_value(api: Api, admin: User, secret: Secret) -> None:
    for body in ({"name": "erp"}, {"name": "1"}, {"host": "*"}, {"value": [VALUE]}, {"value": VALUE + "x" * 9_000}):
        answer = api(admin).post(URL, {"name": "OUTRO", "host": "outro.example", "value": VALUE, **body})
        assert answer.status_code in (400, 409)
        assert VALUE not in answer.content.decode()
