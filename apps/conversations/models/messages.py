"""A message, in or out, and what hangs on it."""

from django.db import models
from django.db.models import Q

from apps.conversations.models.accounts import ChannelAccount
from apps.conversations.models.conversations import Conversation
from apps.organizations.models import TenantModel, User


class Message(TenantModel):
    """One message of a conversation.

    Inbound: received. Outbound: queued -> sending -> unknown -> sent -> failed -> delivered -> read -> played; a status
    only climbs in that order, and each step keeps its time. Cancelled (a bot's word that was never sent) ends it.
    """

    class Direction(models.TextChoices):
        INBOUND = "inbound"
        OUTBOUND = "outbound"

    class Author(models.TextChoices):
        CONTACT = "contact"
        PERSON = "person"
        BOT = "bot"
        AGENT = "agent"
        SYSTEM = "system"

    class Status(models.TextChoices):
        RECEIVED = "received"
        QUEUED = "queued"
        SENDING = "sending"
        UNKNOWN = "unknown"
        SENT = "sent"
        FAILED = "failed"
        DELIVERED = "delivered"
        READ = "read"
        PLAYED = "played"
        CANCELLED = "cancelled"

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="+")
    seq = models.PositiveIntegerField(help_text="Its place in the conversation, from 1.")
    direction = models.CharField(max_length=8, choices=Direction.choices)
    author = models.CharField(max_length=7, choices=Author.choices)
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    bot_id = models.UUIDField(null=True, blank=True, help_text="The chatbot or agent that wrote it.")
    processed_by_agent = models.BooleanField(default=False, help_text="Whether a flow or an agent has handled it.")

    type = models.CharField(max_length=20, help_text="text, image, template, interactive, ...")
    text = models.TextField(blank=True, help_text="What the inbox shows and search finds.")
    content = models.JSONField(default=dict)
    external_id = models.CharField(max_length=512, blank=True)
    reply_to = models.CharField(max_length=512, blank=True, help_text="The external id of the message it answers.")
    reactions = models.JSONField(default=dict, blank=True, help_text="Who (contact, business) -> emoji.")
    edited_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    status = models.CharField(max_length=9, choices=Status.choices)
    epoch = models.PositiveIntegerField(default=0, help_text="The holder's epoch under which it was queued.")
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="The platform's time, not ours.")
    received_at = models.DateTimeField(null=True, blank=True, help_text="Inbound: when we had it.")
    first_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Retries end some minutes after this.")
    sending_at = models.DateTimeField(null=True, blank=True, help_text="When the last attempt began.")
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    played_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=50, blank=True)
    error_title = models.CharField(max_length=255, blank=True)
    error_details = models.TextField(blank=True)
    correlation_id = models.UUIDField(null=True, blank=True, help_text="Of the webhook that it is or that caused it.")

    client_request_id = models.CharField(max_length=100, blank=True, help_text="The caller's idempotency key.")
    request_digest = models.CharField(max_length=64, blank=True, help_text="What was asked with that key.")

    class Meta:
        constraints = [
            # a redelivered webhook creates one message
            models.UniqueConstraint(
                fields=["account", "external_id"], condition=~Q(external_id=""), name="one_message_per_external_id"
            ),
            # the thread, and its pages
            models.UniqueConstraint(fields=["conversation", "seq"], name="one_message_per_seq"),
            # a repeated request sends once
            models.UniqueConstraint(
                fields=["conversation", "user", "client_request_id"],
                condition=~Q(client_request_id=""),
                name="one_message_per_request",
            ),
        ]
        indexes = [
            # delivery: the head of a conversation's outgoing line
            models.Index(
                fields=["conversation", "seq"],
                condition=Q(status__in=["queued", "sending", "unknown"]),
                name="messages_on_the_way_out",
            ),
            # settlement: what was being sent when its worker died, and what is unknown
            models.Index(
                fields=["sending_at"], condition=Q(status__in=["sending", "unknown"]), name="messages_unsettled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.type} {self.seq}"


class Attachment(models.Model):
    """A file of a message: for now a reference to the platform's copy."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    type = models.CharField(max_length=20)
    external_id = models.CharField(max_length=255, blank=True)
    url = models.URLField(max_length=2000, blank=True)
    mime_type = models.CharField(max_length=255, blank=True)
    filename = models.CharField(max_length=255, blank=True)
    sha256 = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.filename or self.type
