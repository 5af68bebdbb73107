import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from apps.core import pagination
from apps.core.pagination import Keyset, KeysetPagination
from apps.organizations.models import Organization, User
from tests.support import factories

START = datetime(2026, 11, 1, tzinfo=UTC)
ORDERINGS = [("-last_seen_at", "-id"), ("last_seen_at", "id"), ("-last_seen_at", "id"), ("last_seen_at", "-id")]


class Pages(KeysetPagination):
    def __init__(self, ordering: Sequence[str] = ("-last_seen_at", "-id")) -> None:
        self.ordering = ordering


def ask(rows: QuerySet[Any], query: str, ordering: Sequence[str] = ("-last_seen_at", "-id")) -> Response:
    """One page, its rows as they are."""
    url = query if query.startswith("http") else f"/api/v1/people/?{query}"
    pages = Pages(ordering)
    page = pages.paginate_queryset(rows, Request(APIRequestFactory().get(url)))
    return pages.get_paginated_response(page)


def next_url(response: Response) -> str | None:
    link = re.fullmatch(r'<(.+)>; rel="next"', response.get("Link", ""))
    return link[1] if link else None


def walk(rows: QuerySet[Any], limit: int, ordering: Sequence[str]) -> list[Any]:
    """All rows, by following the links."""
    found: list[Any] = []
    url: str | None = f"limit={limit}"
    while url:
        response = ask(rows, url, ordering)
        found += response.data
        url = next_url(response)
    return found


def make_people(organization: Organization, seen: Sequence[int | None]) -> None:
    """People last seen so many minutes after START, or never."""
    User.objects.bulk_create(
        User(
            organization=organization,
            email=f"{place}@people.example",
            last_seen_at=None if minutes is None else START + timedelta(minutes=minutes),
        )
        for place, minutes in enumerate(seen)
    )


@pytest.mark.parametrize("ordering", ORDERINGS)
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seen=st.lists(st.none() | st.integers(0, 4), max_size=12), limit=st.integers(1, 5))
def test_following_the_links_shows_every_row_once_in_order(
    organization: Organization, ordering: tuple[str, str], seen: list[int | None], limit: int
) -> None:
    User.objects.all().delete()
    make_people(organization, seen)
    assert walk(User.objects.all(), limit, ordering) == list(User.objects.order_by(*ordering))


def test_rows_that_arrive_meanwhile_do_not_shift_the_next_page(organization: Organization) -> None:
    make_people(organization, [1, 2, 3, 4])
    newest_first = list(User.objects.order_by("-last_seen_at"))
    first = ask(User.objects.all(), "limit=2")
    factories.make_user(organization, last_seen_at=START + timedelta(minutes=9))
    second = ask(User.objects.all(), next_url(first) or "")
    assert first.data + second.data == newest_first
    assert next_url(second) is None


def test_the_next_link_keeps_the_filters_and_drops_the_skip(organization: Organization) -> None:
    make_people(organization, [1, 2, 3, 4])
    url = next_url(ask(User.objects.all(), "status=open&limit=1&skip=1"))
    assert url is not None
    assert url.startswith("http://testserver/api/v1/people/?")
    assert "status=open" in url
    assert "limit=1" in url
    assert "skip" not in url
    assert ask(User.objects.all(), url).data == list(User.objects.order_by("-last_seen_at")[2:3])


def test_the_headers_say_where_the_page_is(organization: Organization) -> None:
    make_people(organization, [1, 2, 3, 4, 5])
    response = ask(User.objects.all(), "limit=2&skip=2")
    assert response.data == list(User.objects.order_by("-last_seen_at")[2:4])
    headers = {name: response.get(name) for name in ("X-Total-Count", "X-Total-Count-Capped", "X-Page", "X-Per-Page")}
    assert headers == {"X-Total-Count": "5", "X-Total-Count-Capped": None, "X-Page": "2", "X-Per-Page": "2"}


@pytest.mark.parametrize(("people", "count", "capped"), [(3, "3", None), (4, "3", "true")])
def test_the_count_stops_at_its_cap(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, people: int, count: str, capped: str | None
) -> None:
    monkeypatch.setattr(pagination, "MAX_COUNT", 3)
    make_people(organization, range(people))
    response = ask(User.objects.all(), "")
    assert (response["X-Total-Count"], response.get("X-Total-Count-Capped")) == (count, capped)


def test_a_page_costs_two_queries_and_its_bound_can_start_an_index(organization: Organization) -> None:
    make_people(organization, [1, 2, 3])
    url = next_url(ask(User.objects.all(), "limit=1")) or ""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ask(User.objects.all(), url)
    assert len(queries) == 2
    assert '"last_seen_at" <= ' in queries[1]["sql"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=-1", "limit=1.5", "limit=abc", "limit=%00", "limit=²", "limit=1e2", "skip=-1",
     "skip=10001", "skip=99999999999999999999", "cursor=x", "cursor=%00", "cursor=W10:1abc:x", "cursor=é"],
)  # fmt: skip
@pytest.mark.usefixtures("db")
def test_what_cannot_be_meant_is_refused_by_name(query: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ask(User.objects.all(), query)
    assert list(refusal.value.detail) == [query.split("=")[0]]


def test_a_cursor_is_good_in_its_own_list_only(viewer: User) -> None:
    cursor = Keyset(User, ("-last_seen_at", "-id")).cursor(viewer)
    assert Keyset(User, ("-last_seen_at", "-id")).after(cursor)
    for model, ordering in [(User, ("last_seen_at", "id")), (Organization, ("-created_at", "-id"))]:
        with pytest.raises(ValidationError):
            Keyset(model, ordering).after(cursor)


def test_the_schema_stays_an_array_and_names_the_parameters() -> None:
    array = {"type": "array", "items": {"type": "string"}}
    assert Pages().get_paginated_response_schema(array) == array
    assert [item["name"] for item in Pages().get_schema_operation_parameters(None)] == ["limit", "skip", "cursor"]  # type: ignore[arg-type]
