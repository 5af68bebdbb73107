"""Chatbots and flows as the API shows and takes them."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema_field
from pydantic import BaseModel, TypeAdapter
from pydantic import ValidationError as PydanticError
from rest_framework import serializers, status
from rest_framework.exceptions import APIException

from apps.flows import graph, publishing
from apps.flows.models import Chatbot, Flow, FlowVersion
from apps.flows.patience import Inactivity, WindowExpiry
from apps.flows.triggers import GlobalKeywords, Triggers, Variants

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


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class ShapedListField(serializers.JSONField):
    """A list of objects that a pydantic adapter reads; kept as it came."""

    def __init__(self, shape: TypeAdapter[Any], **kwargs: Any) -> None:
        self.shape = shape
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        """What the shape says of it, as JSON."""
        return _shaped(self.shape, data)


class ShapedObjectField(ObjectField):
    """An object that a pydantic model reads; kept as it came."""

    def __init__(self, shape: type[BaseModel], **kwargs: Any) -> None:
        self.shape = shape
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object as it came, if the model can read it."""
        found = super().to_internal_value(data)
        _shaped(TypeAdapter(self.shape), found)
        return found


def _shaped(shape: TypeAdapter[Any], data: Any) -> Any:
    try:
        shape.validate_python(data)
    except PydanticError as error:
        raise serializers.ValidationError(
            [f"{'.'.join(map(str, one['loc'])) or 'value'}: {one['msg']}" for one in error.errors()[:10]]
        ) from None
    return data


class ChatbotSerializer(serializers.ModelSerializer[Chatbot]):
    is_active = serializers.BooleanField(required=False)
    global_variables = ObjectField(required=False)
    settings = ObjectField(required=False)
    keywords = ShapedListField(GlobalKeywords, required=False)
    ab_test_flows = ShapedListField(Variants, required=False)
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
            "publish_on_save",
            "is_fallback",
            "after_end",
            "keywords",
            "ab_test_enabled",
            "ab_test_flows",
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
    """What is wrong with a flow, and where; an error keeps it from being published, a warning does not."""

    node = serializers.CharField(help_text="The node's id; empty for the canvas itself.")
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    severity = serializers.ChoiceField(["error", "warning"])


class FlowSerializer(serializers.ModelSerializer[Flow]):
    canvas_data = CanvasField(required=False)
    variables = ObjectField(required=False)
    settings = ObjectField(required=False)
    triggers = ShapedListField(Triggers, required=False)
    inactivity_settings = ShapedObjectField(Inactivity, required=False, allow_null=True)
    window_expiry_settings = ShapedObjectField(WindowExpiry, required=False, allow_null=True)
    published_version = serializers.IntegerField(
        source="version.number", read_only=True, default=None, allow_null=True, help_text="What customers meet."
    )

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
            "settings",
            "triggers",
            "inactivity_settings",
            "window_expiry_settings",
            "published_version",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "organization_id", "chatbot_id", "created_at", "updated_at")


class FlowDetailSerializer(FlowSerializer):
    """A flow by itself: with what is wrong with its draft."""

    problems = serializers.SerializerMethodField()
    is_published = serializers.SerializerMethodField(help_text="Whether customers meet what is drawn here.")

    class Meta(FlowSerializer.Meta):
        fields = (*FlowSerializer.Meta.fields, "is_published", "problems")  # type: ignore[assignment]

    @extend_schema_field(ProblemSerializer(many=True))
    def get_problems(self, flow: Flow) -> list[dict[str, str]]:
        """Every error, then every warning; none, if it is fine."""
        return [dataclasses.asdict(problem) for problem in publishing.validate(flow)]

    def get_is_published(self, flow: Flow) -> bool:
        """Whether the draft is the published version."""
        return publishing.is_published(flow)


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


class FlowVersionSerializer(serializers.ModelSerializer[FlowVersion]):
    """A flow as it was published."""

    is_current = serializers.SerializerMethodField(help_text="Whether it is what customers meet.")
    published_by = serializers.CharField(source="published_by.email", read_only=True, default=None, allow_null=True)
    published_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = FlowVersion
        fields = ("id", "number", "is_current", "published_by", "published_at")

    def get_is_current(self, version: FlowVersion) -> bool:
        """Whether new conversations begin on it."""
        return version.flow.version_id == version.pk


class FlowVersionDetailSerializer(FlowVersionSerializer):
    """A version by itself: with what was drawn."""

    class Meta(FlowVersionSerializer.Meta):
        fields = (*FlowVersionSerializer.Meta.fields, "canvas_data", "variables")  # type: ignore[assignment]


class ValidationSerializer(serializers.Serializer):
    """What is wrong with a flow."""

    valid = serializers.BooleanField(help_text="Whether it can be published; warnings do not matter.")
    problems = ProblemSerializer(many=True, help_text="The errors, then the warnings.")


class DraftSerializer(serializers.Serializer):
    """A canvas to look at instead of the saved one."""

    canvas_data = CanvasField(required=False)


NODES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "node_type": {"type": "string", "description": "By its usual name, whatever the canvas calls it."},
            "label": {"type": "string"},
            "position": {"type": "object", "nullable": True},
            "data": {"type": "object"},
        },
    },
}
"""The nodes of a canvas, as the schema describes them."""


class FullFlowSerializer(FlowDetailSerializer):
    """A flow with its nodes by themselves."""

    nodes = serializers.SerializerMethodField()

    class Meta(FlowDetailSerializer.Meta):
        fields = (*FlowDetailSerializer.Meta.fields, "nodes")  # type: ignore[assignment]

    @extend_schema_field(NODES)
    def get_nodes(self, flow: Flow) -> list[dict[str, Any]]:
        """The nodes in the order of the canvas."""
        return graph.nodes_of(flow.canvas_data)


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
