"""What a node wants of the world before it can go on. Plain data: `calling` performs it, the engine never does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Request:
    """An HTTP request to somebody's API.

    In place of a secret stands a mark that nobody can guess; `secrets` says which secret belongs there, by its name
    or its id. A secret goes to the host that it was saved for, and nowhere else.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    auth: Literal["none", "bearer", "api_key", "basic"] = "none"
    """How `credential` is sent: as a bearer token, as X-API-Key, or as `user:password`."""
    credential: str = ""
    """The mark of the secret that `auth` sends."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 30.0
    """Seconds for one attempt, everything included."""
    retries: int = 0
    retry_delay: float = 2.0
    """Seconds."""
    idempotency_key: str = ""
    """The same whenever this very request is tried again, so that its API may notice."""


@dataclass(frozen=True)
class Script:
    """JavaScript to run, with the variables as its globals."""

    code: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 5.0
    """Seconds."""


@dataclass(frozen=True)
class Query:
    """One statement for a database that an administrator has registered."""

    connection: str
    """Its name or its id."""
    statement: str
    parameters: Mapping[str, Any] | tuple[Any, ...] = ()
    """Bound, never pasted."""
    format: Literal["list", "first", "count", "scalar"] = "list"
    timeout: float = 30.0
    """Seconds."""


@dataclass(frozen=True)
class Email:
    """A letter by the organization's mail server."""

    to: tuple[str, ...]
    subject: str
    text: str


Call = Request | Script | Query | Email


@dataclass(frozen=True)
class Result:
    """What came of a call. `value` is JSON: an API's answer, a script's value, a query's rows."""

    ok: bool
    value: Any = None
    status: int | None = None
    """The HTTP status, if there was one."""
    assigned: Mapping[str, Any] = field(default_factory=dict)
    """What a script assigned to its variables, and the keys of an object that it returned."""
    error: str = ""
    """Why it failed, in words for the flow's author; never a secret, never an inner address."""
