"""What Meta's webhooks tell about a number: its quality, throughput, name and standing.

Source: Meta, "Webhooks reference", December 2025. Every enumeration is open: a value without an entry here changes
nothing.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Q

from apps.conversations.items import AccountItem
from apps.conversations.models import ChannelAccount
from apps.whatsapp import values
from apps.whatsapp.models import WABA, WhatsAppAccount

HIGH = "HIGH"
HIGH_MESSAGES_PER_SECOND = 1_000
_STANDARD_PACE = WhatsAppAccount._meta.get_field("messages_per_second").default

_Changes = dict[str, Any]

_STANDING = {
    # account_update's event: (status, why)
    "ACCOUNT_DELETED": (WhatsAppAccount.Status.DISCONNECTED, "Meta deleted the WhatsApp Business account."),
    "ACCOUNT_OFFBOARDED": (WhatsAppAccount.Status.DISCONNECTED, "The number was taken off the Cloud API."),
    "ACCOUNT_RECONNECTED": (WhatsAppAccount.Status.CONNECTED, ""),
    "ACCOUNT_RESTRICTION": (WhatsAppAccount.Status.ERROR, "Meta restricts the WhatsApp Business account."),
    "ACCOUNT_VIOLATION": (WhatsAppAccount.Status.ERROR, "Meta reports a violation of its policies."),
    "PARTNER_REMOVED": (WhatsAppAccount.Status.DISCONNECTED, "The account was separated from the Meta application."),
}
_BANS = {
    # ban_info.waba_ban_state of account_update's DISABLED_UPDATE
    "DISABLE": (WhatsAppAccount.Status.ERROR, "Meta disabled the WhatsApp Business account."),
    "SCHEDULE_FOR_DISABLE": (WhatsAppAccount.Status.ERROR, "Meta is about to disable the WhatsApp Business account."),
    "REINSTATE": (WhatsAppAccount.Status.CONNECTED, ""),
}


def learn(account: ChannelAccount, item: AccountItem) -> None:
    """Change the number, or the organization's numbers in the business account, that the news is about."""
    read = _READERS.get(item.topic)
    changes = read(item.value) if read else {}
    if not changes:
        return
    about = Q(pk=account.pk) | Q(addresses__kind=WABA, addresses__external_id=item.address)
    numbers = WhatsAppAccount.objects.for_organization(account.organization).present().filter(about).distinct()
    named = _digits(values.text(item.value.get("display_phone_number")))
    for number in numbers:
        if not named or named == _digits(number.phone_number):
            keep(number, changes)


def keep(account: WhatsAppAccount, changes: dict[str, Any]) -> None:
    """Write what Meta says; a high throughput lifts the pace, unless administrators have set one."""
    if changes.get("throughput_level") == HIGH and account.messages_per_second == _STANDARD_PACE:
        changes = changes | {"messages_per_second": HIGH_MESSAGES_PER_SECOND}
    for name, value in changes.items():
        setattr(account, name, value)
    account.save(update_fields=[*changes, "updated_at"])


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))


def _quality(value: dict[str, Any]) -> _Changes:
    limit = values.text(value.get("current_limit")) or values.text(value.get("max_daily_conversations_per_business"))
    changes: _Changes = {"messaging_limit": limit[:50]} if limit else {}
    match value.get("event"):
        case "FLAGGED":
            changes["quality_rating"] = "FLAGGED"
        case "UNFLAGGED":
            changes["quality_rating"] = "UNKNOWN"
        case "THROUGHPUT_UPGRADE":
            changes["throughput_level"] = HIGH
    return changes


def _capability(value: dict[str, Any]) -> _Changes:
    limit = values.text(value.get("max_daily_conversations_per_business"))
    return {"messaging_limit": limit[:50]} if limit else {}


def _name(value: dict[str, Any]) -> _Changes:
    name = values.text(value.get("requested_verified_name"))
    return {"name": name[:255]} if value.get("decision") == "APPROVED" and name else {}


def _standing(value: dict[str, Any]) -> _Changes:
    event = values.text(value.get("event"))
    if event == "DISABLED_UPDATE":
        state = values.text(values.mapping(value.get("ban_info")).get("waba_ban_state"))
        standing = _BANS.get(state)
    else:
        standing = _STANDING.get(event)
    return {"status": standing[0], "status_reason": standing[1]} if standing else {}


def _review(value: dict[str, Any]) -> _Changes:
    if value.get("decision") != "REJECTED":
        return {}
    return {"status": WhatsAppAccount.Status.ERROR, "status_reason": "Meta rejected the WhatsApp Business account."}


_READERS: dict[str, Callable[[dict[str, Any]], _Changes]] = {
    "account_review_update": _review,
    "account_update": _standing,
    "business_capability_update": _capability,
    "phone_number_name_update": _name,
    "phone_number_quality_update": _quality,
}
