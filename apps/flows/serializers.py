"""Chatbots and flows as the API shows and takes them."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException

from apps.flows import services
from apps.flows.models import Chatbot, Flow

MAX_CANVAS = 10 * 1024 * 1024  # bytes
MAX_DEPTH = 100


class CanvasTooLarge(APIException):
    """More than 10 MB of canvas."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "canvas_too_large"
    default_detail = "A canvas may be up to 10 MB."


@extend_schema_field({"type": "object", "additionalProperties": {}})
class ObjectField(serializers.JSONField):
    """A JSON object, kept verbatim."""

    default_error_messages = {
        "not_an_object": "This must be a JSON object.",
        "too_deep": f"Objects and lists may be nested {MAX_DEPTH} deep.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object as it came."""
        if not isinstance(data, dict):
            self.fail("not_an_object")
        level: list[Any] = [data]
        for _ in range(MAX_DEPTH):
            level = [inner for outer in level for inner in _within(outer)]
        if level:
            self.fail("too_deep")
        return data


def _within(value: Any) -> Iterable[Any]:
    """What is in an object or a list, a level below."""
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class CanvasField(ObjectField):
    """What a builder drew: nodes, edges and whatever else it keeps there; up to 10 MB, kept verbatim."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The canvas as it came."""
        canvas = super().to_internal_value(data)
        if len(orjson.dumps(canvas)) > MAX_CANVAS:
            raise CanvasTooLarge
        return canvas


class ChatbotSerializer(serializers.ModelSerializer[Chatbot]):
    is_active = serializers.BooleanField(required=False)
    global_variables = ObjectField(required=False)
    settings = ObjectField(required=False)
    whatsapp_number_ids = serializers.SerializerMethodField()

    class Meta:
        model = Chatbot
        fields = (
            "id",
            "organization_id",
            "name",
            "description",
            "avatar_url",
            "is_active",
            "global_variables",
            "settings",
            "whatsapp_number_ids",
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


class ProblemSerializer(serializers.Serializer):
    """What keeps a flow from running, and where."""

    node = serializers.CharField(help_text="The node's id; empty for the canvas itself.")
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class FlowSerializer(serializers.ModelSerializer[Flow]):
    canvas_data = CanvasField(required=False)
    variables = ObjectField(required=False)

    class Meta:
        model = Flow
        fields = (
            "id",
            "organization_id",
            "chatbot_id",
            "name",
            "description",
            "is_main",
            "is_fallback",
            "is_active",
            "canvas_data",
            "variables",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "organization_id", "chatbot_id", "created_at", "updated_at")


class FlowDetailSerializer(FlowSerializer):
    """A flow by itself: with what keeps it from running."""

    problems = serializers.SerializerMethodField()

    class Meta(FlowSerializer.Meta):
        fields = (*FlowSerializer.Meta.fields, "problems")  # type: ignore[assignment]

    @extend_schema_field(ProblemSerializer(many=True))
    def get_problems(self, flow: Flow) -> list[dict[str, str]]:
        """Every reason why it cannot run; none, if it can."""
        return [dataclasses.asdict(problem) for problem in services.problems(flow)]


class FlowCreateSerializer(FlowSerializer):
    """A new flow, and whose it is to be."""

    chatbot_id = serializers.UUIDField()

    class Meta(FlowSerializer.Meta):
        read_only_fields = ("id", "organization_id", "created_at", "updated_at")  # type: ignore[assignment]


class FlowListSerializer(serializers.Serializer):
    """All flows of a chatbot, on one page, under both of the names by which clients know them."""

    flows = FlowSerializer(many=True, source="items")
    items = FlowSerializer(many=True)
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    per_page = serializers.IntegerField()
