"""Reads from a database that a super_admin has registered: one statement, in a transaction that cannot write."""

import contextlib
import ipaddress
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import structlog
from psycopg import conninfo, rows
from psycopg.types.json import Jsonb

from apps.core import addresses, http
from apps.flows import calls
from apps.flows.calling import plain
from apps.flows.models import DatabaseConnection

ANSWER = 256 * 1024
"""Bytes of JSON that are taken of a database's answer."""
CONNECT_TIMEOUT = 5
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-full")
_PARTS = frozenset(["host", "port", "user", "password", "dbname", "sslmode"])
_SETTINGS = """SELECT set_config('statement_timeout', %(ms)s, true), set_config('lock_timeout', %(ms)s, true),
    set_config('idle_in_transaction_session_timeout', %(ms)s, true)"""

log = structlog.get_logger(__name__)


class NotAnAddress(ValueError):
    """The URL leads to no database that flows may read; the words hold nothing of it."""


class Refused(Exception):
    """The query gives nothing; why, in words for the flow's author."""


def perform(call: calls.Query, *, organization_id: uuid.UUID) -> calls.Result:
    """Run the statement and give its rows in the format asked for; lists end at the connection's `max_rows`.

    Where there are parameters, the statement has psycopg's placeholders, and writes a percent sign twice. PostgreSQL
    itself refuses what writes.
    """
    if not call.statement.strip():
        return calls.Result(ok=False, error="There is no statement to run.")
    connection = _find(call.connection, organization_id=organization_id)
    if connection is None:
        return calls.Result(ok=False, error=f"No database connection is registered as “{call.connection}”.")
    try:
        with _reading(connection, seconds=min(call.timeout, connection.timeout)) as cursor:
            found = cursor.stream(call.statement, _parameters(call.parameters) or None)
            return calls.Result(ok=True, value=_value(found, call.format, max_rows=connection.max_rows))
    except (Refused, NotAnAddress, plain.NotPlain) as refused:
        return calls.Result(ok=False, error=str(refused))
    except addresses.EgressError as refused:
        return calls.Result(ok=False, error=refused.message)
    except psycopg.Error as error:
        return calls.Result(ok=False, error=_words(error))


def parts(url: str) -> dict[str, str]:
    """Host, port, user, password, database and SSL mode of a registered URL, which may say nothing else."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise NotAnAddress("Only PostgreSQL can be queried: postgresql://user:password@host:port/database.")
    try:
        said = {key: str(value) for key, value in conninfo.conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError:  # whose words repeat the URL
        raise NotAnAddress("This is no address of a database: postgresql://user:password@host:port/database.") from None
    if more := sorted(said.keys() - _PARTS):
        raise NotAnAddress(f"The address of a database says nothing of {', '.join(more)}.")
    if missing := sorted({"host", "user", "dbname"} - said.keys()):
        raise NotAnAddress(f"The address of the database lacks {', '.join(missing)}.")
    if said["host"].startswith(("/", "@")) or "," in said["host"]:
        raise NotAnAddress("A database is reached at one host, by its name or address.")
    if not said.setdefault("port", "5432").isdecimal() or not 0 < int(said["port"]) < 65536:
        raise NotAnAddress("The database's port is no port.")
    if said.setdefault("sslmode", "prefer") not in SSL_MODES:
        raise NotAnAddress(f"The database's sslmode is one of {', '.join(SSL_MODES)}.")
    return said


def _find(reference: str, *, organization_id: uuid.UUID) -> DatabaseConnection | None:
    active = DatabaseConnection.objects.filter(organization_id=organization_id, is_active=True)
    named: DatabaseConnection | None = active.filter(name=reference).first()
    if named is None:
        with contextlib.suppress(ValueError):
            named = active.filter(id=uuid.UUID(reference)).first()
    return named


def _address(host: str, port: int) -> str:
    """The address of the host that is connected to: one that requests of tenants may reach."""
    start, _ = addresses.parse(f"https://{f'[{host}]' if ':' in host else host}:{port}")
    addresses.check_name(start)
    try:
        found = [start.host] if addresses.literal(start.host) else http.resolve(start.host, start.port)
    except OSError:
        raise Refused("The database's host is unknown.") from None
    for address in found:
        if addresses.permits(start, ipaddress.ip_address(address)):
            return address
    raise addresses.AddressRefused


def _parameters(given: Mapping[str, Any] | tuple[Any, ...]) -> dict[str, Any] | list[Any]:
    if isinstance(given, Mapping):
        return {name: _parameter(value) for name, value in given.items()}
    return [_parameter(value) for value in given]


def _parameter(value: Any) -> Any:
    holds_objects = isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value)
    return Jsonb(value) if isinstance(value, Mapping) or holds_objects else value


@contextlib.contextmanager
def _reading(connection: DatabaseConnection, *, seconds: float) -> Iterator[psycopg.Cursor[dict[str, Any]]]:
    """A cursor in a transaction that only reads, of which nothing is left; it breaks when its time is over."""
    said = parts(connection.url)
    began = time.monotonic()
    target = conninfo.make_conninfo(
        **said,
        hostaddr=_address(said["host"], int(said["port"])),
        connect_timeout=CONNECT_TIMEOUT,
        application_name="recado",
        # nothing of what the server's own user has at home is shown to a stranger
        passfile="/dev/null",
        sslcertmode="disable",
        gssencmode="disable",
        sslrootcert="system" if said["sslmode"] == "verify-full" else None,
    )
    with psycopg.connect(target, row_factory=rows.dict_row) as session:
        # kept by the transaction and not by the session, which a pooler may give to others
        session.read_only = True
        wire = socket.socket(fileno=os.dup(session.fileno()))
        # a database that falls silent keeps no time of its own
        left = seconds - (time.monotonic() - began)
        deadline = threading.Timer(left + 1, wire.shutdown, (socket.SHUT_RDWR,))
        deadline.start()
        try:
            session.execute(_SETTINGS, {"ms": str(max(1, int(left * 1000)))})
            yield session.cursor()
        finally:
            deadline.cancel()
            deadline.join()
            wire.close()
            session.close()  # and not roll back: what was not read is not fetched first


def _value(found: Iterator[dict[str, Any]], shape: str, *, max_rows: int) -> Any:
    if shape == "count":
        return sum(1 for _ in found)
    if shape != "list":
        row = next(found, None)
        if row is not None and shape == "scalar":
            row = next(iter(row.values()), None)
        return _capped(plain.value(row), ANSWER)[0]
    kept, left = [], ANSWER
    for row in found:
        value, left = _capped(plain.value(row), left)
        kept.append(value)
        if len(kept) == max_rows:
            break
    return kept


def _capped(value: Any, left: int) -> tuple[Any, int]:
    left -= len(json.dumps(value, ensure_ascii=False).encode())
    if left < 0:
        raise Refused(f"The database's answer is larger than {ANSWER // 1024} KiB.")
    return value, left


def _words(error: psycopg.Error) -> str:
    """Why, in the database's words where they are about the statement; those about the connection hold addresses."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return "The query took longer than it may."
    if error.diag.message_primary and error.sqlstate and not error.sqlstate.startswith(("08", "28", "57P")):
        return f"The database refused the query: {error.diag.message_primary}"
    if isinstance(error, psycopg.ProgrammingError | psycopg.DataError | psycopg.NotSupportedError):
        return f"The query cannot be run: {error}"
    log.warning("database_query_failed", sqlstate=error.sqlstate, error=type(error).__name__)
    return "The database cannot be reached, or broke off."
