import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.exceptions import ParseError

from apps.core.parsers import BodyTooLarge, JSONParser

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


def parse(body: bytes) -> Any:
    return JSONParser().parse(io.BytesIO(body))


@given(JSON)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"\xff\xfe",
        '{"a": "ü"}'.encode("latin-1"),
        b'"\\ud800"',
        b"NaN",
        b"1e999",
        b"9" * 400,
        b"[" * 100_000,
        b'"\\u0000"',
        b'{"a": [{"b\\u0000": 1}]}',
        b"[" * 1_000 + b'"\\u0000"' + b"]" * 1_000,
    ],
    ids=lambda body: repr(body[:16]),
)
def test_what_cannot_be_stored_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse(body)


def test_text_that_only_speaks_of_the_nul_character_passes() -> None:
    assert parse(rb'"a \\u0000 character"') == r"a \u0000 character"


def test_a_body_beyond_the_limit_is_refused_unread(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 8
    assert parse(b'"123456"') == "123456"
    body = io.BytesIO(b'"1234567"' + b" " * 1_000)
    with pytest.raises(BodyTooLarge):
        JSONParser().parse(body)
    assert body.tell() == 9
