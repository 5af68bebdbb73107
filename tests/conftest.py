"""Who takes part in every test: two organizations, their people, and signed-in clients."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from apps.organizations.models import Organization, Role, User
from tests.support import factories
from tests.support.line import _sandbox, line, meta, number  # noqa: F401 (fixtures)


@pytest.fixture
def organization(db: None) -> Organization:
    return factories.make_organization(name="Padaria Sol", slug="padaria-sol")


@pytest.fixture
def other_organization(db: None) -> Organization:
    return factories.make_organization(name="Oficina Lua", slug="oficina-lua")


@pytest.fixture
def viewer(organization: Organization) -> User:
    return factories.make_user(organization, Role.VIEWER, email="viewer@sol.example")


@pytest.fixture
def agent(organization: Organization) -> User:
    return factories.make_user(organization, Role.AGENT, email="agent@sol.example")


@pytest.fixture
def admin(organization: Organization) -> User:
    return factories.make_user(organization, Role.ORG_ADMIN, email="admin@sol.example")


@pytest.fixture
def super_admin(organization: Organization) -> User:
    return factories.make_user(organization, Role.SUPER_ADMIN, email="super@sol.example")


@pytest.fixture
def other_admin(other_organization: Organization) -> User:
    return factories.make_user(other_organization, Role.ORG_ADMIN, email="admin@lua.example")


@pytest.fixture
def api() -> Callable[..., APIClient]:
    """A client of the API: `api(user)` is signed in with a real access token, `api()` is nobody."""

    def client(user: User | None = None) -> APIClient:
        client = APIClient(raise_request_exception=False)
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {factories.make_tokens(user).access}")
        return client

    return client
