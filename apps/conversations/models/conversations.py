"""A conversation: who holds it, what is due in it, and who took part."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q

from apps.contacts.models import Contact
from apps.conversations.models.accounts import ChannelAccount
from apps.organizations.models import Department, Organization, Queue, TenantModel, TenantQuerySet, User


class ConversationQuerySet(TenantQuerySet["Conversation"]):
    def open(self) -> Self:
        """Conversations that are not closed."""
        return self.filter(closed_at=None)

    def inbox(self) -> Self:
        """With what the inbox shows of each, newest first."""
        return self.select_related("contact", "account", "last_message").order_by("-last_message_at", "-id")


class Conversation(TenantModel):
    """One thread between a contact and a channel account, held by a bot or by people.

    Status: open (a bot's, or nobody's) -> queued (waits for a person) -> active (a person has it) -> resolved or
    closed, which ends it. A bot's again: open. `holder` and `status` change in holding.py alone.

    Work to do is in two pairs of columns: a turn is due at `turn_due_at`, a delivery at `delivery_due_at`, and whoever
    does it holds the lease beside it (a fencing token and an expiry).
    """

    class Holder(models.TextChoices):
        BOT = "bot"
        HUMAN = "human"

    class Status(models.TextChoices):
        OPEN = "open"
        QUEUED = "queued"
        ACTIVE = "active"
        RESOLVED = "resolved"
        CLOSED = "closed"

    class Kind(models.TextChoices):
        DIRECT = "direct"
        COMMENT = "comment"
        GROUP = "group"

    class Priority(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"
        URGENT = "urgent"

    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="conversations")
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="conversations")
    kind = models.CharField(max_length=7, choices=Kind.choices, default=Kind.DIRECT)
    thread = models.CharField(max_length=255, blank=True, help_text="The group's or the post's id; empty for direct.")

    holder = models.CharField(max_length=5, choices=Holder.choices, default=Holder.BOT)
    holder_epoch = models.PositiveIntegerField(default=0, help_text="Rises with every change of holder.")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    priority = models.CharField(max_length=6, choices=Priority.choices, default=Priority.MEDIUM)
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="conversations")
    department = models.ForeignKey(Department, models.SET_NULL, null=True, blank=True, related_name="conversations")
    queue = models.ForeignKey(Queue, models.SET_NULL, null=True, blank=True, related_name="conversations")
    chatbot_id = models.UUIDField(null=True, blank=True, help_text="The chatbot that last spoke; kept after its end.")
    active_chatbot_id = models.UUIDField(null=True, blank=True, help_text="The chatbot whose session is running.")
    agent_id = models.UUIDField(null=True, blank=True, help_text="The AI agent that last spoke.")
    tags = models.JSONField(default=list, blank=True)
    extra_data = models.JSONField(default=dict, blank=True)

    last_seq = models.PositiveIntegerField(default=0, help_text="The `seq` of the newest message.")
    last_inbound_seq = models.PositiveIntegerField(default=0, help_text="The `seq` of the customer's newest message.")
    handled_seq = models.PositiveIntegerField(default=0, help_text="Up to here no turn is owed.")
    inbound_count = models.PositiveIntegerField(default=0, help_text="How many messages the customer has written.")
    read_count = models.PositiveIntegerField(default=0, help_text="How many of those people have read.")
    last_message = models.ForeignKey("Message", models.SET_NULL, null=True, blank=True, related_name="+")

    first_message_at = models.DateTimeField(null=True, blank=True)
    last_message_at = models.DateTimeField(null=True, blank=True)
    last_inbound_at = models.DateTimeField(null=True, blank=True, help_text="Meta's `sent_at`; opens the window.")
    last_outbound_at = models.DateTimeField(null=True, blank=True)
    first_response_at = models.DateTimeField(null=True, blank=True)
    assigned_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    turn_due_at = models.DateTimeField(null=True, blank=True)
    turn_lease = models.UUIDField(null=True, blank=True)
    turn_lease_until = models.DateTimeField(null=True, blank=True)
    turn_failures = models.PositiveSmallIntegerField(
        default=0, help_text="In a row; at five the turn is a dead letter."
    )
    delivery_due_at = models.DateTimeField(null=True, blank=True)
    delivery_lease = models.UUIDField(null=True, blank=True)
    delivery_lease_until = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "contact", "kind", "thread"],
                condition=Q(closed_at=None),
                name="one_open_conversation_per_thread",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["resolved", "closed"], closed_at__isnull=False)
                | Q(status__in=["open", "queued", "active"], closed_at=None),
                name="closed_conversations_say_when",
            ),
            models.CheckConstraint(
                condition=Q(holder="human") | Q(assignee=None, status__in=["open", "resolved", "closed"]),
                name="a_bot_has_no_assignee",
            ),
        ]
        indexes = [
            # the inbox, newest first: one status, and all of them
            models.Index("organization", "status", F("last_message_at").desc(), F("id").desc(), name="inbox_by_status"),
            models.Index("organization", F("last_message_at").desc(), F("id").desc(), name="inbox"),
            # the inbox of one person, and of one chatbot
            models.Index(
                "organization",
                "assignee",
                F("last_message_at").desc(),
                F("id").desc(),
                condition=Q(assignee__isnull=False),
                name="inbox_by_assignee",
            ),
            models.Index(
                "organization",
                "chatbot_id",
                F("last_message_at").desc(),
                F("id").desc(),
                condition=Q(chatbot_id__isnull=False),
                name="inbox_by_chatbot",
            ),
            # turns and deliveries that are due
            models.Index(fields=["turn_due_at"], condition=Q(turn_due_at__isnull=False), name="turns_due"),
            models.Index(fields=["delivery_due_at"], condition=Q(delivery_due_at__isnull=False), name="deliveries_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} conversation {self.id}"

    @property
    def unread_count(self) -> int:
        """How many of the customer's messages no person has read."""
        return max(self.inbound_count - self.read_count, 0)


class ConversationParticipant(models.Model):
    """Someone who took part in a conversation: the contact, a person, a chatbot or an agent."""

    class Kind(models.TextChoices):
        CONTACT = "contact"
        PERSON = "person"
        CHATBOT = "chatbot"
        AGENT = "agent"

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="participants")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    participant_id = models.UUIDField(help_text="The contact's, user's, chatbot's or agent's id.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "kind", "participant_id"], name="one_row_per_participant"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.participant_id}"


class HandoverLog(models.Model):
    """One change of holder; rows are only added."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="handover_logs")
    epoch = models.PositiveIntegerField(help_text="The epoch that this change began.")
    from_holder = models.CharField(max_length=5, choices=Conversation.Holder.choices)
    to_holder = models.CharField(max_length=5, choices=Conversation.Holder.choices)
    by_user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    by = models.CharField(max_length=10, help_text="person, bot, agent, api, echo or system")
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "epoch"], name="one_log_row_per_epoch"),
        ]

    def __str__(self) -> str:
        return f"{self.from_holder} -> {self.to_holder}"


class Wakeup(models.Model):
    """A time at which a conversation wants a turn although nobody wrote: a delay, a time-out, an inactivity."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="wakeups")
    key = models.CharField(max_length=100, help_text="Whose wake-up it is; setting it again moves it.")
    due_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "key"], name="one_wakeup_per_key")]

    def __str__(self) -> str:
        return f"{self.key} at {self.due_at}"
