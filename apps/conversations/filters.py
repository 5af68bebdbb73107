"""What the inbox and its neighbours can be narrowed to."""

import django_filters
from django.db.models import F, Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.contacts import filters as contact_filters
from apps.contacts.models import Contact
from apps.conversations.models import Conversation, Message, WebhookItem
from apps.core.filters import TolerantFilterSet


class ConversationFilter(TolerantFilterSet):
    """The inbox's filters."""

    STATUSES = ("open", "active", "queued", "pending", "resolved", "closed", "archived")

    status = django_filters.ChoiceFilter(
        choices=[(status, status) for status in STATUSES],
        method="in_status",
        help_text="pending: waits for a person, held by nobody. archived: none are, so far.",
    )
    chatbot_id = django_filters.UUIDFilter(help_text="The chatbot that last spoke, also after its flow has ended.")
    active_chatbot_id = django_filters.UUIDFilter(help_text="The chatbot whose flow is running.")
    agent_id = django_filters.UUIDFilter(help_text="The AI agent that last spoke.")
    assigned_to_me = extend_schema_field(serializers.BooleanField)(
        django_filters.BooleanFilter(method="in_my_hands", help_text="false: those that are not mine.")
    )
    assigned_agent_id = django_filters.UUIDFilter(field_name="assignee_id")
    department_id = django_filters.UUIDFilter()
    queue_id = django_filters.UUIDFilter()
    contact_id = django_filters.UUIDFilter()
    account_id = django_filters.UUIDFilter()
    whatsapp_number_id = django_filters.UUIDFilter(field_name="account_id")
    channel = django_filters.CharFilter(field_name="account__channel")
    holder = django_filters.ChoiceFilter(choices=Conversation.Holder.choices)
    priority = django_filters.ChoiceFilter(choices=Conversation.Priority.choices)
    unread_only = django_filters.BooleanFilter(method="unread", help_text="Those with words that nobody has read.")
    search = django_filters.CharFilter(
        method="matching", help_text="In the contact's name, phone number, e-mail and company."
    )

    class Meta:
        model = Conversation
        fields: list[str] = []

    def in_status(self, inbox: QuerySet[Conversation], name: str, value: str) -> QuerySet[Conversation]:
        """In one of our states, or in one that older clients ask for."""
        if value == "archived":
            return inbox.none()
        if value == "pending":
            waiting = [Conversation.Status.QUEUED, Conversation.Status.ACTIVE]
            return inbox.filter(status__in=waiting, holder=Conversation.Holder.HUMAN, assignee=None)
        return inbox.filter(status=value)

    def in_my_hands(self, inbox: QuerySet[Conversation], name: str, value: bool) -> QuerySet[Conversation]:
        """Assigned to the person who asks, or not."""
        mine = Q(assignee=self.request.user.pk)
        return inbox.filter(mine) if value else inbox.exclude(mine)

    def unread(self, inbox: QuerySet[Conversation], name: str, value: bool) -> QuerySet[Conversation]:
        """With unread words; false asks for everything, as if it were not sent."""
        return inbox.filter(inbound_count__gt=F("read_count")) if value else inbox

    def matching(self, inbox: QuerySet[Conversation], name: str, value: str) -> QuerySet[Conversation]:
        """Of contacts that the words describe."""
        contacts = Contact.objects.for_organization(self.request.user.organization)
        return inbox.filter(contact__in=contact_filters.matching(contacts, value))


class MessageFilter(TolerantFilterSet):
    """A thread's filters; `before` and `after` are places (`seq`) in it."""

    before = django_filters.NumberFilter(field_name="seq", lookup_expr="lt", min_value=0, max_value=2**31 - 1)
    after = django_filters.NumberFilter(field_name="seq", lookup_expr="gt", min_value=0, max_value=2**31 - 1)
    direction = django_filters.ChoiceFilter(choices=Message.Direction.choices)

    class Meta:
        model = Message
        fields: list[str] = []


class WebhookItemFilter(TolerantFilterSet):
    """Which items administrators look for."""

    SHOWN = (WebhookItem.State.DEAD, WebhookItem.State.IGNORED, WebhookItem.State.UNCLAIMED)

    status = django_filters.ChoiceFilter(field_name="state", choices=[(state.value, state.label) for state in SHOWN])
    channel = django_filters.CharFilter()

    class Meta:
        model = WebhookItem
        fields: list[str] = []
