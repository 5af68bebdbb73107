"""What platforms told us: the raw events, and the items in them that could not simply be done."""

import uuid

from django.db import models

from apps.conversations.models.accounts import ChannelAccount
from apps.organizations.models import Organization


class WebhookEvent(models.Model):
    """One webhook as it was received: durable before it was acknowledged. Its row is the work to do.

    State: pending -> done. An event stays pending until every item in it is done, dead, ignored, unclaimed or parked;
    the body is dropped 30 days later.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"

    id = models.BigAutoField(primary_key=True)
    channel = models.CharField(max_length=20)
    body = models.BinaryField(null=True, help_text="The exact bytes that were signed.")
    signed_by = models.CharField(max_length=64, help_text="Fingerprint of the secret that matched.")
    correlation_id = models.UUIDField(default=uuid.uuid4)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.PENDING)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # the drain, in order of arrival; also the age of the oldest
            models.Index(fields=["id"], condition=models.Q(state="pending"), name="events_pending"),
            # the hourly prune of old bodies
            models.Index(fields=["done_at"], condition=models.Q(body__isnull=False), name="events_with_body_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} event {self.id}"


class WebhookItem(models.Model):
    """An item of an event that was not simply done.

    dead: a fault of ours, with its traceback; replayed, the row goes or dies again.
    ignored: nothing can be done with it, and `reason` says why.
    unclaimed: no account of ours accepts the secret it was signed with; never handed to a tenant by itself.
    parked: it came before the message that it names; joined when that arrives, dropped after 8 days.
    """

    class State(models.TextChoices):
        DEAD = "dead"
        IGNORED = "ignored"
        UNCLAIMED = "unclaimed"
        PARKED = "parked"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(WebhookEvent, models.CASCADE, null=True, related_name="items")
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="+")
    account = models.ForeignKey(ChannelAccount, models.CASCADE, null=True, related_name="+")
    channel = models.CharField(max_length=20)
    kind = models.CharField(
        max_length=20, help_text="message, status, reaction, edit, revoke, echo, account, turn, ..."
    )
    state = models.CharField(max_length=9, choices=State.choices)
    reason = models.CharField(max_length=255, blank=True)
    payload = models.JSONField(help_text="The item as a webhook of its own: enough to parse it again.")
    traceback = models.TextField(blank=True)
    target = models.CharField(max_length=512, blank=True, help_text="Parked: the external id of the awaited message.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # parked items of a message that has just arrived
            models.Index(fields=["account", "target"], condition=models.Q(state="parked"), name="items_parked"),
            # the list in the API and the admin, newest first
            models.Index("organization", "state", models.F("created_at").desc(), name="items_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.kind}"
