"""What the API accepts as a request body."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework import parsers, status
from rest_framework.exceptions import APIException, ParseError


class BodyTooLarge(APIException):
    """More than DATA_UPLOAD_MAX_MEMORY_SIZE, which Django checks only where it reads the body itself."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"
    default_detail = "The request body is too large."


class JSONParser(parsers.JSONParser):
    """JSON in UTF-8, whatever charset is declared, of which every value can be stored.

    Refused with 400: broken UTF-8, lone surrogates, infinite numbers, a thousand levels of nesting (all by orjson), and
    the NUL character, which PostgreSQL keeps in no text.
    """

    def parse(self, stream: IO[bytes], media_type: str | None = None, context: Mapping[str, Any] | None = None) -> Any:
        """The decoded body; ParseError says where it is broken."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"JSON parse error: {error}") from None
        if rb"\u0000" in body and _has_nul(value):
            raise ParseError("JSON parse error: the NUL character is not allowed.")
        return value


def _has_nul(value: Any) -> bool:
    """Whether a NUL is in any text or key within; a stack of its own, as a thousand levels are too deep to recurse."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and "\0" in value:
            return True
        if isinstance(value, dict):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False
