"""Errors with a machine code and words that a person can act on; apps.core.exception_handler shows them."""

from typing import Any

from rest_framework import status


class DomainError(Exception):
    """Something that was asked for cannot be done; nothing was changed."""

    status: int = status.HTTP_400_BAD_REQUEST
    code = "invalid"

    def __init__(self, message: str, *, code: str | None = None, details: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details


class NotFound(DomainError):
    """There is no such object in the caller's organization."""

    status = status.HTTP_404_NOT_FOUND
    code = "not_found"


class Conflict(DomainError):
    """The object's state, or another object, stands in the way."""

    status = status.HTTP_409_CONFLICT
    code = "conflict"


class Unprocessable(DomainError):
    """The request is well formed, but cannot be meant."""

    status = status.HTTP_422_UNPROCESSABLE_ENTITY
    code = "unprocessable"


class ThirdPartyError(DomainError):
    """A third party refused or failed; its words are in the message."""

    status = status.HTTP_424_FAILED_DEPENDENCY
    code = "third_party_failed"
