from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.organizations.models import Department, Organization, Role, SignIn, User
from tests.support import factories
from tests.support.factories import PASSWORD

Api = Callable[..., APIClient]

PROFILE = {
    *("id", "organization_id", "email", "full_name", "phone_number", "avatar_url", "bio", "role", "email_verified"),
    *("is_active", "is_online", "last_seen_at", "last_login_at", "agent_status", "agent_greeting_message"),
    *("department_ids", "permissions", "created_at", "updated_at"),
}
NEWCOMER = {
    "email": "Maria@Flores.example",
    "password": "Margarida7",
    "full_name": "Maria Flores",
    "organization_name": "Flores & Cia",
}


def log_in(client: APIClient, user: User, password: str = PASSWORD) -> Any:
    return client.post("/api/v1/auth/login", {"email": user.email, "password": password})


def bearer(access: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, django_settings.SECRET_KEY, algorithms=["HS256"])


@pytest.mark.usefixtures("db")
def test_registering_makes_an_organization_with_its_administrator_signed_in(api: Api) -> None:
    response = api().post("/api/v1/auth/register", NEWCOMER)
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"user", "token", "message"}
    user = User.objects.get()
    assert (user.email, user.role, user.full_name) == ("maria@flores.example", Role.ORG_ADMIN, "Maria Flores")
    assert (user.organization.name, user.organization.slug) == ("Flores & Cia", "flores-cia")
    assert body["user"]["id"] == str(user.pk)
    assert bearer(body["token"]["access_token"]).get("/api/v1/auth/me").json() == body["user"]


@pytest.mark.parametrize(
    ("name", "slugs"),
    [("Flores", ["flores", "flores-1", "flores-2"]), ("日本", ["organization", "organization-1", "organization-2"])],
)
@pytest.mark.usefixtures("db")
def test_organizations_of_one_name_get_slugs_of_their_own(api: Api, name: str, slugs: list[str]) -> None:
    for number in range(3):
        body = {**NEWCOMER, "organization_name": name, "email": f"{number}@flores.example"}
        assert api().post("/api/v1/auth/register", body).status_code == 201
    assert list(Organization.objects.order_by("created_at").values_list("slug", flat=True)) == slugs


def test_registering_a_taken_email_in_any_case_is_refused_and_leaves_nothing(api: Api, admin: User) -> None:
    response = api().post("/api/v1/auth/register", {**NEWCOMER, "email": admin.email.upper()})
    assert response.status_code == 400
    assert response.json()["detail"] == "Email already registered"
    assert response.json()["error"]["code"] == "email_taken"
    assert Organization.objects.count() == User.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "maria"),
        ("email", ""),
        ("email", "a" * 250 + "@b.example"),
        ("password", "Short1a"),
        ("password", "alllowercase7"),
        ("password", "ALLUPPERCASE7"),
        ("password", "NoDigitsHere"),
        ("password", "Aa1" * 34),
        ("full_name", "M"),
        ("full_name", "M" * 256),
        ("organization_name", " F "),
        ("organization_name", "F" * 256),
    ],
)
@pytest.mark.usefixtures("db")
def test_registering_with_an_unfit_field_is_refused_by_name(api: Api, field: str, value: str) -> None:
    response = api().post("/api/v1/auth/register", {**NEWCOMER, field: value})
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == [field]
    assert not Organization.objects.exists()


@pytest.mark.usefixtures("db")
def test_a_closed_server_registers_nobody(api: Api, settings: Settings) -> None:
    settings.REGISTRATION = "closed"
    response = api().post("/api/v1/auth/register", NEWCOMER)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "registration_closed"
    assert not Organization.objects.exists()


def test_signing_in_answers_the_person_and_nested_tokens(api: Api, agent: User) -> None:
    department = factories.make_department(agent.organization)
    agent.departments.add(department)
    response = log_in(api(), agent)
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"user", "token", "message"}
    assert body["message"] == "Login successful"
    assert set(body["user"]) == PROFILE
    assert body["user"]["id"] == str(agent.pk)
    assert body["user"]["department_ids"] == [str(department.pk)]
    assert body["user"]["is_online"] is True
    assert body["user"]["last_login_at"] is not None
    assert set(body["token"]) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (body["token"]["token_type"], body["token"]["expires_in"]) == ("bearer", 900)


def test_tokens_carry_who_for_whom_and_the_session(api: Api, agent: User) -> None:
    token = log_in(api(), agent).json()["token"]
    session = SignIn.objects.get()
    access, refresh = claims(token["access_token"]), claims(token["refresh_token"])
    wanted = {"sub": str(agent.pk), "sid": str(session.pk), "organization_id": str(agent.organization_id)}
    assert wanted.items() <= access.items()
    assert (access["type"], access["token_type"], access["role"]) == ("access", "access", "agent")
    assert access["exp"] - access["iat"] == 900
    assert (refresh["sub"], refresh["sid"], refresh["type"]) == (str(agent.pk), str(session.pk), "refresh")
    assert refresh["exp"] - refresh["iat"] == 7 * 24 * 3600


def test_an_email_signs_in_in_any_case(api: Api, agent: User) -> None:
    body = {"email": f" {agent.email.upper()} ", "password": PASSWORD}
    assert api().post("/api/v1/auth/login/", body).status_code == 200


def test_a_wrong_password_and_an_unknown_email_are_answered_alike(api: Api, agent: User) -> None:
    wrong = log_in(api(), agent, "wrong")
    unknown = api().post("/api/v1/auth/login", {"email": "nobody@sol.example", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["detail"] == "Incorrect email or password"
    assert not SignIn.objects.exists()


@pytest.mark.parametrize("inactive", ["user", "organization"])
def test_an_inactive_person_is_told_so_only_with_the_right_password(api: Api, agent: User, inactive: str) -> None:
    row = agent if inactive == "user" else agent.organization
    row.is_active = False
    row.save()
    right, wrong = log_in(api(), agent), log_in(api(), agent, "wrong")
    assert (right.status_code, right.json()["error"]["code"]) == (403, "inactive")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "wrong_credentials")
    assert not SignIn.objects.exists()


def test_signing_in_with_a_stale_token_at_hand_works(agent: User) -> None:
    assert log_in(bearer("stale"), agent).status_code == 200


@pytest.mark.parametrize("name", ["refresh_token", "refresh"])
def test_refreshing_answers_flat_with_the_same_refresh_token(api: Api, agent: User, name: str) -> None:
    tokens = factories.make_tokens(agent)
    response = api().post("/api/v1/auth/refresh", {name: tokens.refresh})
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert body["refresh_token"] == tokens.refresh
    assert body["expires_in"] == 900
    assert bearer(body["access_token"]).get("/api/v1/auth/me").status_code == 200


def test_a_client_that_keeps_its_first_refresh_token_stays_signed_in_for_seven_days(api: Api, agent: User) -> None:
    tokens = factories.make_tokens(agent)
    for days, status in [(1, 200), (6, 200), (6.99, 200), (7.01, 401)]:
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            response = api().post("/api/v1/auth/refresh", {"refresh_token": tokens.refresh})
            assert response.status_code == status
    assert response.json()["detail"] == "Invalid refresh token"


def test_an_access_token_refreshes_nothing(api: Api, agent: User) -> None:
    response = api().post("/api/v1/auth/refresh", {"refresh_token": factories.make_tokens(agent).access})
    assert response.status_code == 401
    assert response.json()["detail"] == "Invalid refresh token"


@pytest.mark.usefixtures("db")
def test_refreshing_without_a_token_is_refused(api: Api) -> None:
    response = api().post("/api/v1/auth/refresh", {})
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == ["refresh_token"]


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": "anything"}])
def test_signing_out_ends_this_session_and_no_other(api: Api, agent: User, body: Any) -> None:
    here, there = factories.make_tokens(agent), factories.make_tokens(agent)
    response = bearer(here.access).post("/api/v1/auth/logout/", body)
    assert response.status_code == 200
    assert response.json() == {"success": True, "message": "Logout successful"}
    assert bearer(here.access).get("/api/v1/auth/me").status_code == 401
    assert api().post("/api/v1/auth/refresh", {"refresh_token": here.refresh}).status_code == 401
    assert bearer(there.access).get("/api/v1/auth/me").status_code == 200
    assert api().post("/api/v1/auth/refresh", {"refresh_token": there.refresh}).status_code == 200


def test_a_token_verifies(api: Api, viewer: User) -> None:
    assert api(viewer).get("/api/v1/auth/verify-token").json() == {
        "valid": True,
        "user_id": str(viewer.pk),
        "organization_id": str(viewer.organization_id),
        "role": "viewer",
    }


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.VIEWER, "read_conversation", "update_conversation"),
        (Role.AGENT, "update_conversation", "create_chatbot"),
        (Role.ORG_ADMIN, "create_chatbot", "*"),
    ],
)
def test_a_profile_lists_what_its_role_may(
    api: Api, organization: Organization, role: str, may: str, may_not: str
) -> None:
    names = api(factories.make_user(organization, role)).get("/api/v1/auth/me").json()["permissions"]
    assert may in names
    assert may_not not in names


def test_a_super_admin_may_everything(api: Api, super_admin: User) -> None:
    assert api(super_admin).get("/api/v1/auth/me").json()["permissions"] == ["*"]


@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_person_changes_only_what_they_send_of_their_profile(api: Api, viewer: User, method: str) -> None:
    client = api(viewer)
    before = client.get("/api/v1/auth/me").json()
    change = {"full_name": "Bia Lima", "agent_status": "busy", "bio": "Ao seu dispor"}
    response = getattr(client, method)("/api/v1/auth/me", change)
    assert response.status_code == 200
    assert response.json() == {**before, **change, "updated_at": response.json()["updated_at"]}
    assert client.get("/api/v1/auth/me").json() == response.json()


def test_a_person_cannot_raise_themselves(api: Api, viewer: User, other_organization: Organization) -> None:
    wish = {
        "role": "super_admin",
        "organization_id": str(other_organization.pk),
        "email": "root@sol.example",
        "email_verified": True,
        "id": str(other_organization.pk),
        "permissions": ["*"],
        "password": "Changed-password-1",
        "department_ids": [str(Department.objects.create(organization=other_organization, name="D", slug="d").pk)],
    }
    assert api(viewer).patch("/api/v1/auth/me", wish).status_code == 200
    stored = User.objects.get(pk=viewer.pk)
    assert (stored.role, stored.organization_id, stored.email) == ("viewer", viewer.organization_id, viewer.email)
    assert stored.email_verified is False
    assert stored.check_password(PASSWORD)
    assert not stored.departments.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("agent_status", "asleep"), ("avatar_url", "javascript:alert(1)"), ("full_name", "x" * 256), ("bio", ["x"])],
)
def test_an_unfit_profile_is_refused_by_name(api: Api, viewer: User, field: str, value: Any) -> None:
    response = api(viewer).patch("/api/v1/auth/me", {field: value})
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == [field]


def test_a_new_password_ends_every_other_session_but_not_this_one(api: Api, agent: User) -> None:
    here, there = factories.make_tokens(agent), factories.make_tokens(agent)
    body = {"current_password": PASSWORD, "new_password": "Brand-new-9"}
    response = bearer(here.access).post("/api/v1/auth/change-password/", body)
    assert response.status_code == 200
    assert response.json() == {"success": True, "message": "Password changed"}
    assert bearer(here.access).get("/api/v1/auth/me").status_code == 200
    assert api().post("/api/v1/auth/refresh", {"refresh_token": here.refresh}).status_code == 200
    assert bearer(there.access).get("/api/v1/auth/me").status_code == 401
    assert api().post("/api/v1/auth/refresh", {"refresh_token": there.refresh}).status_code == 401
    assert log_in(api(), agent).status_code == 401
    assert log_in(api(), agent, "Brand-new-9").status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"current_password": "wrong", "new_password": "Brand-new-9"}, "wrong_password"),
        ({"current_password": PASSWORD, "new_password": "weak"}, "validation_error"),
        ({"new_password": "Brand-new-9"}, "validation_error"),
    ],
)
def test_a_password_is_not_changed_without_the_current_one_or_to_a_weak_one(
    api: Api, agent: User, body: dict[str, str], code: str
) -> None:
    other = factories.make_tokens(agent)
    response = api(agent).post("/api/v1/auth/change-password", body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == code
    assert User.objects.get(pk=agent.pk).check_password(PASSWORD)
    assert bearer(other.access).get("/api/v1/auth/me").status_code == 200


def test_ended_sessions_are_forgotten_at_the_next_sign_in(api: Api, agent: User, viewer: User) -> None:
    past = timezone.now() - timedelta(minutes=1)
    factories.make_sign_in(agent, expires_at=past)
    others = factories.make_sign_in(viewer, expires_at=past)
    log_in(api(), agent)
    assert SignIn.objects.filter(user=agent).count() == 1
    assert SignIn.objects.filter(pk=others.pk).exists()
