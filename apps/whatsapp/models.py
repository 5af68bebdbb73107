"""A WhatsApp number of the Cloud API."""

from typing import Any, ClassVar, Self

from django.db import models

from apps.conversations.models import ChannelAccount
from apps.organizations.models import TenantQuerySet

# the kinds of address by which webhooks name a number
PHONE_NUMBER_ID = "phone_number_id"
WABA = "waba"


class WhatsAppAccountQuerySet(TenantQuerySet["WhatsAppAccount"]):
    def present(self) -> Self:
        """The numbers that have not been removed."""
        return self.filter(removed_at=None)


class WhatsAppAccount(ChannelAccount):
    """A number; its display name is the account's `name`.

    Status: disconnected (nothing is known, or Meta took the number away) -> connected (its token reads it) -> error
    (Meta refused it; `status_reason` says why) -> connected. Removed numbers keep their conversations and nothing else.
    """

    class ConnectionType(models.TextChoices):
        OFFICIAL = "official", "WhatsApp Cloud API"

    class Status(models.TextChoices):
        CONNECTED = "connected"
        DISCONNECTED = "disconnected"
        ERROR = "error"

    phone_number = models.CharField(max_length=20, help_text="E.164, with its plus sign.")
    phone_number_id = models.CharField(max_length=100, blank=True, help_text="Meta's id of the number.")
    whatsapp_business_account_id = models.CharField(max_length=100, blank=True)
    connection_type = models.CharField(
        max_length=8, choices=ConnectionType.choices, default=ConnectionType.OFFICIAL, editable=False
    )
    quality_rating = models.CharField(max_length=20, blank=True, help_text="GREEN, YELLOW, RED, FLAGGED or UNKNOWN.")
    throughput_level = models.CharField(max_length=20, blank=True, help_text="STANDARD, HIGH or NOT_APPLICABLE.")
    messaging_limit = models.CharField(max_length=50, blank=True, help_text="How many people may be written to first.")
    away_message = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DISCONNECTED)
    status_reason = models.TextField(blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = WhatsAppAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["phone_number"], condition=models.Q(removed_at=None), name="one_account_per_phone_number"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.phone_number
