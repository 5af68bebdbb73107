"""Chatbots, their flows, and the sessions in which customers go through them."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.conversations.models import ChannelAccount, Conversation
from apps.organizations.models import TenantModel, TenantQuerySet


def empty_canvas() -> dict[str, Any]:
    """What a builder opens with; it compiles to a flow that says nothing."""
    return {"nodes": [], "edges": []}


class ChatbotQuerySet(TenantQuerySet["Chatbot"]):
    def present(self) -> Self:
        """Chatbots that are not deleted."""
        return self.filter(deleted_at=None)


class Chatbot(TenantModel):
    """A set of flows that answers on numbers; only while it is active."""

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    avatar_url = models.URLField(max_length=1000, blank=True)
    is_active = models.BooleanField(default=False)
    global_variables = models.JSONField(default=dict, blank=True, help_text="Known to every flow of it.")
    settings = models.JSONField(default=dict, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ChatbotQuerySet.as_manager()

    class Meta:
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
        """Flows that may speak: they and their chatbots are there and active."""
        return self.present().filter(is_active=True, chatbot__is_active=True, chatbot__deleted_at=None)


class Flow(TenantModel):
    """A drawn conversation. The canvas is what the builder drew, verbatim; graph.py makes a graph of it."""

    chatbot = models.ForeignKey(Chatbot, models.CASCADE, related_name="flows")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    is_main = models.BooleanField(default=False, help_text="A customer's first message starts it.")
    is_fallback = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    canvas_data = models.JSONField(default=empty_canvas)
    variables = models.JSONField(default=dict, blank=True, help_text="What its variables are before they are set.")
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


class FlowSessionQuerySet(TenantQuerySet["FlowSession"]):
    def live(self) -> Self:
        """Sessions that wait for the customer."""
        return self.filter(ended_at=None)


class FlowSession(TenantModel):
    """One passage of a customer through a flow: live until `ended_at`; with a problem, it broke off there."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="flow_sessions")
    flow = models.ForeignKey(Flow, models.CASCADE, related_name="sessions")
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

    def __str__(self) -> str:
        return f"{self.flow} with {self.conversation_id}"
