"""Calls of every kind are performed by the module of that kind."""

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from apps.flows import calling
from apps.flows.calls import Call, Email, Query, Request, Result, Script
from apps.organizations.models import Organization


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (Script("n + 1", {"n": 1}), Result(ok=True, value=2)),
        (Query("shop", "SELECT 1"), Result(ok=False, error="No database connection is registered as “shop”.")),
        (Email((), "x", "x"), Result(ok=False, error="A letter goes to between 1 and 10 recipients, not to 0.")),
        (Request("GET", "http://10.0.0.1/"), Result(ok=False, error="This address is not allowed.")),
    ],
    ids=["script", "query", "email", "request"],
)
def test_call_is_performed(organization: Organization, call: Call, result: Result) -> None:
    assert calling.perform(call, organization_id=organization.id) == result


def test_request_goes_out(organization: Organization, httpserver: HTTPServer, settings: Settings) -> None:
    settings.EGRESS_ALLOW = [f"{httpserver.host}:{httpserver.port}"]
    httpserver.expect_request("/").respond_with_json([1])

    sent = calling.perform(Request("GET", httpserver.url_for("/")), organization_id=organization.id)

    assert sent == Result(ok=True, value=[1], status=200)
