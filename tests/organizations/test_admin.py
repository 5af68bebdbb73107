from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apps.organizations import authentication
from apps.organizations.authentication import InvalidToken
from apps.organizations.models import Organization, Role, User
from tests.support import factories
from tests.support.factories import PASSWORD


@pytest.fixture
def pages(super_admin: User, client: Client) -> Client:
    """A browser in which a super_admin is signed in to the admin pages."""
    client.force_login(super_admin, "django.contrib.auth.backends.AllowAllUsersModelBackend")
    return client


def test_a_super_admin_signs_in_by_email(super_admin: User, client: Client) -> None:
    client.post("/admin/login/", {"username": super_admin.email.upper(), "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.ORG_ADMIN])
def test_nobody_else_gets_into_the_admin_pages(organization: Organization, client: Client, role: str) -> None:
    user = factories.make_user(organization, role)
    client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302


def test_an_inactive_super_admin_stays_out(super_admin: User, pages: Client) -> None:
    assert pages.get("/admin/").status_code == 200
    User.objects.filter(pk=super_admin.pk).update(is_active=False)
    assert pages.get("/admin/").status_code == 302
    pages.post("/admin/login/", {"username": super_admin.email, "password": PASSWORD})
    assert pages.get("/admin/").status_code == 302


@pytest.mark.parametrize("model", ["organization", "user", "signin", "department", "queue"])
def test_each_list_opens_and_searches(pages: Client, agent: User, model: str) -> None:
    factories.make_sign_in(agent)
    factories.make_queue(agent.organization, department=factories.make_department(agent.organization))
    assert pages.get(f"/admin/organizations/{model}/?q=sol").status_code == 200


def test_a_persons_page_shows_no_hash_of_the_password(pages: Client, agent: User) -> None:
    page = pages.get(f"/admin/organizations/user/{agent.pk}/change/")
    assert page.status_code == 200
    assert agent.password.rsplit("$", 1)[1] not in page.content.decode()


def test_a_person_added_in_the_admin_can_sign_in(pages: Client, organization: Organization) -> None:
    form = {
        "organization": organization.pk,
        "email": "New@sol.example",
        "full_name": "Nova",
        "role": "agent",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert pages.post("/admin/organizations/user/add/", form).status_code == 302
    response = Client().post(
        "/api/v1/auth/login", {"email": "new@sol.example", "password": PASSWORD}, content_type="application/json"
    )
    assert response.status_code == 200
    assert User.objects.get(full_name="Nova").email == "new@sol.example"


def test_a_password_set_in_the_admin_ends_the_persons_sessions(pages: Client, agent: User) -> None:
    access = factories.make_tokens(agent).access
    form = {"usable_password": "true", "password1": "Set-by-hand-11", "password2": "Set-by-hand-11"}
    assert pages.post(f"/admin/organizations/user/{agent.pk}/password/", form).status_code == 302
    with pytest.raises(InvalidToken):
        authentication.user_of(access)


def test_sign_ins_are_facts_that_cannot_be_edited(pages: Client, agent: User) -> None:
    session = factories.make_sign_in(agent, expires_at=timezone.now() + timedelta(days=1))
    page = f"/admin/organizations/signin/{session.pk}"
    assert pages.get(f"{page}/change/").status_code == 200
    assert pages.post(f"{page}/change/", {"revoked_at": "2030-01-01"}).status_code == 403
    assert pages.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    assert pages.get("/admin/organizations/signin/add/").status_code == 403


def test_every_model_of_the_app_is_in_the_admin() -> None:
    shown = {model._meta.model_name for model in admin.site._registry if model._meta.app_label == "organizations"}
    assert shown == {"organization", "user", "signin", "department", "queue", "secret"}


@pytest.mark.usefixtures("db")
def test_createsuperuser_asks_for_an_email_and_a_password_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", "--email", "Root@sol.example", verbosity=0)
    user = User.objects.get()
    assert (user.email, user.role, user.organization.slug) == ("root@sol.example", Role.SUPER_ADMIN, "recado")
    assert user.check_password(PASSWORD)
