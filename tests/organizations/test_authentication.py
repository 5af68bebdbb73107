from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from apps.organizations import authentication
from apps.organizations.models import User
from tests.support import factories

Api = Callable[..., APIClient]
ME = "/api/v1/auth/me"


def forge(access: str, key: str | None = None, algorithm: str = "HS256", **changes: Any) -> str:
    """The token again, with other claims (None leaves one out), signed as said."""
    claims = jwt.decode(access, settings.SECRET_KEY, algorithms=["HS256"])
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(claims, settings.SECRET_KEY if key is None else key, algorithm=algorithm)


def get(header: str) -> Any:
    return APIClient(raise_request_exception=False).get(ME, HTTP_AUTHORIZATION=header)


def test_a_token_is_checked_in_one_query_that_brings_the_organization(
    agent: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    access = factories.make_tokens(agent).access
    with django_assert_num_queries(1):
        user, session = authentication.user_of(access)
        assert user == agent
        assert user.organization == agent.organization
        assert session.user is user


def test_nobody_is_told_how_to_sign_in(api: Api) -> None:
    response = api().get(ME)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.json()["error"]["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda access: access[:-2],
        lambda access: forge(access, key="another-key-that-is-long-enough-for-hs256"),
        lambda access: forge(access, key="", algorithm="none"),
        lambda access: forge(access, exp=1),
        lambda access: forge(access, exp=None),
        lambda access: forge(access, sid=None),
        lambda access: forge(access, sub=None),
        lambda access: forge(access, sid="00000000-0000-0000-0000-000000000000"),
        lambda access: forge(access, sub="00000000-0000-0000-0000-000000000000"),
        lambda access: forge(access, token_type="refresh"),
        lambda access: "",
        lambda access: "a.b.c",
        lambda access: f"{access} {access}",
    ],
    ids=["cut", "other-key", "unsigned", "expired", "endless", "no-sid", "no-sub", "other-sid", "other-sub", "refresh",
         "empty", "nonsense", "twice"],
)  # fmt: skip
def test_a_bad_token_is_refused(agent: User, spoil: Callable[[str], str]) -> None:
    access = factories.make_tokens(agent).access
    assert get(f"Bearer {access}").status_code == 200
    response = get(f"Bearer {spoil(access)}")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_refresh_token_opens_nothing(agent: User) -> None:
    response = get(f"Bearer {factories.make_tokens(agent).refresh}")
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "token_not_valid"


def test_another_persons_session_does_not_serve(agent: User, admin: User) -> None:
    session = factories.make_sign_in(admin)
    access = forge(factories.make_tokens(agent).access, sid=str(session.pk))
    assert get(f"Bearer {access}").status_code == 401


@pytest.mark.parametrize("fields", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(1)}])
def test_a_session_that_is_over_is_refused_although_the_token_is_fresh(agent: User, fields: dict[str, Any]) -> None:
    assert get(f"Bearer {factories.make_tokens(agent, **fields).access}").status_code == 401


@pytest.mark.parametrize("inactive", ["user", "organization"])
def test_whoever_is_switched_off_is_out_at_once(agent: User, inactive: str) -> None:
    access = factories.make_tokens(agent).access
    row = agent if inactive == "user" else agent.organization
    row.is_active = False
    row.save()
    assert get(f"Bearer {access}").status_code == 401


def test_a_password_set_anywhere_ends_all_sessions(agent: User) -> None:
    access = factories.make_tokens(agent).access
    agent.set_password("Set-in-the-admin-1")
    agent.save()
    assert get(f"Bearer {access}").status_code == 401


def test_a_new_role_counts_at_once(viewer: User) -> None:
    access = factories.make_tokens(viewer).access
    User.objects.filter(pk=viewer.pk).update(role="org_admin")
    assert authentication.user_of(access)[0].role == "org_admin"


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Token abc", "bearer", ""])
@pytest.mark.usefixtures("db")
def test_another_scheme_is_nobody(header: str) -> None:
    assert get(header).status_code == 401


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=60))
@pytest.mark.usefixtures("db")
def test_no_header_whatever_is_a_fault_of_ours(text: str) -> None:
    assert get(f"Bearer {text}").status_code == 401
    assert get(text).status_code == 401
