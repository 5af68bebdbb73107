"""What a failed statement means: a fault of what was asked, or of the moment."""

from django.db import Error, InterfaceError, OperationalError

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = (
    "08",  # connection exception
    "25006",  # read-only transaction: a standby that has not taken over yet
    "40",  # rolled back: deadlock, serialization
    "53",  # insufficient resources: disk full, too many connections
    "55",  # not in the right state: lock not available
    "57",  # operator intervention: shutdown, cancelled
    "58",  # system error: I/O
)


def is_passing(error: BaseException) -> bool:
    """Whether the same statements may well succeed later: PostgreSQL was away, full, or broke up a deadlock."""
    if not isinstance(error, Error):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:  # PostgreSQL did not even answer
        return isinstance(error, OperationalError | InterfaceError)
    return state.startswith(_PASSING)
