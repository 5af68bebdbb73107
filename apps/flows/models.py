"""Chatbots, their flows and their versions, and the sessions in which customers go through them."""

import uuid
from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.conversations.models import ChannelAccount, Conversation
from apps.core import encryption
from apps.organizations.models import Organization, TenantModel, TenantQuerySet, User


def empty_canvas() -> dict[str, Any]:
    """What a builder opens with; it compiles to a flow that says nothing."""
    return {"nodes": [], "edges": []}


class ChatbotQuerySet(TenantQuerySet["Chatbot"]):
    def present(self) -> Self:
        """Chatbots that are not deleted."""
        return self.filter(deleted_at=None)


class Chatbot(TenantModel):
    """A set of flows that answers on numbers; only while it is active."""

    class AfterEnd(models.TextChoices):
        RESTART = "restart"  # the next message begins the main flow again
        AGENT = "agent"  # the next message is for whoever comes after flows: an agent, or people

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    avatar_url = models.URLField(max_length=1000, blank=True)
    is_active = models.BooleanField(default=False)
    global_variables = models.JSONField(default=dict, blank=True, help_text="Known to every flow of it.")
    settings = models.JSONField(default=dict, blank=True)
    publish_on_save = models.BooleanField(default=True, help_text="A flow that can run is published when it is saved.")
    is_fallback = models.BooleanField(default=False, help_text="Answers on accounts that have no chatbot of their own.")
    after_end = models.CharField(max_length=7, choices=AfterEnd.choices, default=AfterEnd.RESTART)
    keywords = models.JSONField(
        default=list, blank=True, help_text="What counts in any state of a conversation: [{words, action, ...}]."
    )
    ab_test_enabled = models.BooleanField(default=False)
    ab_test_flows = models.JSONField(default=list, blank=True, help_text="[{flow_id, weight, variant_name}]")
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ChatbotQuerySet.as_manager()

    class Meta:
        constraints = [
            # also finds it when a turn begins
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(is_fallback=True, deleted_at=None),
                name="one_fallback_chatbot_per_organization",
            ),
        ]
        indexes = [
            # the list of an organization, newest first
            models.Index(
                "organization",
                models.F("created_at").desc(),
                models.F("id").desc(),
                condition=Q(deleted_at=None),
                name="chatbots_newest",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ChatbotAccount(models.Model):
    """The chatbot that answers on an account."""

    account = models.OneToOneField(ChannelAccount, models.CASCADE, primary_key=True, related_name="+")
    chatbot = models.ForeignKey(Chatbot, models.CASCADE, related_name="accounts")

    def __str__(self) -> str:
        return f"{self.chatbot} on {self.account}"


class FlowQuerySet(TenantQuerySet["Flow"]):
    def present(self) -> Self:
        """Flows that are not deleted."""
        return self.filter(deleted_at=None)

    def answering(self) -> Self:
        """Flows that may speak: published, they and their chatbots are there and active."""
        return self.present().filter(
            version__isnull=False, is_active=True, chatbot__is_active=True, chatbot__deleted_at=None
        )


class Flow(TenantModel):
    """A drawn conversation. The canvas is the draft, as the builder drew it, verbatim; customers meet `version`."""

    chatbot = models.ForeignKey(Chatbot, models.CASCADE, related_name="flows")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    is_main = models.BooleanField(default=False, help_text="A customer's first message starts it.")
    is_fallback = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    canvas_data = models.JSONField(default=empty_canvas)
    variables = models.JSONField(default=dict, blank=True, help_text="What its variables are before they are set.")
    settings = models.JSONField(default=dict, blank=True)
    triggers = models.JSONField(default=list, blank=True, help_text="What starts it besides being the main flow.")
    inactivity_settings = models.JSONField(null=True, blank=True, help_text="What is done about a silent customer.")
    window_expiry_settings = models.JSONField(null=True, blank=True, help_text="What is done as the window closes.")
    version = models.ForeignKey(
        "FlowVersion", models.RESTRICT, null=True, blank=True, related_name="+", help_text="The published one."
    )
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = FlowQuerySet.as_manager()

    class Meta:
        constraints = [
            # also finds a chatbot's main flow when a turn begins
            models.UniqueConstraint(
                fields=["chatbot"], condition=Q(is_main=True, deleted_at=None), name="one_main_flow_per_chatbot"
            ),
            models.UniqueConstraint(
                fields=["chatbot"], condition=Q(is_fallback=True, deleted_at=None), name="one_fallback_flow_per_chatbot"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FlowVersion(TenantModel):
    """A flow as it was published: never changed afterwards, for customers stay on the version they began."""

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    canvas_data = models.JSONField()
    variables = models.JSONField(default=dict)
    published_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            # also lists the versions of a flow, newest first
            models.UniqueConstraint(fields=["flow", "number"], name="one_version_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.flow}, version {self.number}"


class FlowSessionQuerySet(TenantQuerySet["FlowSession"]):
    def live(self) -> Self:
        """Sessions that wait for the customer."""
        return self.filter(ended_at=None)


class FlowSession(TenantModel):
    """One passage of a customer through a flow: live until `ended_at`; with a problem, it broke off there."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="flow_sessions")
    flow = models.ForeignKey(Flow, models.CASCADE, related_name="sessions")
    version = models.ForeignKey(FlowVersion, models.CASCADE, related_name="+", help_text="The one that it began on.")
    versions = models.JSONField(default=dict, help_text="The versions of the flows into which it jumped, by flow.")
    variant = models.CharField(max_length=100, blank=True, help_text="The side of an A/B test that it is on.")
    started_by = models.CharField(max_length=100, blank=True, help_text="The trigger; empty: a plain message.")
    state = models.JSONField(default=dict, help_text="The engine's state: node, variables, attempts.")
    problem = models.CharField(max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = FlowSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            # two quick messages never start a flow twice; also finds the session when a turn begins
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(ended_at=None), name="one_live_session_per_conversation"
            ),
        ]
        indexes = [
            # the sessions of a flow, newest first
            models.Index("flow", models.F("created_at").desc(), models.F("id").desc(), name="flow_sessions_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.flow} with {self.conversation_id}"


class DatabaseConnection(TenantModel):
    """A database that the organization's flows may read, registered by a super_admin; `url` holds its password."""

    class Kind(models.TextChoices):
        POSTGRESQL = "postgresql", "PostgreSQL"

    name = models.CharField(max_length=100, help_text="What flows call it.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.POSTGRESQL)
    url = encryption.EncryptedTextField(
        help_text="postgresql://user:password@host:port/database, of a user that may only read what flows may know."
    )
    is_active = models.BooleanField(default=True)
    max_rows = models.PositiveSmallIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(1000)], help_text="Rows of one answer."
    )
    timeout = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(30)], help_text="Seconds for one query."
    )

    class Meta:
        constraints = [
            # also finds it by its name
            models.UniqueConstraint(fields=["organization", "name"], name="one_database_connection_per_name"),
        ]

    def __str__(self) -> str:
        return self.name


class FlowVisit(models.Model):
    """A node that a session has left: by which exit (empty: the flow ended or broke there), and after how long.

    The table is in parts, one a month of `entered_at`: its key in the database is (id, entered_at). See `visits`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # no constraints: to check four references of every row costs a turn more than the row, and rows die by the month
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    session = models.ForeignKey(FlowSession, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    flow = models.ForeignKey(
        Flow,
        models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="The one to which the node belongs: not the session's own after a jump.",
    )
    version = models.ForeignKey(FlowVersion, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    node = models.CharField(max_length=255)
    exit = models.CharField(max_length=255, blank=True)
    entered_at = models.DateTimeField()
    place = models.PositiveIntegerField(help_text="Which one it was of those that the turn left.")
    seconds = models.FloatField(help_text="How long the session was there.")
    error = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = TenantQuerySet.as_manager()

    class Meta:
        indexes = [
            # the numbers of a flow
            models.Index(fields=["flow", "entered_at"], name="flow_visits_of_flow"),
            # the path of a session
            models.Index(fields=["session", "entered_at"], name="flow_visits_of_session"),
        ]

    def __str__(self) -> str:
        return f"{self.node} by {self.session_id}"
