"""Which failures of PostgreSQL pass, and which belong to what was asked."""

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core import databases


def raised(statement: str) -> DatabaseError:
    """The error of a statement."""
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return error.value


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("40P01", True),  # deadlock
        ("53100", True),  # disk full
        ("55P03", True),  # lock not available
        ("57P01", True),  # shutdown
        ("22P02", False),  # wrong text for a type
        ("23505", False),  # not unique
        ("54000", False),  # too much of something, such as an index row too long
    ],
)
def test_failures_of_the_moment_are_told_from_faults_of_what_was_asked(state: str, expected: bool) -> None:
    error = raised(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
    assert databases.is_passing(error) is expected


@pytest.mark.django_db(transaction=True)
def test_lost_connection_passes() -> None:
    error = raised("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    assert databases.is_passing(error) is True


def test_other_errors_do_not_pass() -> None:
    assert databases.is_passing(ValueError("no")) is False
