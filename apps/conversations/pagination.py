"""How the inbox and a thread are paged."""

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.pagination import KeysetPagination


class InboxPagination(KeysetPagination):
    """Newest first."""

    ordering = ("-last_message_at", "-id")


class ThreadPagination(KeysetPagination):
    """A conversation's messages, from either end.

    Without `order`: the newest page, its messages oldest first; `Link: <...>; rel="prev"` leads to older pages.
    `order=asc` (or `skip`) begins with the oldest message and `order=desc` with the newest; rel="next" leads on.
    """

    def get_ordering(self, request: Request) -> Sequence[str]:
        """From the oldest or from the newest message."""
        order = request.query_params.get("order", "")
        if order not in ("", "asc", "desc"):
            raise ValidationError({"order": ["Must be asc or desc."]})
        from_oldest = order == "asc" or (not order and "skip" in request.query_params)
        self.is_reversed = not from_oldest and not order
        return ("seq",) if from_oldest else ("-seq",)

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The page; without `order`, turned round so that the newest message comes last."""
        page = super().paginate_queryset(queryset, request, view)
        return page[::-1] if self.is_reversed else page

    def get_paginated_response(self, data: Any) -> Response:
        """The rows as a bare array; what comes before a page of the newest messages is called `prev`."""
        response = super().get_paginated_response(data)
        if self.is_reversed and "Link" in response:
            response["Link"] = response["Link"].replace('rel="next"', 'rel="prev"')
        return response

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The query parameters, for the OpenAPI schema."""
        order = {
            "name": "order",
            "in": "query",
            "schema": {"type": "string", "enum": ["asc", "desc"]},
            "description": (
                "asc: from the oldest message; desc: from the newest. Without it: the newest page, oldest first, and "
                '`Link: <...>; rel="prev"` leads to older ones.'
            ),
        }
        return [*super().get_schema_operation_parameters(view), order]
