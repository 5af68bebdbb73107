"""Conversations as the API and the socket show them, and what people may ask of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from apps.contacts.serializers import ContactBriefSerializer, TagsField, unknown
from apps.conversations import outbound
from apps.conversations.models import Conversation
from apps.conversations.responders import responders
from apps.conversations.serializers.messages import MessageSerializer


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """A conversation. Keys of one meaning stand beside each other under each name that clients know them by."""

    contact = ContactBriefSerializer()
    account_id = serializers.UUIDField()
    whatsapp_number_id = serializers.UUIDField(source="account_id")
    channel = serializers.CharField(source="account.channel")
    current_agent_id = serializers.UUIDField(source="assignee_id", allow_null=True)
    assigned_agent_id = serializers.UUIDField(source="assignee_id", allow_null=True)
    assigned_department_id = serializers.UUIDField(source="department_id", allow_null=True)
    active_flow_id = unknown(serializers.UUIDField)
    current_node_id = unknown(serializers.CharField)
    context_variables = unknown(serializers.DictField)
    is_bot_active = serializers.SerializerMethodField()
    is_human_requested = serializers.SerializerMethodField()
    handoff_at = serializers.SerializerMethodField()
    queue_position = unknown(serializers.IntegerField)
    queue_priority = unknown(serializers.IntegerField)
    last_message_from_contact_at = serializers.DateTimeField(source="last_inbound_at", allow_null=True)
    last_message_from_agent_at = unknown(serializers.DateTimeField)
    last_inbound_message_at = serializers.DateTimeField(source="last_inbound_at", allow_null=True)
    archived_at = unknown(serializers.DateTimeField)
    window_expires_at = serializers.SerializerMethodField()
    total_messages = serializers.IntegerField(source="last_seq")
    messages_from_contact = serializers.IntegerField(source="inbound_count")
    messages_from_agent = unknown(serializers.IntegerField)
    messages_from_bot = unknown(serializers.IntegerField)
    last_message = MessageSerializer(allow_null=True)
    response_time_seconds = serializers.SerializerMethodField()
    resolution_time_seconds = serializers.SerializerMethodField()
    internal_notes = unknown(serializers.CharField)
    rating = unknown(serializers.IntegerField)
    rating_comment = unknown(serializers.CharField)
    rated_at = unknown(serializers.DateTimeField)
    tags = serializers.ListField(child=serializers.CharField())
    extra_data = serializers.DictField()

    class Meta:
        model = Conversation
        fields = (
            "id",
            "organization_id",
            "contact_id",
            "contact",
            "account_id",
            "whatsapp_number_id",
            "channel",
            "kind",
            "status",
            "holder",
            "holder_epoch",
            "priority",
            "current_agent_id",
            "assigned_agent_id",
            "department_id",
            "assigned_department_id",
            "queue_id",
            "chatbot_id",
            "active_chatbot_id",
            "agent_id",
            "active_flow_id",
            "current_node_id",
            "context_variables",
            "is_bot_active",
            "is_human_requested",
            "handoff_at",
            "queued_at",
            "queue_position",
            "queue_priority",
            "assigned_at",
            "first_message_at",
            "last_message_at",
            "last_message_from_contact_at",
            "last_message_from_agent_at",
            "last_inbound_at",
            "last_inbound_message_at",
            "last_outbound_at",
            "first_response_at",
            "resolved_at",
            "closed_at",
            "archived_at",
            "window_expires_at",
            "total_messages",
            "messages_from_contact",
            "messages_from_agent",
            "messages_from_bot",
            "unread_count",
            "last_message",
            "response_time_seconds",
            "resolution_time_seconds",
            "internal_notes",
            "rating",
            "rating_comment",
            "rated_at",
            "tags",
            "extra_data",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def to_representation(self, instance: Conversation) -> dict[str, Any]:
        """The shape, with what the responders tell of their own state."""
        shape: dict[str, Any] = super().to_representation(instance)
        shape.update(self.context["described"].get(instance.pk, {}))
        return shape

    def get_is_bot_active(self, conversation: Conversation) -> bool:
        """Whether a bot may answer the customer's next message."""
        return conversation.holder == Conversation.Holder.BOT and conversation.closed_at is None

    def get_is_human_requested(self, conversation: Conversation) -> bool:
        """Whether it waits for a person."""
        return conversation.status == Conversation.Status.QUEUED

    def get_handoff_at(self, conversation: Conversation) -> datetime | None:
        """Since when people have it."""
        return conversation.assigned_at or conversation.queued_at

    def get_window_expires_at(self, conversation: Conversation) -> datetime | None:
        """Until when free text may be sent."""
        return outbound.window_closes_at(conversation)

    def get_response_time_seconds(self, conversation: Conversation) -> int | None:
        """From the first message to a person's first words."""
        return _seconds(conversation.first_message_at, conversation.first_response_at)

    def get_resolution_time_seconds(self, conversation: Conversation) -> int | None:
        """From the beginning to its resolution."""
        return _seconds(conversation.created_at, conversation.resolved_at)


class InitialMessageSerializer(serializers.Serializer):
    """The first words of a conversation that we begin: a text, or media by link with a caption."""

    content = serializers.CharField(required=False, default="", allow_blank=True)
    media_url = serializers.URLField(required=False, allow_null=True, default=None, max_length=2000)
    media_type = serializers.ChoiceField(
        choices=["image", "video", "audio", "document"], required=False, allow_null=True, default=None
    )
    media_caption = serializers.CharField(required=False, allow_blank=True, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Media need a type, and something must be said."""
        if bool(attrs["media_url"]) != bool(attrs["media_type"]):
            raise serializers.ValidationError({"media_type": "media_url and media_type go together."})
        if not attrs["media_url"] and not attrs["content"].strip():
            raise serializers.ValidationError({"content": "A text message needs a text."})
        return attrs


class CreateConversationSerializer(serializers.Serializer[Conversation]):
    """Whom to write to, from which number."""

    contact_id = serializers.UUIDField()
    whatsapp_number_id = serializers.UUIDField()
    initial_message = InitialMessageSerializer(required=False, allow_null=True, default=None)


class UpdateConversationSerializer(serializers.Serializer[Conversation]):
    """What may be changed; only what is sent is. `resolved` and `closed` end the conversation."""

    status = serializers.ChoiceField(choices=["resolved", "closed"], required=False)
    assigned_agent_id = serializers.UUIDField(required=False)
    priority = serializers.ChoiceField(choices=Conversation.Priority.choices, required=False)
    tags = TagsField(required=False)


class AssignSerializer(serializers.Serializer):
    """Whose it is from now."""

    agent_id = serializers.UUIDField()


class CloseSerializer(serializers.Serializer):
    """Why it ends, and whether the customer was served."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)
    resolved = serializers.BooleanField(required=False, default=True)


def shown(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """With all that the shape shows, in a constant number of queries, and without the account's secrets."""
    return (
        conversations.select_related("contact", "account", "last_message")
        .defer("account__access_token", "account__app_secret", "account__verify_token")
        .prefetch_related("contact__identities", "last_message__attachments")
    )


def shapes(conversations: Sequence[Conversation]) -> list[dict[str, Any]]:
    """The shapes of conversations read with `shown`; each responder is asked once about all of them."""
    described: dict[UUID, dict[str, Any]] = {}
    for responder in map(responders.get, responders.keys()):
        for pk, facts in responder.describe(conversations).items():
            described.setdefault(pk, {}).update(facts)
    return list(ConversationSerializer(conversations, many=True, context={"described": described}).data)


def _seconds(start: datetime | None, end: datetime | None) -> int | None:
    return int((end - start).total_seconds()) if start and end else None
