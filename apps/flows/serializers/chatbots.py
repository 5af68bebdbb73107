"""Chatbots as the API shows and takes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.flows.models import Chatbot, Flow
from apps.flows.serializers.fields import ObjectField, ShapedListField
from apps.flows.serializers.flows import FlowSerializer
from apps.flows.triggers import GlobalKeywords, Variants


class ChatbotSerializer(serializers.ModelSerializer[Chatbot]):
    is_active = serializers.BooleanField(required=False)
    global_variables = ObjectField(required=False)
    settings = ObjectField(required=False)
    keywords = ShapedListField(GlobalKeywords, required=False)
    ab_test_flows = ShapedListField(Variants, required=False)
    whatsapp_number_ids = serializers.SerializerMethodField()
    is_published = serializers.BooleanField(read_only=True, help_text="Whether customers can meet its main flow.")
    total_conversations = serializers.IntegerField(
        read_only=True, default=None, allow_null=True, help_text="Not counted here: see its stats."
    )
    total_messages_sent = serializers.IntegerField(read_only=True, default=None, allow_null=True)
    total_messages_received = serializers.IntegerField(read_only=True, default=None, allow_null=True)

    class Meta:
        model = Chatbot
        fields = (
            "id",
            "organization_id",
            "name",
            "description",
            "avatar_url",
            "is_active",
            "is_published",
            "global_variables",
            "settings",
            "publish_on_save",
            "is_fallback",
            "after_end",
            "keywords",
            "ab_test_enabled",
            "ab_test_flows",
            "whatsapp_number_ids",
            "total_conversations",
            "total_messages_sent",
            "total_messages_received",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "organization_id", "created_at", "updated_at")

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
    def get_whatsapp_number_ids(self, chatbot: Chatbot) -> list[str]:
        """The numbers on which it answers; chosen there, by `default_chatbot_id`."""
        return [str(row.account_id) for row in chatbot.accounts.all()]


class ChatbotListSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    items = ChatbotSerializer(many=True)


class FullChatbotSerializer(ChatbotSerializer):
    """A chatbot with all its flows, the main one first."""

    flows = serializers.SerializerMethodField()

    class Meta(ChatbotSerializer.Meta):
        fields = (*ChatbotSerializer.Meta.fields, "flows")  # type: ignore[assignment]

    @extend_schema_field(FlowSerializer(many=True))
    def get_flows(self, chatbot: Chatbot) -> Any:
        """Those that are not deleted."""
        rows = Flow.objects.present().filter(chatbot=chatbot).select_related("version")
        return FlowSerializer(rows.order_by("-is_main", "created_at", "pk"), many=True).data


class ChatbotStatsSerializer(serializers.Serializer):
    """What a chatbot has done so far."""

    total_conversations = serializers.IntegerField()
    total_messages_sent = serializers.IntegerField()
    total_messages_received = serializers.IntegerField()
    total_flows = serializers.IntegerField()
    total_nodes = serializers.IntegerField()
    is_active = serializers.BooleanField()
    is_published = serializers.BooleanField(help_text="Whether there is something for customers to meet.")
