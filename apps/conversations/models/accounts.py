"""A company's presence on a channel, and the addresses by which webhooks name it."""

from django.db import models

from apps.core import encryption
from apps.core.encryption import EncryptedTextField
from apps.organizations.models import Organization, TenantModel


class ChannelAccount(TenantModel):
    """A WhatsApp number, an Instagram account or a Page; each channel's own model extends it one to one."""

    channel = models.CharField(max_length=20, help_text="The key of the channel in the registry.")
    name = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)
    auto_response_enabled = models.BooleanField(default=True, help_text="Off: neither flow nor agent answers.")
    access_token = EncryptedTextField(blank=True)
    app_secret = EncryptedTextField(blank=True, help_text="Of the account's own Meta application, if it has one.")
    app_secret_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    verify_token = EncryptedTextField(blank=True)
    verify_token_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    messages_per_second = models.PositiveIntegerField(default=80, help_text="What the platform lets this account send.")
    paused_until = models.DateTimeField(null=True, blank=True, help_text="Nothing is sent before this.")
    pause_reason = models.TextField(blank=True)
    last_status_at = models.DateTimeField(
        null=True, blank=True, help_text="When a status last came: the evidence that settles unknown outcomes."
    )
    verified_at = models.DateTimeField(
        null=True, blank=True, help_text="When its token was seen to own its ids; until then it receives nothing."
    )

    class Meta:
        indexes = [
            # GET verification looks for the account that knows a token
            models.Index(
                fields=["verify_token_fingerprint"],
                condition=~models.Q(verify_token_fingerprint=""),
                name="accounts_by_verify_token",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.channel} {self.id}"

    def seal(self) -> None:
        """Bring the fingerprints in step with the secrets; to be called before every save of those."""
        self.app_secret_fingerprint = encryption.fingerprint(self.app_secret) if self.app_secret else ""
        self.verify_token_fingerprint = encryption.fingerprint(self.verify_token) if self.verify_token else ""


class AccountAddress(models.Model):
    """An id by which a platform's webhooks name an account."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="addresses")
    channel = models.CharField(max_length=20)
    kind = models.CharField(max_length=20, help_text="phone_number_id, waba, page, instagram, ...")
    external_id = models.CharField(max_length=100)

    class Meta:
        constraints = [
            # A number or a Page has one owner; a WABA is shared by its numbers.
            models.UniqueConstraint(
                fields=["channel", "kind", "external_id"],
                condition=~models.Q(kind="waba"),
                name="one_account_per_address",
            ),
            models.UniqueConstraint(fields=["account", "kind", "external_id"], name="one_address_per_account"),
        ]
        indexes = [
            # the intake and the drain: which accounts does this body name?
            models.Index(fields=["channel", "external_id"], name="addresses_by_external_id"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.kind} {self.external_id}"
