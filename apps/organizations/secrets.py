"""The organization's secrets: kept encrypted, named by flows, sent to one host, never shown."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Protocol

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import addresses
from apps.core.errors import Conflict, DomainError
from apps.core.registry import Registry
from apps.organizations.models import Organization, Secret, User

NAME = r"[A-Za-z][A-Za-z0-9_]{0,63}"
MAX_VALUE = 8_000
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?")


class InvalidHost(DomainError):
    """A secret belongs to one host."""

    code = "invalid_host"


class SecretExists(Conflict):
    """Two secrets of an organization have two names."""

    code = "secret_exists"


class SecretInUse(Conflict):
    """Something names the secret; `details` says where."""

    code = "secret_in_use"


class ValueRequired(DomainError):
    """A value was given for one host: another host gets a value of its own."""

    code = "value_required"


@dataclass(frozen=True)
class Use:
    """Where a secret is named."""

    kind: str
    id: str
    name: str
    detail: str = ""


class SecretUser(Protocol):
    """An app whose rows may name secrets."""

    key: str

    def uses(self, secret: Secret) -> Iterable[Use]:
        """Where they do."""


users: Registry[SecretUser] = Registry("users of secrets")
"""Who names secrets, filled by the apps above."""


def find(*, organization_id: uuid.UUID, reference: str) -> Secret | None:
    """A secret by its name in any case, else by its id; None if the organization has none such."""
    mine = Secret.objects.filter(organization_id=organization_id)
    named: Secret | None = mine.filter(name__iexact=reference).first() if re.fullmatch(NAME, reference) else None
    if named:
        return named
    try:
        found: Secret | None = mine.filter(pk=uuid.UUID(reference)).first()
    except ValueError:
        return None
    return found


def uses(secret: Secret) -> list[Use]:
    """Everywhere that it is named."""
    return [use for key in users.keys() for use in users.get(key).uses(secret)]  # noqa: SIM118 (no mapping)


@transaction.atomic
def create(*, organization: Organization, name: str, host: str, value: str, by: User, description: str = "") -> Secret:
    """Keep a secret for a host; a URL stands for its host."""
    secret = Secret(
        organization=organization, name=name, host=read_host(host), value=value, description=description, created_by=by
    )
    return _save(secret)


@transaction.atomic
def update(
    *,
    secret: Secret,
    name: str | None = None,
    host: str | None = None,
    value: str | None = None,
    description: str | None = None,
) -> Secret:
    """Change what is given; ValueRequired for another host without another value, SecretInUse for another name while
    something knows the secret by the one it has."""
    secret = Secret.objects.select_for_update().get(pk=secret.pk)
    if name is not None and name.casefold() != secret.name.casefold():
        _require_unused(secret)
    if host is not None and read_host(host) != secret.host:
        if not value:
            raise ValueRequired("The value was given for another host: send the new host's value along.")
        secret.host = read_host(host)
    if value:
        secret.value, secret.rotated_at = value, timezone.now()
    secret.name = secret.name if name is None else name
    secret.description = secret.description if description is None else description
    return _save(secret)


@transaction.atomic
def delete(*, secret: Secret, by_force: bool = False) -> None:
    """Forget a secret; SecretInUse while something names it, unless by force."""
    if not by_force:
        _require_unused(secret)
    secret.delete()


def read_host(host: str) -> str:
    """The host that is meant, `name` or `name:port`, in lower case; InvalidHost if it is none."""
    written = host.strip().lower()
    if "://" in written:
        origin, _ = addresses.parse(written)
        return str(origin)
    if not _HOST.fullmatch(written) or len(written) > 255:
        raise InvalidHost(f"{host[:80]!r} is not one host, such as api.example.com or api.example.com:8443.")
    return written


def _require_unused(secret: Secret) -> None:
    found = uses(secret)
    if found:
        words = f"The secret {secret.name!r} is named by {found[0].name!r}"
        words = f"{words} and {len(found) - 1} others." if found[1:] else f"{words}."
        raise SecretInUse(words, details=[asdict(use) for use in found])


def _save(secret: Secret) -> Secret:
    try:
        with transaction.atomic():
            secret.save()
    except IntegrityError:
        raise SecretExists(f"There is a secret named {secret.name!r} already.") from None
    return secret
