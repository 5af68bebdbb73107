"""Whatever the world answers is made fit for PostgreSQL and for every reader of JSON."""

import datetime
import decimal
import json
from typing import Any

import orjson
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.flows.calling import plain

WILD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters())
    | st.dates()
    | st.datetimes(timezones=st.just(datetime.UTC))
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.ip_addresses(),
    lambda items: (
        st.lists(items, max_size=3) | st.tuples(items) | st.dictionaries(st.text(st.characters()), items, max_size=3)
    ),
    max_leaves=8,
)


@given(raw=WILD)
def test_any_value_is_made_json(raw: Any) -> None:
    value = plain.value(raw)

    assert orjson.loads(orjson.dumps(value)) == json.loads(json.dumps(value, allow_nan=False)) == value
    assert plain.value(value) == value


@pytest.mark.parametrize("raw", ["a\0b\ud800", {"\0\udfff": [decimal.Decimal("1e5000"), float("inf"), 10**30]}])
def test_postgresql_takes_what_is_plain(db: None, raw: Any) -> None:
    value = plain.value(raw)

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", [json.dumps(value)])
        assert json.loads(cursor.fetchone()[0]) == value


def test_levels_are_counted() -> None:
    def nested(levels: int) -> Any:
        return [nested(levels - 1)] if levels else "leaf"

    assert plain.value(nested(64)) == nested(64)
    with pytest.raises(plain.NotPlain, match="more than 64 levels"):
        plain.value(nested(65))


@pytest.mark.parametrize("raw", [b"x", object(), {1, 2}])
def test_what_json_cannot_say_is_refused_by_its_type(raw: object) -> None:
    with pytest.raises(plain.NotPlain, match=f"^A value of the type {type(raw).__name__} cannot be kept.$"):
        plain.value({"a": [raw]})
