"""How lists are paged: a bare JSON array, its whereabouts in headers."""

from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

MAX_SKIP = 10_000
MAX_COUNT = 10_000


class KeysetPagination(BasePagination):
    """Pages of `limit` rows: by `cursor`, equally fast at any depth, or by `skip`, up to 10,000.

    A subclass names its `ordering`: columns of the model, the last of them unique, matching an index. Only the first
    may be null; nulls sort as PostgreSQL sorts them, first when descending. `Link: <...>; rel="next"` leads to the
    next page; `X-Total-Count` says how many rows there are, up to 10,000, then with `X-Total-Count-Capped: true`.
    """

    ordering: Sequence[str] = ("-created_at", "-id")
    default_limit = 100
    max_limit = 100

    def get_ordering(self, request: Request) -> Sequence[str]:
        """The ordering of this request; for a list that may be read from either end."""
        return self.ordering

    def paginate_queryset(  # type: ignore[override]  # a plain list has no keyset
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the page that the request asks for; ValidationError names what is wrong in it."""
        self.request = request
        self.limit = _integer(request, "limit", default=self.default_limit, low=1, high=self.max_limit)
        self.skip = _integer(request, "skip", default=0, low=0, high=MAX_SKIP)
        self.total = queryset.order_by().values("pk")[: MAX_COUNT + 1].count()
        keyset = Keyset(queryset.model, self.get_ordering(request))
        page = queryset.order_by(*keyset.ordering)
        self.cursor = request.query_params.get("cursor", "")
        if self.cursor:
            page = page.filter(keyset.after(self.cursor))
        rows = list(page[self.skip : self.skip + self.limit + 1])
        self.next_cursor = keyset.cursor(rows[self.limit - 1]) if len(rows) > self.limit else None
        return rows[: self.limit]

    def get_paginated_response(self, data: Any) -> Response:
        """The rows as a bare array, with the headers."""
        response = Response(data)
        response["X-Per-Page"] = str(self.limit)
        response["X-Total-Count"] = str(min(self.total, MAX_COUNT))
        if self.total > MAX_COUNT:
            response["X-Total-Count-Capped"] = "true"
        if not self.cursor:
            response["X-Page"] = str(self.skip // self.limit + 1)
        if self.next_cursor:
            url = remove_query_param(self.request.build_absolute_uri(), "skip")
            response["Link"] = f'<{replace_query_param(url, "cursor", self.next_cursor)}>; rel="next"'
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """An array stays an array."""
        return schema

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The query parameters, for the OpenAPI schema."""
        limit = {"type": "integer", "minimum": 1, "maximum": self.max_limit, "default": self.default_limit}
        skip = {"type": "integer", "minimum": 0, "maximum": MAX_SKIP, "default": 0}
        return [
            {"name": "limit", "in": "query", "schema": limit, "description": "Rows a page."},
            {"name": "skip", "in": "query", "schema": skip, "description": "Rows to leave out first."},
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": 'Where the last page ended: follow `Link: <...>; rel="next"`.',
            },
        ]


class Keyset:
    """A place in an ordering of a model's rows, told by the columns of the row there."""

    def __init__(self, model: type[Model], ordering: Sequence[str]) -> None:
        self.ordering = ordering
        self._columns = [(_field(model, name.lstrip("-")), name.startswith("-")) for name in ordering]
        self._salt = f"cursor:{model._meta.label}:{','.join(ordering)}"

    def cursor(self, row: Model) -> str:
        """The place of a row, signed, so that what comes back is what we gave."""
        values = [
            None if field.value_from_object(row) is None else field.value_to_string(row) for field, _ in self._columns
        ]
        return signing.dumps(values, salt=self._salt)

    def after(self, cursor: str) -> Q:
        """The rows behind that place; ValidationError unless the cursor came from a list in this ordering."""
        try:
            texts = signing.loads(cursor, salt=self._salt)
        except signing.BadSignature:
            raise ValidationError({"cursor": ["This cursor is not from this list."]}) from None
        values = [
            None if text is None else field.to_python(text)
            for (field, _), text in zip(self._columns, texts, strict=True)
        ]
        return self._from_first(values[0]) & self._behind(values)

    def _from_first(self, value: Any) -> Q:
        """Implied by the rest, but a bound that an index can start from (the rest alone is as slow as OFFSET)."""
        field, descends = self._columns[0]
        if value is None:
            return Q() if descends else Q((f"{field.name}__isnull", True))
        if descends:
            return Q((f"{field.name}__lte", value))
        return Q((f"{field.name}__gte", value)) | _nulls(field)

    def _behind(self, values: Sequence[Any], column: int = 0) -> Q:
        field, descends = self._columns[column]
        value = values[column]
        if value is None:
            strictly = Q((f"{field.name}__isnull", False)) if descends else None
            equal = Q((f"{field.name}__isnull", True))
        elif descends:
            strictly = Q((f"{field.name}__lt", value))
            equal = Q((field.name, value))
        else:
            strictly = Q((f"{field.name}__gt", value)) | _nulls(field)
            equal = Q((field.name, value))
        if column == len(values) - 1:
            assert strictly is not None, "the last column of an ordering is never null"
            return strictly
        further = equal & self._behind(values, column + 1)
        return further if strictly is None else strictly | further


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    field = model._meta.get_field(name)
    assert isinstance(field, Field), f"{name} is no column of {model.__name__}"
    return field


def _nulls(field: "Field[Any, Any]") -> Q:
    return Q((f"{field.name}__isnull", True)) if field.null else Q()


def _integer(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise ValidationError({name: [f"Must be a whole number from {low} to {high}."]})
    return int(text)
