"""Faults that no code of ours foresees: PostgreSQL itself refuses messages with a certain text."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def poison(word: str) -> Iterator[None]:
    """While this lasts, a message whose text is the word cannot be inserted."""
    _execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF NEW.text = '{word}' THEN RAISE EXCEPTION '{word}'; END IF; RETURN NEW; END $$"
    )
    _execute("CREATE TRIGGER poison BEFORE INSERT ON conversations_message FOR EACH ROW EXECUTE FUNCTION poison()")
    try:
        yield
    finally:
        _execute("DROP FUNCTION poison() CASCADE")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
