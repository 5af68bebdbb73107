"""The event outbox: what happened, in the order in which each organization hears of it."""

from django.db import models


class OutboxEvent(models.Model):
    """One change that clients hear of, written in the transaction of the change.

    `seq` is null until the publisher numbers the committed row: then it rises by one per organization, with no gap.
    """

    id = models.BigAutoField(primary_key=True)
    organization_id = models.UUIDField()
    seq = models.BigIntegerField(null=True)
    type = models.CharField(max_length=40)
    subject_id = models.UUIDField(help_text="The message, conversation or other object that the event is about.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # replay since N, and the guard against two publishers giving one number
            models.UniqueConstraint(fields=["organization_id", "seq"], name="outbox_seq_per_organization"),
        ]
        indexes = [
            # the publisher: what has no number yet
            models.Index(fields=["id"], condition=models.Q(seq=None), name="outbox_unnumbered"),
            # the hourly prune
            models.Index(fields=["created_at"], name="outbox_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id}"


class OutboxCounter(models.Model):
    """The last `seq` given in an organization."""

    organization_id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.seq}"
