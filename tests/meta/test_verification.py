from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.organizations.models import Organization
from apps.whatsapp import services

CHANNELS = ["whatsapp", "instagram", "messenger"]


def ask(client: Client, channel: str = "whatsapp", *, slash: str = "", **changes: Any) -> Any:
    parameters = {"mode": "subscribe", "verify_token": "test-verify-token", "challenge": "1158201444"} | changes
    query = {f"hub.{name}": value for name, value in parameters.items() if value is not None}
    return client.get(f"/api/v1/{channel}/webhook{slash}", query)


@pytest.mark.django_db
@pytest.mark.parametrize("channel", CHANNELS)
def test_application_token_is_answered_with_the_challenge(client: Client, settings: Settings, channel: str) -> None:
    settings.META_VERIFY_TOKEN = "test-verify-token"
    response = ask(client, channel)

    assert (response.status_code, response.content) == (200, b"1158201444")
    assert response["Content-Type"] == "text/plain"


@pytest.mark.django_db
def test_path_works_with_its_trailing_slash(client: Client, settings: Settings) -> None:
    settings.META_VERIFY_TOKEN = "test-verify-token"

    assert ask(client, slash="/").content == b"1158201444"


def test_token_of_any_number_is_known_on_its_channel_alone(
    client: Client, organization: Organization, other_organization: Organization
) -> None:
    for last, owner in enumerate((organization, other_organization)):
        services.create_number(organization=owner, phone_number=f"+551190000000{last}", verify_token="the-same")

    assert ask(client, verify_token="the-same").content == b"1158201444"
    assert ask(client, "messenger", verify_token="the-same").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [{"verify_token": "guess"}, {"mode": "unsubscribe"}, {"verify_token": "test-verify-token\x00"}],
)
def test_one_who_does_not_know_is_refused(client: Client, changes: dict[str, str]) -> None:
    response = ask(client, **changes)

    assert (response.status_code, b"1158201444" in response.content) == (403, False)


@pytest.mark.django_db
def test_empty_setting_is_no_token(client: Client, settings: Settings) -> None:
    settings.META_VERIFY_TOKEN = ""

    assert ask(client, verify_token=" ").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("missing", ["mode", "verify_token", "challenge"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_parameter_is_a_bad_request(client: Client, missing: str, value: str | None) -> None:
    changes: dict[str, Any] = {missing: value}

    assert ask(client, **changes).status_code == 400


@pytest.mark.parametrize("channel", CHANNELS)
def test_delivery_is_pointed_to_the_intake(client: Client, channel: str) -> None:
    response = client.post(f"/api/v1/{channel}/webhook", {"object": "page"}, content_type="application/json")

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "intake_elsewhere"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(client: Client, method: str) -> None:
    call: Callable[[str], Any] = getattr(client, method)

    assert call("/api/v1/whatsapp/webhook").status_code == 405
