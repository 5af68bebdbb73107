from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from apps.core import errors
from apps.core.exception_handler import handle


def answer(error: Exception) -> tuple[int, Any]:
    response = handle(error, {})
    assert response is not None
    return response.status_code, response.data


def envelope(code: str, message: str, details: Any = None) -> dict[str, Any]:
    return {"detail": message, "error": {"code": code, "message": message, "details": details}}


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (errors.DomainError, 400, "invalid"),
        (errors.NotFound, 404, "not_found"),
        (errors.Conflict, 409, "conflict"),
        (errors.Unprocessable, 422, "unprocessable"),
        (errors.ThirdPartyError, 424, "third_party_failed"),
    ],
)
def test_a_domain_error_is_answered_with_its_status_and_code(
    kind: type[errors.DomainError], status: int, code: str
) -> None:
    assert answer(kind("No.")) == (status, envelope(code, "No."))
    assert answer(kind("No.", code="closed", details={"a": 1})) == (status, envelope("closed", "No.", {"a": 1}))


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (exceptions.NotAuthenticated(), 401, ("not_authenticated", "Authentication credentials were not provided.")),
        (exceptions.AuthenticationFailed("Old.", code="token_not_valid"), 401, ("token_not_valid", "Old.")),
        (exceptions.PermissionDenied("No."), 403, ("permission_denied", "No.")),
        (exceptions.ParseError("Bad JSON."), 400, ("parse_error", "Bad JSON.")),
        (exceptions.MethodNotAllowed("PUT"), 405, ("method_not_allowed", 'Method "PUT" not allowed.')),
        (exceptions.NotFound("No page."), 404, ("not_found", "No page.")),
        (Http404("Message 7"), 404, ("not_found", "Not found.")),
        (PermissionDenied("inner words"), 403, ("permission_denied", "You may not do this.")),
    ],
)
def test_errors_of_the_framework_take_the_same_shape(error: Exception, status: int, body: tuple[str, str]) -> None:
    assert answer(error) == (status, envelope(*body))


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ({"email": ["Enter an e-mail."]}, "email: Enter an e-mail."),
        ({"non_field_errors": ["Both or none."]}, "Both or none."),
        (["Not a list."], "Not a list."),
        ({"items": [{}, {"name": ["Too long."]}]}, "items: name: Too long."),
        ({"user": {"age": ["Too low.", "Odd."]}}, "user: age: Too low."),
    ],
)
def test_a_validation_error_leads_with_its_first_words_and_keeps_all(detail: Any, message: str) -> None:
    assert answer(exceptions.ValidationError(detail)) == (400, envelope("validation_error", message, detail))


def test_a_fault_of_ours_is_left_to_django() -> None:
    assert handle(RuntimeError("bug"), {}) is None


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (exceptions.Throttled(wait=42), "Retry-After", "42"),
        (exceptions.NotAuthenticated(), "WWW-Authenticate", 'Bearer realm="api"'),
    ],
)
def test_headers_that_tell_the_client_what_to_do_are_kept(error: Exception, header: str, value: str) -> None:
    class View(APIView):
        permission_classes = ()

        def get(self, request: Request) -> Response:
            raise error

    assert View.as_view()(APIRequestFactory().get("/"))[header] == value
