"""Queries, to a real database by a user that could write."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection as own
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.flows.calling import query
from apps.flows.calls import Query, Result
from apps.flows.models import DatabaseConnection
from apps.organizations.models import Organization


def url_of_the_test_database(**parts: str) -> str:
    values = {key: quote(str(own.settings_dict[key]), safe="") for key in ("HOST", "PORT", "USER", "PASSWORD", "NAME")}
    return "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**{**values, **parts})


@pytest.fixture
def shop(organization: Organization, settings: Settings) -> DatabaseConnection:
    settings.EGRESS_ALLOW = [f"127.0.0.1:{own.settings_dict['PORT']}"]
    return DatabaseConnection.objects.create(organization=organization, name="shop", url=url_of_the_test_database())


def ask(
    shop: DatabaseConnection, statement: str, parameters: Any = (), *, shape: Any = "list", timeout: float = 10
) -> Result:
    call = Query(shop.name, statement, parameters, shape, timeout)
    return query.perform(call, organization_id=shop.organization_id)


def error(shop: DatabaseConnection, statement: str, parameters: Any = (), *, timeout: float = 10) -> str:
    result = ask(shop, statement, parameters, timeout=timeout)
    assert (result.ok, result.value) == (False, None)
    return result.error


SERIES = "SELECT n AS number, n * n AS square FROM generate_series(1, 3) AS n"


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("list", [{"number": 1, "square": 1}, {"number": 2, "square": 4}, {"number": 3, "square": 9}]),
        ("first", {"number": 1, "square": 1}),
        ("count", 3),
        ("scalar", 1),
    ],
)
def test_rows_come_in_the_format_asked_for(shop: DatabaseConnection, shape: str, value: Any) -> None:
    assert ask(shop, SERIES, shape=shape) == Result(ok=True, value=value)


@pytest.mark.parametrize(("shape", "value"), [("list", []), ("first", None), ("count", 0), ("scalar", None)])
def test_no_rows_are_an_answer_too(shop: DatabaseConnection, shape: str, value: Any) -> None:
    assert ask(shop, "SELECT 1 WHERE false", shape=shape) == Result(ok=True, value=value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("12.50::numeric", 12.5),
        ("1e30::numeric", "1" + 30 * "0"),
        ("123456789012345678::numeric", 123456789012345678),
        ("9223372036854775807::bigint", 9223372036854775807),
        ("1e-400::numeric", 0.0),
        ("'NaN'::numeric", None),
        ("'infinity'::float8", None),
        ("date '2026-02-03'", "2026-02-03"),
        ("timestamptz '2026-02-03 04:05:06+00' AT TIME ZONE 'UTC'", "2026-02-03T04:05:06"),
        ("time '04:05'", "04:05:00"),
        ("interval '1 day'", "1 day, 0:00:00"),
        ("'6f1c7c52-2c3b-4b3f-9d3c-111111111111'::uuid", "6f1c7c52-2c3b-4b3f-9d3c-111111111111"),
        ("""'{"a": [1, null]}'::jsonb""", {"a": [1, None]}),
        ("ARRAY['pão', 'café']", ["pão", "café"]),
        ("inet '10.0.0.1'", "10.0.0.1"),
        ("true", True),
        ("NULL", None),
    ],
)
def test_values_become_json(shop: DatabaseConnection, expression: str, value: Any) -> None:
    assert ask(shop, f"SELECT {expression}", shape="scalar") == Result(ok=True, value=value)


@pytest.mark.parametrize("expression", ["'\\x00'::bytea", "int4range(1, 2)"])
def test_values_that_no_json_says_are_refused(shop: DatabaseConnection, expression: str) -> None:
    assert error(shop, f"SELECT {expression}").endswith("cannot be kept.")


@pytest.mark.parametrize(
    ("statement", "parameters", "value"),
    [
        ("SELECT %(name)s::text", {"name": "'; DROP TABLE x; --"}, "'; DROP TABLE x; --"),
        ("SELECT %(n)s::int + %(n)s::int", {"n": "21"}, 42),
        ("SELECT %s::int + %s::int", (1, 2), 3),
        ("SELECT %(order)s::jsonb -> 'items' -> 0", {"order": {"items": ["pão"]}}, "pão"),
        ("SELECT %(rows)s::jsonb -> 0 -> 'a'", {"rows": [{"a": 1}]}, 1),
        ("SELECT 'b' = ANY(%(names)s)", {"names": ["a", "b"]}, True),
        ("SELECT 'abc' LIKE 'a%%' AND %(yes)s", {"yes": True}, True),
        ("SELECT 'abc' LIKE 'a%'", {}, True),
    ],
)
def test_parameters_are_bound(shop: DatabaseConnection, statement: str, parameters: Any, value: Any) -> None:
    assert ask(shop, statement, parameters, shape="scalar") == Result(ok=True, value=value)


@pytest.mark.parametrize(
    ("statement", "parameters", "words"),
    [
        ("SELECT * FROM nowhere", (), 'The database refused the query: relation "nowhere" does not exist'),
        ("SELEC 1", (), 'The database refused the query: syntax error at or near "SELEC"'),
        (" \n", (), "There is no statement to run."),
        ("SELECT %(a)s", {"b": 1}, "The query cannot be run: query parameter missing: a"),
        ("SELECT %s", (1, 2), "The query cannot be run: the query has 1 placeholders but 2 parameters were passed"),
        ("SET work_mem = '1MB'", (), "The query cannot be run: "),
    ],
)
def test_faults_of_a_statement_are_told(shop: DatabaseConnection, statement: str, parameters: Any, words: str) -> None:
    assert error(shop, statement, parameters).startswith(words)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE organizations_organization SET name = 'stolen'",
        "WITH changed AS (UPDATE organizations_organization SET name = 'stolen' RETURNING 1) SELECT * FROM changed",
        "CREATE TABLE stolen ()",
        "SELECT 1; UPDATE organizations_organization SET name = 'stolen'",
        "COMMIT; UPDATE organizations_organization SET name = 'stolen'",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SET TRANSACTION READ WRITE",
        "DO $$ BEGIN COMMIT; UPDATE organizations_organization SET name = 'stolen'; END $$",
        "DO $$ BEGIN PERFORM set_config('transaction_read_only', 'off', true); CREATE TABLE stolen (); END $$",
        "EXPLAIN ANALYZE UPDATE organizations_organization SET name = 'stolen'",
        "COPY (SELECT 1) TO '/tmp/stolen'",
        "COPY (SELECT 1) TO STDOUT",
        "COPY organizations_organization FROM STDIN",
        "SELECT lo_create(0)",
    ],
)
def test_nothing_is_written_by_a_user_that_could(shop: DatabaseConnection, statement: str) -> None:
    with own.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (True,)

    refusal = error(shop, statement)

    assert refusal.startswith(("The database refused the query: ", "The query cannot be run: "))
    assert ask(shop, "SELECT to_regclass('stolen')::text", shape="scalar").value is None


def test_transaction_is_read_only_and_in_haste(shop: DatabaseConnection) -> None:
    statement = """SELECT current_setting('transaction_read_only') AS read_only,
        current_setting('lock_timeout')::interval <= interval '3 s' AS locks,
        current_setting('statement_timeout')::interval BETWEEN interval '2 s' AND interval '3 s' AS statements"""

    assert ask(shop, statement, shape="first", timeout=3).value == {
        "read_only": "on",
        "locks": True,
        "statements": True,
    }


def test_list_ends_at_the_rows_that_the_connection_allows(shop: DatabaseConnection) -> None:
    shop.max_rows = 2
    shop.save()
    began = time.monotonic()

    assert ask(shop, "SELECT generate_series(1, 100000000) AS n").value == [{"n": 1}, {"n": 2}]
    assert ask(shop, "SELECT n FROM generate_series(1, 500) AS n", shape="count").value == 500
    assert time.monotonic() - began < 2


def test_answer_of_many_bytes_is_refused(shop: DatabaseConnection) -> None:
    assert len(ask(shop, "SELECT repeat('x', 10000) FROM generate_series(1, 26)").value) == 26
    for statement in ("SELECT repeat('x', 10000) FROM generate_series(1, 27)", "SELECT repeat('x', 300000)"):
        assert error(shop, statement) == "The database's answer is larger than 256 KiB."


@pytest.mark.parametrize("limit", ["call", "connection"])
def test_slow_query_is_stopped(shop: DatabaseConnection, limit: str) -> None:
    shop.timeout = 1 if limit == "connection" else 10
    shop.save()
    began = time.monotonic()

    assert (
        error(shop, "SELECT pg_sleep(30)", timeout=0.3 if limit == "call" else 30)
        == "The query took longer than it may."
    )
    assert time.monotonic() - began < 2


def test_connections_end_with_the_query(shop: DatabaseConnection) -> None:
    ask(shop, "SELECT generate_series(1, 100000000) AS n")
    time.sleep(0.1)

    with own.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'recado' AND datname = current_database()"
        )
        assert cursor.fetchone() == (0,)


def test_connection_is_found_by_its_name_or_id_in_its_organization_while_active(
    shop: DatabaseConnection, other_organization: Organization
) -> None:
    def found(reference: str, organization_id: uuid.UUID) -> bool:
        result = query.perform(Query(reference, "SELECT 1"), organization_id=organization_id)
        assert result.ok or result.error == f"No database connection is registered as “{reference}”."
        return result.ok

    assert found("shop", shop.organization_id)
    assert found(str(shop.id), shop.organization_id)
    assert not found("shop", other_organization.id)
    assert not found(str(shop.id), other_organization.id)
    assert not found("postgresql://recado@127.0.0.1/recado", shop.organization_id)
    DatabaseConnection.objects.update(is_active=False)
    assert not found("shop", shop.organization_id)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "db.internal",
    ],
)
def test_inner_addresses_are_refused(shop: DatabaseConnection, settings: Settings, host: str) -> None:
    settings.EGRESS_ALLOW = []
    shop.url = url_of_the_test_database(HOST=host)
    shop.save()

    assert error(shop, "SELECT 1") == "This address is not allowed."


@pytest.mark.parametrize("parts", [{"NAME": "nowhere"}, {"USER": "nobody-here"}, {"PORT": "1"}])
def test_refused_connection_is_told_without_its_address(
    shop: DatabaseConnection, settings: Settings, parts: dict[str, str]
) -> None:
    settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, "127.0.0.1:1"]
    shop.url = url_of_the_test_database(PASSWORD="geheim", **parts)
    shop.save()

    assert error(shop, "SELECT 1") == "The database cannot be reached, or broke off."


@contextmanager
def half_a_database(shop: DatabaseConnection, settings: Settings, greeting: bytes) -> Iterator[None]:
    """A server that says this much of PostgreSQL's protocol, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with server.accept()[0] as client:
                client.recv(1000)
                client.sendall(greeting)
                while client.recv(1000):
                    pass

        port = server.getsockname()[1]
        settings.EGRESS_ALLOW = [f"127.0.0.1:{port}"]
        shop.url = url_of_the_test_database(PORT=str(port)) + "?sslmode=disable"
        shop.save()
        threading.Thread(target=greet, daemon=True).start()
        yield


@pytest.mark.parametrize("greeting", [b"", b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"], ids=["at once", "when asked"])
def test_database_that_falls_silent_is_left(
    shop: DatabaseConnection, settings: Settings, monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    monkeypatch.setattr(query, "CONNECT_TIMEOUT", 2)
    began = time.monotonic()

    with half_a_database(shop, settings, greeting):
        assert error(shop, "SELECT 1", timeout=0.5) == "The database cannot be reached, or broke off."

    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://ana:geheim@db.example.com/shop", "Only PostgreSQL can be queried"),
        ("host=db.example.com password=geheim", "Only PostgreSQL can be queried"),
        ("postgresql://ana:geheim@db.example.com:nan/shop", "The database's port is no port."),
        ("postgresql://ana:geheim@db.example.com:70000/shop", "The database's port is no port."),
        ("postgresql://ana:geheim@[db/shop", "This is no address of a database"),
        ("postgresql://ana:geheim@db.example.com/shop?geheim", "This is no address of a database"),
        (
            "postgresql://ana:geheim@db.example.com/shop?passfile=/etc/passwd",
            "The address of a database says nothing of passfile.",
        ),
        (
            "postgresql://ana:geheim@db.example.com/shop?hostaddr=127.0.0.1",
            "The address of a database says nothing of hostaddr.",
        ),
        (
            "postgresql://ana:geheim@db.example.com/shop?options=-c%20x%3D1&service=a",
            "The address of a database says nothing of options, service.",
        ),
        ("postgresql://ana:geheim@/shop", "The address of the database lacks host."),
        ("postgresql://db.example.com", "The address of the database lacks dbname, user."),
        ("postgresql://ana:geheim@%2Fvar%2Frun/shop", "A database is reached at one host"),
        ("postgresql://ana:geheim@a.example.com,b.example.com/shop", "A database is reached at one host"),
        ("postgresql://ana:geheim@db.example.com/shop?sslmode=verify-ca", "The database's sslmode is one of"),
    ],
)
def test_url_that_is_no_plain_address_is_refused_without_being_repeated(url: str, words: str) -> None:
    with pytest.raises(query.NotAnAddress) as refused:
        query.parts(url)

    assert str(refused.value).startswith(words)
    assert "geheim" not in str(refused.value)


def test_parts_of_an_address_are_read() -> None:
    assert query.parts("postgres://ana:se%40nha@db.example.com/shop?sslmode=require") == {
        "host": "db.example.com",
        "port": "5432",
        "user": "ana",
        "password": "se@nha",
        "dbname": "shop",
        "sslmode": "require",
    }


@given(rest=st.text(max_size=40))
def test_any_text_after_the_scheme_is_an_address_or_refused(rest: str) -> None:
    with suppress(query.NotAnAddress):
        assert query.parts(f"postgresql://{rest}").keys() == {"host", "port", "user", "dbname", "sslmode"}
