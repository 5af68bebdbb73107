from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.organizations.models import Organization, User


def register_at_once(emails: list[str]) -> list[int]:
    """The answers to registrations of one company name, sent at the same time."""

    def register(email: str) -> int:
        body = {"email": email, "password": "Margarida7", "full_name": "Maria", "organization_name": "Flores"}
        try:
            return APIClient().post("/api/v1/auth/register", body).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(emails)) as threads:
        return sorted(threads.map(register, emails))


@pytest.mark.django_db(transaction=True)
def test_companies_of_one_name_that_register_at_once_get_slugs_of_their_own() -> None:
    assert register_at_once([f"{number}@flores.example" for number in range(6)]) == [201] * 6
    slugs = Organization.objects.values_list("slug", flat=True)
    assert sorted(slugs) == ["flores", *(f"flores-{number}" for number in range(1, 6))]


@pytest.mark.django_db(transaction=True)
def test_an_email_that_registers_at_once_from_many_places_is_registered_once() -> None:
    assert register_at_once(["maria@flores.example"] * 6) == [201] + [400] * 5
    assert User.objects.count() == Organization.objects.count() == 1
