"""Whose is it? Accounts by the addresses that webhooks name, and the secrets that each of them accepts."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from apps.conversations.channels import channels
from apps.conversations.items import AccountItem
from apps.conversations.models import AccountAddress, ChannelAccount
from apps.core import encryption


@dataclass(frozen=True)
class Named:
    """An account as a webhook names it, with what the line needs to know of it."""

    id: uuid.UUID
    organization_id: uuid.UUID
    channel: str
    is_active: bool
    auto_response_enabled: bool
    secret_fingerprint: str
    is_verified: bool

    def accepts(self, signed_by: str) -> bool:
        """Whether a body signed with the secret of this fingerprint may speak for the account.

        That is its own secret if it has one, else the application's, and then only once its ownership is verified.
        """
        if self.secret_fingerprint:
            return signed_by == self.secret_fingerprint
        return self.is_verified and signed_by in application_fingerprints(self.channel)


def application_fingerprints(channel: str) -> list[str]:
    """The fingerprints of the application's own secrets for a channel."""
    return [encryption.fingerprint(secret) for secret in channels.get(channel).application_secrets()]


def named(addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Named]]:
    """The accounts that have these (channel, external id) addresses; one query. A WABA may belong to several."""
    wanted = set(addresses)
    rows = AccountAddress.objects.filter(
        channel__in={channel for channel, _ in wanted}, external_id__in={external_id for _, external_id in wanted}
    ).values_list(
        "channel",
        "external_id",
        "account_id",
        "organization_id",
        "account__is_active",
        "account__auto_response_enabled",
        "account__app_secret_fingerprint",
        "account__verified_at",
    )
    found: dict[tuple[str, str], list[Named]] = {}
    for channel, external_id, account, organization, is_active, answers, fingerprint, verified_at in rows:
        found.setdefault((channel, external_id), []).append(
            Named(account, organization, channel, is_active, answers, fingerprint, verified_at is not None)
        )
    return found


def secrets(channel: str, addresses: list[str]) -> dict[str, list[str]]:
    """The accounts' own application secrets, by the addresses that name them."""
    found: dict[str, list[str]] = {}
    rows = AccountAddress.objects.filter(channel=channel, external_id__in=addresses).select_related("account")
    for row in rows.exclude(account__app_secret_fingerprint=""):
        found.setdefault(row.external_id, []).append(row.account.app_secret)
    connection.close_if_unusable_or_obsolete()
    return found


def heard_statuses(ids: set[uuid.UUID], now: datetime) -> None:
    """Note that statuses arrive for these accounts: the evidence by which unknown outcomes are judged."""
    if ids:
        ChannelAccount.objects.filter(pk__in=ids).update(last_status_at=now)


def learn(channel: str, account: Named, item: AccountItem) -> None:
    """Bring an account up to date with news about it."""
    implementation = channels.get(channel)
    [found] = implementation.accounts([account.id]).values()
    implementation.learn(found, item)
