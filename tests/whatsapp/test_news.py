from collections.abc import Callable
from typing import Any

import pytest

from apps.conversations.items import AccountItem
from apps.organizations.models import Organization
from apps.whatsapp import services
from apps.whatsapp.channel import WhatsApp
from apps.whatsapp.models import WhatsAppAccount
from tests.support.meta import SandboxServer

Learn = Callable[[str, dict[str, Any]], WhatsAppAccount]

WATCHED = (
    "name",
    "quality_rating",
    "throughput_level",
    "messages_per_second",
    "messaging_limit",
    "status",
    "status_reason",
)


@pytest.fixture
def learn(channel: WhatsApp, number: WhatsAppAccount) -> Learn:
    """Tell the number's business account something; the number as it is then."""

    def tell(topic: str, value: dict[str, Any]) -> WhatsAppAccount:
        channel.learn(number, AccountItem(SandboxServer.waba_id, topic, value))
        number.refresh_from_db()
        return number

    return tell


@pytest.mark.parametrize(
    ("topic", "value", "changes"),
    [
        (
            "phone_number_quality_update",
            {"display_phone_number": "5511900000001", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"},
            {"throughput_level": "HIGH", "messages_per_second": 1000, "messaging_limit": "TIER_UNLIMITED"},
        ),
        ("phone_number_quality_update", {"event": "FLAGGED"}, {"quality_rating": "FLAGGED"}),
        ("phone_number_quality_update", {"event": "UNFLAGGED"}, {"quality_rating": "UNKNOWN"}),
        ("business_capability_update", {"max_daily_conversations_per_business": 2000}, {"messaging_limit": "2000"}),
        (
            "phone_number_name_update",
            {"decision": "APPROVED", "requested_verified_name": "Padaria da Bia"},
            {"name": "Padaria da Bia"},
        ),
        ("phone_number_name_update", {"decision": "REJECTED", "requested_verified_name": "X"}, {}),
        (
            "account_update",
            {"event": "ACCOUNT_DELETED"},
            {"status": "disconnected", "status_reason": "Meta deleted the WhatsApp Business account."},
        ),
        (
            "account_update",
            {"event": "PARTNER_REMOVED"},
            {"status": "disconnected", "status_reason": "The account was separated from the Meta application."},
        ),
        (
            "account_update",
            {"event": "ACCOUNT_RESTRICTION"},
            {"status": "error", "status_reason": "Meta restricts the WhatsApp Business account."},
        ),
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
            {"status": "error", "status_reason": "Meta disabled the WhatsApp Business account."},
        ),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": "soon"}, {}),
        ("account_update", {"event": "AD_ACCOUNT_LINKED"}, {}),
        (
            "account_review_update",
            {"decision": "REJECTED"},
            {"status": "error", "status_reason": "Meta rejected the WhatsApp Business account."},
        ),
        ("account_review_update", {"decision": "APPROVED"}, {}),
        ("security", {"event": "PIN_CHANGED"}, {}),
    ],
)
def test_news_change_the_number(
    learn: Learn, number: WhatsAppAccount, topic: str, value: dict[str, Any], changes: dict[str, Any]
) -> None:
    before = {name: getattr(number, name) for name in WATCHED}
    after = learn(topic, value)

    assert {name: getattr(after, name) for name in WATCHED} == before | changes


def test_pace_that_administrators_set_is_not_lifted(learn: Learn, number: WhatsAppAccount) -> None:
    WhatsAppAccount.objects.update(messages_per_second=300)
    after = learn("phone_number_quality_update", {"event": "THROUGHPUT_UPGRADE"})

    assert (after.throughput_level, after.messages_per_second) == ("HIGH", 300)


def connect(organization: Organization, last: int) -> WhatsAppAccount:
    """Another number of the same business account."""
    return services.create_number(
        organization=organization,
        phone_number=f"+551190000000{last}",
        phone_number_id=f"10000000000000{last}",
        whatsapp_business_account_id=SandboxServer.waba_id,
        access_token="EAAG-token",
    )


def test_news_of_a_business_account_concern_all_numbers_of_the_organization_in_it(
    learn: Learn, organization: Organization, other_organization: Organization
) -> None:
    sister, stranger = connect(organization, 2), connect(other_organization, 3)
    number = learn("account_update", {"event": "ACCOUNT_DELETED"})
    sister.refresh_from_db()
    stranger.refresh_from_db()

    assert (number.status, sister.status, stranger.status) == ("disconnected", "disconnected", "connected")


def test_news_that_name_a_number_concern_it_alone(learn: Learn, organization: Organization) -> None:
    sister = connect(organization, 2)
    number = learn("phone_number_quality_update", {"display_phone_number": "+55 11 90000-0002", "event": "FLAGGED"})
    sister.refresh_from_db()

    assert (number.quality_rating, sister.quality_rating) == ("", "FLAGGED")


def test_removed_number_learns_nothing(learn: Learn, number: WhatsAppAccount) -> None:
    WhatsAppAccount.objects.update(removed_at=number.created_at)

    assert learn("account_update", {"event": "ACCOUNT_DELETED"}).status == "connected"
