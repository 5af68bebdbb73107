"""Many rows in one statement, for the hot paths."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.db import connection, models


def update(model: type[models.Model], rows: Iterable[Any], fields: Sequence[str]) -> None:
    """Write the named fields of many instances in one UPDATE; the rows should be locked in order of their ids.

    Django's bulk_update says the same with a CASE per row and field, which PostgreSQL plans ten times slower.
    """
    rows = list(rows)
    if not rows:
        return
    columns = [cast("models.Field[Any, Any]", model._meta.get_field(field)) for field in fields]
    key = model._meta.pk
    assert key is not None
    quote = connection.ops.quote_name
    names = [quote(str(column.column)) for column in columns]
    arrays = ", ".join(f"%s::{column.db_type(connection)}[]" for column in (key, *columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} AS target SET "
            + ", ".join(f"{name} = fresh.{name}" for name in names)
            + f" FROM unnest({arrays}) AS fresh({', '.join(['key', *names])})"
            + f" WHERE target.{quote(str(key.column))} = fresh.key",
            [[_value(column, row) for row in rows] for column in (key, *columns)],
        )


def _value(column: "models.Field[Any, Any]", row: models.Model) -> Any:
    return column.get_db_prep_save(getattr(row, column.attname), connection)
