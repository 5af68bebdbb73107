import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.organizations import lockout
from apps.organizations.models import SignIn, User
from apps.organizations.throttling import SignInThrottle
from tests.support.factories import PASSWORD

Api = Callable[..., APIClient]
LOGIN = "/api/v1/auth/login"


def log_in(email: str, password: str, **meta: str) -> Any:
    return APIClient().post(LOGIN, {"email": email, "password": password}, **meta)  # type: ignore[arg-type]


def fail(email: str, times: int, **meta: str) -> None:
    for _ in range(times):
        assert log_in(email, "wrong", **meta).status_code == 401


def test_five_failures_lock_out_even_the_right_password(agent: User) -> None:
    fail(agent.email, 5)
    response = log_in(agent.email, PASSWORD)
    assert response.status_code == 403
    error = response.json()["error"]
    assert error["code"] == "locked_out"
    wait = datetime.fromisoformat(error["details"]["locked_until"]) - timezone.now()
    assert timedelta(minutes=29) < wait <= timedelta(minutes=30)
    assert not SignIn.objects.exists()


def test_an_unknown_email_is_locked_out_like_a_known_one(agent: User) -> None:
    fail(agent.email, 5)
    fail("nobody@sol.example", 5)
    known, unknown = log_in(agent.email, "wrong"), log_in("nobody@sol.example", "wrong")
    assert known.status_code == unknown.status_code == 403
    assert known.json()["error"]["code"] == unknown.json()["error"]["code"]


def test_asking_while_locked_out_does_not_lengthen_it(agent: User) -> None:
    fail(agent.email, 5)
    first = log_in(agent.email, "wrong").json()
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        assert log_in(agent.email, "wrong").json() == first
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert log_in(agent.email, PASSWORD).status_code == 200


def test_the_lock_out_is_of_one_email_from_one_address(agent: User, admin: User) -> None:
    fail(agent.email, 5)
    assert log_in(admin.email, PASSWORD).status_code == 200
    assert log_in(agent.email, PASSWORD, REMOTE_ADDR="203.0.113.9").status_code == 200
    assert log_in(agent.email, PASSWORD).status_code == 403


def test_neither_another_spelling_nor_another_browser_wins_new_attempts(agent: User) -> None:
    fail(agent.email, 2)
    fail(agent.email.upper(), 2)
    fail(f" {agent.email} ", 1, HTTP_USER_AGENT="another")
    assert log_in(agent.email, PASSWORD).status_code == 403


def test_a_forwarded_address_is_believed_only_behind_a_known_proxy(agent: User) -> None:
    for number in range(5):
        fail(agent.email, 1, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert log_in(agent.email, PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 403


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, "192.0.2.1"),
        (0, "203.0.113.5", "192.0.2.1"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "9.9.9.9, 203.0.113.5", "203.0.113.5"),
        (2, "9.9.9.9, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        (2, "203.0.113.5", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "unknown", "192.0.2.1"),
        (1, " 2001:DB8::1 ", "2001:db8::1"),
    ],
)
def test_only_what_our_own_proxies_say_of_the_address_is_believed(
    settings: Settings, proxies: int, forwarded: str | None, address: str
) -> None:
    settings.PROXY_COUNT = proxies
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = RequestFactory(headers=headers).get("/", REMOTE_ADDR="192.0.2.1")
    assert lockout.address_of(request) == address


def test_a_connection_without_an_address_has_none() -> None:
    assert lockout.address_of(RequestFactory().get("/", REMOTE_ADDR="")) is None


def test_behind_a_proxy_the_lock_out_is_of_the_address_that_it_saw(agent: User, settings: Settings) -> None:
    settings.PROXY_COUNT = 1
    for number in range(5):
        fail(agent.email, 1, HTTP_X_FORWARDED_FOR=f"9.9.9.{number}, 203.0.113.5")
    assert log_in(agent.email, PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.5").status_code == 403
    assert log_in(agent.email, PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.5, 203.0.113.6").status_code == 200
    assert SignIn.objects.get().ip_address == "203.0.113.6"


def test_a_success_forgets_the_failures(agent: User) -> None:
    fail(agent.email, 4)
    assert log_in(agent.email, PASSWORD).status_code == 200
    fail(agent.email, 4)
    assert log_in(agent.email, PASSWORD).status_code == 200


def test_the_admin_pages_count_with_the_api(super_admin: User, client: Client) -> None:
    fail(super_admin.email, 3)
    for spelling in (super_admin.email, super_admin.email.upper()):
        client.post("/admin/login/", {"username": spelling, "password": "wrong"})
    assert log_in(super_admin.email, PASSWORD).status_code == 403
    client.post("/admin/login/", {"username": super_admin.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302


def test_an_unknown_email_costs_a_hash_like_a_known_one(agent: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    agent.set_password(PASSWORD)
    agent.save()

    def seconds(email: str) -> float:
        begun = time.perf_counter()
        log_in(email, "wrong")
        return time.perf_counter() - begun

    known = min(seconds(agent.email) for _ in range(3))
    unknown = min(seconds("nobody@sol.example") for _ in range(3))
    assert unknown > known / 2


@pytest.mark.parametrize(
    ("scope", "path"),
    [("login", LOGIN), ("register", "/api/v1/auth/register"), ("refresh", "/api/v1/auth/refresh")],
)
@pytest.mark.usefixtures("db")
def test_each_route_is_throttled_per_address(monkeypatch: pytest.MonkeyPatch, scope: str, path: str) -> None:
    monkeypatch.setitem(SignInThrottle.THROTTLE_RATES, scope, "2/min")
    here, there = new_address(), new_address()
    client = APIClient(REMOTE_ADDR=here)
    assert [client.post(path, {}).status_code for _ in range(3)] == [400, 400, 429]
    response = client.post(path, {})
    assert response.json()["error"]["code"] == "throttled"
    assert 0 < int(response["Retry-After"]) <= 60
    assert client.post(path, {}, REMOTE_ADDR=there).status_code == 400


def new_address() -> str:
    """An address that no earlier run has asked from."""
    return f"2001:db8::{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}"


def test_current_passwords_cannot_be_guessed_fast(api: Api, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SignInThrottle.THROTTLE_RATES, "login", "2/min")
    client = api(agent)
    body = {"current_password": "wrong", "new_password": "Brand-new-9"}
    assert [client.post("/api/v1/auth/change-password", body).status_code for _ in range(3)] == [400, 400, 429]


def test_without_redis_people_sign_in_and_the_lock_out_holds(
    agent: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    begun = time.perf_counter()
    assert log_in(agent.email, PASSWORD).status_code == 200
    assert time.perf_counter() - begun < 2
    assert "throttle_open" in caplog.text
    fail(agent.email, 5)
    assert log_in(agent.email, PASSWORD).status_code == 403
