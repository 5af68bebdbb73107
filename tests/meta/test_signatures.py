import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.meta import signatures

SHA256, SHA1 = json.loads((Path(__file__).parents[1] / "payloads" / "signature_vectors.json").read_text())[:2]
SECRET = "segredo"
UTF8 = '{"text":"Olá 🍞"}'.encode()
ESCAPED = b'{"text":"Ol\\u00e1 \\ud83c\\udf5e"}'


def test_published_vector_over_an_escaped_body_matches() -> None:
    assert signatures.matches(SHA256["body_escaped_ascii"].encode(), SHA256["header"], SHA256["app_secret"])


def test_published_vector_matches_the_same_words_received_as_utf8() -> None:
    body = SHA256["body_escaped_ascii"].encode().decode("unicode_escape").encode()

    assert signatures.matches(body, SHA256["header"], SHA256["app_secret"])


def test_published_sha1_vector_never_matches() -> None:
    body = SHA1["body_escaped_ascii"].encode()

    assert not signatures.matches(body, SHA1["header"], SHA1["app_secret"])


def test_sign_agrees_with_openssl() -> None:
    assert signatures.sign(b'{"text":"Oi"}', SECRET) == (
        "sha256=d0927d8ddd0108bd49226da8c7480ea2d2b3e64966a7a2387e825b9e8179cdac"
    )


def test_escaped_form_writes_every_utf16_unit_in_lower_case() -> None:
    assert signatures.escape(UTF8) == ESCAPED


@pytest.mark.parametrize("body", [UTF8, ESCAPED, b"\xff\xfe not UTF-8", b""])
def test_signature_over_the_raw_bytes_matches(body: bytes) -> None:
    assert signatures.matches(body, signatures.sign(body, SECRET), SECRET)


def test_signature_over_the_escaped_form_of_a_utf8_body_matches() -> None:
    assert signatures.matches(UTF8, signatures.sign(ESCAPED, SECRET), SECRET)


def test_signature_over_the_utf8_form_of_an_escaped_body_is_refused() -> None:
    assert not signatures.matches(ESCAPED, signatures.sign(UTF8, SECRET), SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        signatures.sign(UTF8, "another secret"),
        signatures.sign(UTF8, SECRET).upper(),
        signatures.sign(UTF8, SECRET)[:-1],
        signatures.sign(UTF8, SECRET) + "\n",
        signatures.sign(UTF8, SECRET).removeprefix("sha256="),
        signatures.sign(UTF8, SECRET).replace("sha256", "sha1"),
    ],
)
def test_any_other_header_is_refused(header: str) -> None:
    assert not signatures.matches(UTF8, header, SECRET)


def test_empty_secret_matches_nothing() -> None:
    assert not signatures.matches(UTF8, signatures.sign(UTF8, ""), "")


@given(st.text())
def test_escaped_form_means_the_same_json(text: str) -> None:
    body = json.dumps({"text": text}, ensure_ascii=False).encode("utf-8", "replace")
    escaped = signatures.escape(body) or body

    assert escaped.isascii()
    assert json.loads(escaped) == json.loads(body)


@given(st.binary(min_size=1), st.integers(min_value=0), st.integers(0, 7))
def test_one_flipped_bit_is_refused(body: bytes, place: int, bit: int) -> None:
    header = signatures.sign(body, SECRET)
    tampered = bytearray(body)
    tampered[place % len(body)] ^= 1 << bit

    assert not signatures.matches(bytes(tampered), header, SECRET)
