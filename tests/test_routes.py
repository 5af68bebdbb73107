"""Every route of the API, tried as everyone: whoever adds one says here who may use it."""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.conversations.models import WebhookEvent, WebhookItem
from apps.flows import services as flows
from apps.flows.models import Flow, FlowSession, FlowVersion
from apps.organizations.models import Organization, Role, Secret, User
from apps.organizations.permissions import ADMINS, AGENTS, VIEWERS
from tests.support import factories, inbox
from tests.support.meta import SandboxServer

Api = Callable[..., APIClient]

CHANNELS = ("whatsapp", "instagram", "messenger")
PUBLIC = {
    ("GET", "health"),
    ("POST", "auth/register"),
    ("POST", "auth/login"),
    ("POST", "auth/refresh"),
    *((method, f"{channel}/webhook") for method in ("GET", "POST") for channel in CHANNELS),
}
WHO_MAY: dict[str, dict[str, frozenset[str]]] = {
    "auth/logout": {"POST": VIEWERS},
    "auth/me": {"GET": VIEWERS, "PATCH": VIEWERS, "PUT": VIEWERS},
    "auth/verify-token": {"GET": VIEWERS},
    "auth/change-password": {"POST": VIEWERS},
    "contacts": {"GET": VIEWERS, "POST": AGENTS},
    "contacts/<uuid:pk>": {"GET": VIEWERS, "PATCH": AGENTS, "PUT": AGENTS},
    "conversations": {"GET": VIEWERS, "POST": AGENTS},
    "conversations/<uuid:pk>": {"GET": VIEWERS, "PATCH": AGENTS, "PUT": AGENTS},
    "conversations/<uuid:pk>/messages": {"GET": VIEWERS, "POST": AGENTS},
    "conversations/<uuid:pk>/read": {"POST": AGENTS},
    "conversations/<uuid:pk>/assign": {"POST": AGENTS},
    "conversations/<uuid:pk>/close": {"POST": AGENTS},
    "conversations/<uuid:pk>/handover/human": {"POST": AGENTS},
    "conversations/<uuid:pk>/handover/bot": {"POST": AGENTS},
    "webhook-events": {"GET": ADMINS},
    "webhook-events/<uuid:pk>/replay": {"POST": ADMINS},
    "secrets": {"GET": ADMINS, "POST": ADMINS},
    "secrets/<uuid:pk>": {"GET": ADMINS, "PATCH": ADMINS, "PUT": ADMINS, "DELETE": ADMINS},
    "secrets/<uuid:pk>/rotate": {"POST": ADMINS},
    "secrets/<uuid:pk>/usage": {"GET": ADMINS},
    "chatbots": {"GET": VIEWERS, "POST": ADMINS},
    "chatbots/<uuid:pk>": {"GET": VIEWERS, "PATCH": ADMINS, "PUT": ADMINS, "DELETE": ADMINS},
    "chatbots/<uuid:pk>/activate": {"POST": ADMINS},
    "chatbots/<uuid:pk>/deactivate": {"POST": ADMINS},
    "chatbots/<uuid:pk>/flows": {"GET": VIEWERS, "POST": ADMINS},
    "chatbots/<uuid:pk>/flows/from-template": {"POST": ADMINS},
    "chatbots/flows/<uuid:pk>": {"GET": VIEWERS, "PATCH": ADMINS, "PUT": ADMINS, "DELETE": ADMINS},
    "flows": {"GET": VIEWERS, "POST": ADMINS},
    "flows/<uuid:pk>": {"GET": VIEWERS, "PATCH": ADMINS, "PUT": ADMINS, "DELETE": ADMINS},
    "flows/<uuid:pk>/activate": {"POST": ADMINS},
    "flows/<uuid:pk>/validate": {"POST": ADMINS},
    "flows/<uuid:pk>/simulate": {"POST": ADMINS},
    "flows/<uuid:pk>/trial": {"POST": ADMINS, "DELETE": ADMINS},
    "flows/<uuid:pk>/export": {"GET": VIEWERS},
    "flows/<uuid:pk>/duplicate": {"POST": ADMINS},
    "flows/chatbots/<uuid:pk>/main": {"GET": VIEWERS},
    "flows/chatbots/<uuid:pk>/fallback": {"GET": VIEWERS},
    "chatbots/flows/<uuid:pk>/full": {"GET": VIEWERS},
    "chatbots/flows/<uuid:pk>/nodes": {"GET": VIEWERS},
    "chatbots/flows/<uuid:pk>/export": {"GET": VIEWERS},
    "chatbots/<uuid:pk>/full": {"GET": VIEWERS},
    "chatbots/<uuid:pk>/stats": {"GET": VIEWERS},
    "chatbots/<uuid:pk>/import": {"POST": ADMINS},
    "chatbots/<uuid:pk>/duplicate": {"POST": ADMINS},
    "flow-templates": {"GET": VIEWERS},
    "flow-templates/<slug:template>": {"GET": VIEWERS},
    "flows/<uuid:pk>/publish": {"POST": ADMINS},
    "flows/<uuid:pk>/versions": {"GET": VIEWERS},
    "flows/<uuid:pk>/versions/<int:number>": {"GET": VIEWERS},
    "flows/<uuid:pk>/versions/<int:number>/restore": {"POST": ADMINS},
    "flows/<uuid:pk>/deactivate": {"POST": ADMINS},
    "flows/<uuid:pk>/stats": {"GET": VIEWERS},
    "flows/<uuid:pk>/diagram.svg": {"GET": VIEWERS},
    "flows/<uuid:pk>/sessions": {"GET": VIEWERS},
    "flows/<uuid:pk>/sessions/<uuid:session>": {"GET": VIEWERS},
    "whatsapp": {"GET": VIEWERS, "POST": ADMINS},
    "whatsapp/<uuid:pk>": {"GET": VIEWERS, "PATCH": ADMINS, "PUT": ADMINS, "DELETE": ADMINS},
    "whatsapp/<uuid:pk>/test": {"POST": ADMINS},
    "whatsapp/<uuid:pk>/compatible-chatbots": {"GET": VIEWERS},
}
# What `<uuid:pk>` names, by the path before it.
OBJECTS: dict[str, Callable[[Organization], models.Model]] = {
    "contacts/": inbox.make_contact,
    "conversations/": inbox.make_conversation,
    "webhook-events/": lambda organization: make_webhook_item(organization),
    "chatbots/": lambda organization: flows.create_chatbot(organization=organization, name="Sol"),
    "chatbots/flows/": lambda organization: make_flow(organization),
    "flows/": lambda organization: make_flow_with_session(organization),
    "flows/chatbots/": lambda organization: make_fallback(organization),
    "secrets/": lambda organization: Secret.objects.create(
        organization=organization, name=f"S{uuid.uuid4().hex}", host="erp.example", value="s3cret"
    ),
    "whatsapp/": inbox.make_account,
}


def make_flow(organization: Organization) -> Flow:
    chatbot = flows.create_chatbot(organization=organization, name="Sol")
    return flows.create_flow(chatbot=chatbot, name="Second", canvas_data={"nodes": [], "edges": []})


def make_flow_with_session(organization: Organization) -> models.Model:
    """A flow with a session of the same id."""
    flow = make_flow(organization)
    version = FlowVersion.objects.create(organization=organization, flow=flow, number=100, canvas_data={})
    conversation = inbox.make_conversation(organization)
    FlowSession.objects.create(
        id=flow.pk, organization=organization, flow=flow, version=version, conversation=conversation
    )
    return flow


def make_fallback(organization: Organization) -> models.Model:
    chatbot = flows.create_chatbot(organization=organization, name="Sol")
    flows.create_flow(chatbot=chatbot, name="Second", is_fallback=True)
    return chatbot


def make_webhook_item(organization: Organization) -> models.Model:
    event = WebhookEvent.objects.create(channel="whatsapp", body=b"{}", signed_by="x" * 64, received_at=timezone.now())
    return WebhookItem.objects.create(
        event=event, organization=organization, channel="whatsapp", kind="message", state="ignored", payload={}
    )


@dataclass(frozen=True)
class Route:
    """A path of the API and a method that it knows."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names_an_object(self) -> bool:
        return "<uuid:pk>" in self.path

    def make_object(self, organization: Organization) -> models.Model:
        """A row of the organization that the path can name."""
        return OBJECTS[self.path.split("<uuid:pk>")[0]](organization)

    def url(self, row: models.Model | None = None, slash: str = "") -> str:
        """Its address, naming this row."""
        path = self.path.replace("<uuid:pk>", str(row.pk)) if row else self.path
        path = path.replace("<int:number>", "1").replace("<slug:template>", "faq_menu_pt")
        path = path.replace("<uuid:session>", str(row.pk if row else uuid.uuid4()))
        return f"/api/v1/{path}{slash}"

    def url_in(self, organization: Organization) -> str:
        """Its address, naming a new row of the organization where it names one."""
        return self.url(self.make_object(organization) if self.names_an_object else None)

    def ask(self, client: APIClient, url: str, **body: Any) -> Any:
        return client.generic(self.method, url, **body)


def urlconf(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, Any]]:
    """(path, view) of all that is routed."""
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from urlconf(pattern.url_patterns, path)
        else:
            yield path, pattern.callback


def methods(view: Any) -> list[str]:
    """The methods that a view of REST framework answers; of a plain view nothing is known but GET and POST."""
    if hasattr(view, "actions"):
        return [method.upper() for method in view.actions]
    if not hasattr(view, "cls"):
        return ["GET", "POST"]
    return [method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view.cls, method)]


ROUTES = [Route(method, path) for path, by_method in WHO_MAY.items() for method in by_method]
OBJECT_ROUTES = [route for route in ROUTES if route.names_an_object]
SCHEMA = SchemaGenerator().get_schema(request=None, public=True)

every_route = pytest.mark.parametrize("route", ROUTES, ids=str)
every_object_route = pytest.mark.parametrize("route", OBJECT_ROUTES, ids=str)


@pytest.fixture(autouse=True)
def _play_meta(meta: SandboxServer) -> None:
    """Views that ask Meta ask the sandbox."""


def test_every_route_says_here_who_may_use_it() -> None:
    routed = {
        (method, path.removeprefix("api/v1/"))
        for path, view in urlconf(get_resolver().url_patterns)
        if path.startswith("api/v1/")
        for method in methods(view)
    }
    routed -= {("POST", "health")}  # a plain view that only answers GET
    assert routed == PUBLIC | {(route.method, route.path) for route in ROUTES}


def test_nothing_but_the_schema_is_served_beside_version_1() -> None:
    paths = {path for path, _ in urlconf(get_resolver().url_patterns) if path.startswith("api/")}
    assert {path for path in paths if not path.startswith("api/v1/")} == {"api/schema", "api/docs"}


@every_route
def test_nobody_gets_in(route: Route, api: Api, organization: Organization) -> None:
    response = route.ask(api(), route.url_in(organization))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert route.ask(APIClient(HTTP_AUTHORIZATION="Bearer x"), route.url_in(organization)).status_code == 401


@every_route
def test_each_role_may_what_the_table_says(route: Route, api: Api, organization: Organization) -> None:
    for role in Role.values:
        client = api(factories.make_user(organization, role))
        response = route.ask(client, route.url_in(organization))
        if role in WHO_MAY[route.path][route.method]:
            assert response.status_code not in (401, 403, 404), role
            assert response.status_code < 500, role
        else:
            assert response.status_code == 403, role
            assert response.json()["error"]["code"] == "permission_denied"


@every_object_route
def test_another_organizations_object_is_not_there_and_stays_as_it_is(
    route: Route, api: Api, organization: Organization, other_organization: Organization
) -> None:
    row = route.make_object(organization)
    stored = type(row)._default_manager.filter(pk=row.pk)
    before = stored.values().get()
    for role in (Role.ORG_ADMIN, Role.SUPER_ADMIN):
        response = route.ask(api(factories.make_user(other_organization, role)), route.url(row))
        assert response.status_code == 404, role
        assert response.json()["error"]["code"] == "not_found"
        assert stored.values().get() == before


@every_route
def test_a_path_means_the_same_with_and_without_its_trailing_slash(
    route: Route, api: Api, admin: User, organization: Organization
) -> None:
    def status(slash: str) -> int:
        return route.ask(api(admin), f"{route.url_in(organization)}{slash}").status_code

    assert status("/") == status("")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["health", "healthz"])
def test_health_is_public(api: Api, path: str, slash: str) -> None:
    url = "/healthz" if path == "healthz" else f"/api/v1/health{slash}"
    response = api().get(url)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/contacts/not-an-id", "/api/", "/api/v1/flows/%00"])
def test_an_unknown_path_of_the_api_is_told_in_json(api: Api, path: str) -> None:
    response = api().get(path)
    assert response.status_code == 404
    assert response.json() == {
        "detail": "Not found.",
        "error": {"code": "not_found", "message": "Not found.", "details": None},
    }


def test_the_schema_and_its_page_are_public(api: Api) -> None:
    assert api().get("/api/schema/").status_code == 200
    assert api().get("/api/docs/").status_code == 200


# --- Garbage --------------------------------------------------------------------------------------------------------
ODD_BODIES = [b"", b"{", b"[]", b"null", b"true", b'"x"', b"7", b"\xff", b"[" * 5_000, b'{"a": "\\u0000"}', b"a=1&b=2"]
ODD_TYPES = [
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "",
]
TEXTS = st.text(max_size=20) | st.sampled_from(["x" * 5_000, "\0", "\ud800", "é" * 300, "2026-13-45", "-1", "{{", "💥"])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


ODD_QUERY = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["\0", "-1", "9" * 30, "[]"]
)


def operation(route: Route) -> dict[str, Any]:
    """What the OpenAPI schema says of a route; nothing for one that is not of REST framework."""
    path = f"/api/v1/{route.path.replace('<uuid:pk>', '{id}')}"
    found: dict[str, Any] = SCHEMA["paths"].get(path, {}).get(route.method.lower(), {})
    return found


def body_fields(route: Route) -> list[str]:
    """The names that the route's JSON body knows."""
    content = operation(route).get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return list(SCHEMA["components"]["schemas"].get(name, {}).get("properties", {}))


def query_names(route: Route) -> list[str]:
    """The query parameters that the route knows."""
    return [item["name"] for item in operation(route).get("parameters", []) if item["in"] == "query"]


PUBLIC_ROUTES = [Route(*route) for route in sorted(PUBLIC)]
with_fields = pytest.mark.parametrize("route", [r for r in ROUTES + PUBLIC_ROUTES if body_fields(r)], ids=str)
with_query = pytest.mark.parametrize("route", [r for r in ROUTES if query_names(r)], ids=str)
examples = hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("route", [r for r in ROUTES + PUBLIC_ROUTES if r.method != "GET"], ids=str)
def test_no_body_whatever_is_a_fault_of_ours(route: Route, api: Api, admin: User, organization: Organization) -> None:
    client = api(admin)
    for body, content_type in [
        *((body, "application/json") for body in ODD_BODIES),
        *((b"a=1", content_type) for content_type in ODD_TYPES),
    ]:
        response = route.ask(client, route.url_in(organization), data=body, content_type=content_type)
        assert response.status_code != 500, (body, content_type)


@with_fields
@examples
@given(data=st.data())
def test_no_value_of_a_known_field_is_a_fault_of_ours(
    route: Route, api: Api, admin: User, organization: Organization, data: st.DataObject
) -> None:
    fields = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(body_fields(route), ODD)))
    client = api(None if route in PUBLIC_ROUTES else admin)
    body = json.dumps(fields).encode()
    response = route.ask(client, route.url_in(organization), data=body, content_type="application/json")
    assert response.status_code != 500


@with_query
@examples
@given(data=st.data())
def test_no_query_whatever_is_a_fault_of_ours(
    route: Route, api: Api, admin: User, organization: Organization, data: st.DataObject
) -> None:
    query = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(query_names(route), ODD_QUERY)))
    assert api(admin).get(route.url_in(organization), query).status_code != 500
