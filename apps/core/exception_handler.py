"""How the API shows an error: `{"detail", "error": {"code", "message", "details"}}`."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.core.errors import DomainError


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception as `{"detail", "error": {"code", "message", "details"}}`; None lets Django answer 500."""
    if isinstance(error, DomainError):
        return _response(error.status, error.code, error.message, error.details)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        return _response(response.status_code, "validation_error", _first_words(error.detail), error.detail)
    if isinstance(error, Http404):
        return _response(response.status_code, "not_found", "Not found.", None)
    if isinstance(error, PermissionDenied):
        return _response(response.status_code, "permission_denied", "You may not do this.", None)
    assert isinstance(error, exceptions.APIException)
    code = error.get_codes()
    answer = _response(
        response.status_code,
        code if isinstance(code, str) else getattr(error, "default_code", "error"),
        _first_words(error.detail),
        None,
    )
    for header in ("WWW-Authenticate", "Retry-After"):
        if header in response:
            answer[header] = response[header]
    return answer


def _response(status_code: int, code: str, message: str, details: Any) -> Response:
    return Response({"detail": message, "error": {"code": code, "message": message, "details": details}}, status_code)


def _first_words(detail: Any) -> str:
    """The first sentence in DRF's nested error detail, led by the name of its field."""
    if isinstance(detail, dict):
        if "detail" in detail:
            return _first_words(detail["detail"])
        field, inner = next(iter(detail.items()))
        words = _first_words(inner)
        return words if field == "non_field_errors" else f"{field}: {words}"
    if isinstance(detail, list):
        return _first_words(next((item for item in detail if item), "Invalid input."))
    return str(detail)
