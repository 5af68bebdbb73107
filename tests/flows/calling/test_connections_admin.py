"""Databases are registered in the Django admin, whose super_admins write their addresses and never read them."""

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse

from apps.flows.models import DatabaseConnection
from apps.organizations.models import Organization, User

URL = "postgresql://reader:geheim@db.example.com/shop"


@pytest.fixture
def operator(super_admin: User, client: Client) -> Client:
    client.force_login(super_admin)
    return client


def form(organization: Organization, **changes: str) -> dict[str, str]:
    filled = {"organization": str(organization.id), "name": "shop", "kind": "postgresql", "url": URL}
    return {**filled, "is_active": "on", "max_rows": "50", "timeout": "5", **changes}


def test_connection_is_registered_with_an_encrypted_address(operator: Client, organization: Organization) -> None:
    answer = operator.post(reverse("admin:flows_databaseconnection_add"), form(organization))

    saved = DatabaseConnection.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM flows_databaseconnection")
        [stored] = cursor.fetchone()
    assert answer.status_code == 302
    assert (saved.organization, saved.name, saved.url, saved.max_rows, saved.timeout) == (
        organization,
        "shop",
        URL,
        50,
        5,
    )
    assert "geheim" not in stored
    assert "db.example.com" not in stored


def test_address_is_never_shown_and_stays_if_none_is_written(operator: Client, organization: Organization) -> None:
    saved = DatabaseConnection.objects.create(organization=organization, name="shop", url=URL)
    page = reverse("admin:flows_databaseconnection_change", args=[saved.id])

    shown = operator.get(page).content.decode()
    refused = operator.post(page, form(organization, url="postgresql://reader:geheim@/shop")).content.decode()
    changed = operator.post(page, form(organization, url="", name="loja"))

    saved.refresh_from_db()
    assert "The address of the database lacks host." in refused
    assert "geheim" not in shown + refused
    assert "db.example.com" not in shown
    assert (changed.status_code, saved.name, saved.url) == (302, "loja", URL)
    assert operator.post(page, form(organization, url=URL + "2")).status_code == 302
    saved.refresh_from_db()
    assert saved.url == URL + "2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": ""}, "Only PostgreSQL can be queried"),
        ({"url": "mysql://reader@db.example.com/shop"}, "Only PostgreSQL can be queried"),
        ({"kind": "mysql"}, "mysql is not one of the available choices"),
        ({"max_rows": "0"}, "greater than or equal to 1"),
        ({"max_rows": "1001"}, "less than or equal to 1000"),
        ({"timeout": "31"}, "less than or equal to 30"),
    ],
)
def test_wrong_connection_is_refused(
    operator: Client, organization: Organization, changes: dict[str, str], words: str
) -> None:
    page = operator.post(reverse("admin:flows_databaseconnection_add"), form(organization, **changes))

    assert page.status_code == 200
    assert words in page.content.decode()
    assert DatabaseConnection.objects.count() == 0


def test_name_is_given_once_in_an_organization(organization: Organization, other_organization: Organization) -> None:
    DatabaseConnection.objects.create(organization=organization, name="shop", url=URL)
    DatabaseConnection.objects.create(organization=other_organization, name="shop", url=URL)

    with pytest.raises(IntegrityError, match="one_database_connection_per_name"):
        DatabaseConnection.objects.create(organization=organization, name="shop", url=URL)
