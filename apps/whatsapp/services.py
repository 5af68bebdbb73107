"""Verbs of numbers: connect, change, check and remove them."""

import secrets
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from apps.conversations.models import AccountAddress
from apps.core.errors import Conflict, ThirdPartyError
from apps.meta.graph import GraphError
from apps.organizations.models import Organization
from apps.whatsapp import connection, news
from apps.whatsapp.models import PHONE_NUMBER_ID, WABA, WhatsAppAccount

CHANNEL = "whatsapp"
Status = WhatsAppAccount.Status
_ASKED_ABOUT = frozenset({"phone_number_id", "whatsapp_business_account_id", "access_token", "app_secret"})
_TO_BE_PROVEN = frozenset({"phone_number_id", "app_secret"})
_CONFIRMED = ["status", "status_reason", "connected_at", "verified_at", "updated_at"]


class NumberTaken(Conflict):
    """The phone number or its id is connected already, here or elsewhere; who has it is not told."""

    code = "number_taken"


class CheckFailed(ThirdPartyError):
    """Meta does not confirm the number; its words are in the message."""

    code = "meta_refused"


def create_number(*, organization: Organization, **fields: Any) -> WhatsAppAccount:
    """Connect a number; if Meta does not confirm it, it is made all the same and `status_reason` says what is wrong.

    A verify token is made up where none is given.
    """
    fields["verify_token"] = fields.get("verify_token") or secrets.token_urlsafe(24)
    account = WhatsAppAccount(organization=organization, channel=CHANNEL, **fields)
    _save(account)
    _confirm(account, ask=settings.VERIFY_OWNERSHIP)
    return account


def update_number(*, account: WhatsAppAccount, **fields: Any) -> WhatsAppAccount:
    """Change what is given; about new ids or secrets Meta is asked anew."""
    changed = {name for name, value in fields.items() if getattr(account, name) != value}
    for name in changed:
        setattr(account, name, fields[name])
    if changed & _TO_BE_PROVEN:
        account.verified_at = None
    if changed:
        _save(account)
    if changed & _ASKED_ABOUT:
        _confirm(account, ask=settings.VERIFY_OWNERSHIP)
    return account


def check_number(*, account: WhatsAppAccount) -> WhatsAppAccount:
    """Ask Meta about the number now; CheckFailed, with its words, if it does not confirm it."""
    error = _confirm(account, ask=True)
    if error is not None:
        raise CheckFailed(account.status_reason, details={"code": error.code, "subcode": error.subcode})
    return account


def delete_number(*, account: WhatsAppAccount) -> None:
    """Remove a number, so that it can be connected again, here or elsewhere.

    One that has conversations keeps its row, for their sake: it is switched off, and its addresses and secrets go.
    """
    try:
        with transaction.atomic():
            account.delete()
            return
    except ProtectedError:
        pass
    with transaction.atomic():
        account.addresses.all().delete()
        account.removed_at = timezone.now()
        account.is_active = False
        account.verified_at = None
        account.status = Status.DISCONNECTED
        account.access_token = account.app_secret = account.verify_token = ""
        account.seal()
        account.save()


def _save(account: WhatsAppAccount) -> None:
    """Write the account and its addresses; NumberTaken if another has the number."""
    account.seal()
    ids = {PHONE_NUMBER_ID: account.phone_number_id, WABA: account.whatsapp_business_account_id}
    try:
        with transaction.atomic():
            account.save()
            for kind, external_id in ids.items():
                account.addresses.filter(kind=kind).exclude(external_id=external_id).delete()
            _add_address(account, PHONE_NUMBER_ID, account.phone_number_id)
            if not _must_be_proven(account):
                _add_address(account, WABA, account.whatsapp_business_account_id)
    except IntegrityError as error:
        raise NumberTaken("This number is connected already.") from error


def _add_address(account: WhatsAppAccount, kind: str, external_id: str) -> None:
    """Let webhooks that name this id find the account."""
    if external_id:
        AccountAddress.objects.get_or_create(
            account=account,
            kind=kind,
            external_id=external_id,
            defaults={"organization": account.organization, "channel": CHANNEL},
        )


def _must_be_proven(account: WhatsAppAccount) -> bool:
    """Whether Meta has to say whose the ids are: without a secret of its own, anyone could claim them."""
    return settings.VERIFY_OWNERSHIP and not account.app_secret


def _confirm(account: WhatsAppAccount, *, ask: bool) -> GraphError | None:
    """Write down what Meta says of the number, if it is asked; its refusal is answered, not raised.

    Proof once given stays: a token that has expired since does not make the number another's.
    """
    refusal = _ask(account) if ask else None
    is_complete = bool(account.phone_number_id and account.access_token)
    now = timezone.now()
    if refusal is not None:
        account.status, account.status_reason = Status.ERROR, str(refusal)
    elif is_complete:
        account.connected_at = account.connected_at if account.status == Status.CONNECTED else now
        account.status, account.status_reason = Status.CONNECTED, ""
    else:
        account.status, account.status_reason = Status.DISCONNECTED, connection.INCOMPLETE
    if not _must_be_proven(account) or (ask and refusal is None):
        account.verified_at = account.verified_at or now
    account.save(update_fields=_CONFIRMED)
    return refusal


def _ask(account: WhatsAppAccount) -> GraphError | None:
    """Look at the number with its own token and keep what is to be seen; or answer Meta's refusal."""
    try:
        seen = connection.look(account)
    except GraphError as error:
        return error
    news.keep(account, {"quality_rating": seen.quality_rating, "throughput_level": seen.throughput_level})
    if seen.owns_waba:
        _add_address(account, WABA, account.whatsapp_business_account_id)
    elif _must_be_proven(account):
        account.addresses.filter(kind=WABA).delete()
    return None
